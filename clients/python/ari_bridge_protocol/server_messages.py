"""Messages of the server, and the summaries that they are made of."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ari_bridge_protocol.direction import Direction
from ari_bridge_protocol.message import ClientState, Message, PartyState, PersonState, RecordingState
from ari_bridge_protocol.outcomes import Detail, Outcome
from ari_bridge_protocol.shared_messages import Dtmf, Hold, Preferences


class Welcome(Message, tag="welcome", frozen=True):
    """The first message on every connection."""

    version: str
    authentication: Annotated[bool, Meta(description="whether `register` and `offer` need a token")]
    session: Annotated[
        str, Meta(description="keep it: `resume` with it, on a later connection, takes this one's calls back")
    ]


class Resumed(Message, tag="resumed", frozen=True):
    """The session goes on here. `calls` comes next."""

    session: str


class PartySummary(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Somebody in a call besides this user."""

    party: Annotated[int, Meta(description="its number in the call; who was called, or has called, is 1")]
    number: str
    name: str
    state: PartyState


class CallSummary(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A live call as its user's pages see it. Times are Unix seconds."""

    call_id: str
    direction: Direction
    state: ClientState
    target: str
    caller: str
    caller_name: str
    created_at: float
    held_by_far: bool
    here: Annotated[bool, Meta(description="this connection's session holds it")]
    attached: Annotated[bool, Meta(description="an open connection holds it")]
    answered_at: float | None = None
    held: Annotated[bool, Meta(description="by our side")] = False
    parties: Annotated[
        tuple[PartySummary, ...], Meta(description="all that have not left; none before an incoming call is accepted")
    ] = ()
    transferring: Annotated[str, Meta(description="the number that the call is being transferred to")] = ""
    recording: RecordingState = "off"
    connected_number: Annotated[
        str, Meta(description='who is there, where the PBX tells it (connected line); "": as dialled, or as called')
    ] = ""
    connected_name: str = ""


class Calls(Message, tag="calls", frozen=True):
    """All live calls of this user and this session, except those that only ring.

    Comes after `registered` and `resumed`, and whenever one of them begins, ends, or changes its state or holder.
    """

    calls: list[CallSummary]


class PastCall(Message, tag="past-call", frozen=True):
    """A call of this user has ended, on whichever page; also one that rang nowhere. As its call record has it.

    Comes once, to all pages that are registered then; `/cdrs` has those of the time before. Times are Unix seconds.
    """

    call_id: str
    direction: Direction
    caller: str
    caller_name: str
    target: str
    created_at: float
    ended_at: float
    talk_seconds: Annotated[float, Meta(description="0 where nobody answered")]
    outcome: Outcome
    ringing_at: Annotated[float | None, Meta(description="nothing: no page rang")] = None
    answered_at: float | None = None
    connected_number: str = ""
    connected_name: str = ""


class MediaLost(Message, tag="media-lost", frozen=True):
    """The call stands, but its sound is lost on the server's side: send a new `offer` with its `callId`."""

    call_id: str
    reason: str


class MediaChecked(Message, tag="media-checked", frozen=True):
    """Whether sound of the others came for the page just now: else they are silent, and nothing is wrong."""

    call_id: str
    sounds: bool


class TakenOver(Message, tag="taken-over", frozen=True):
    """Another page of this user holds the call now: end the media here, and hang nothing up."""

    call_id: str


class Reconnect(Message, tag="reconnect", frozen=True):
    """The server is about to be replaced: connect again at a random moment of the next `within` seconds."""

    within: float


class Registered(Message, tag="registered", frozen=True):
    user: str


class IceServer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """As `RTCPeerConnection` takes it."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceServers(Message, tag="ice-servers", frozen=True):
    """What the page's next `RTCPeerConnection` is to use; comes after `welcome`, after `registered`, and anew in time.

    Not sent where the server is set to none. With authentication on, TURN servers are told after `registered` alone.
    """

    servers: list[IceServer]
    expires_at: Annotated[
        float | None, Meta(description="Unix seconds: when the credentials end; calls that stand are not touched")
    ] = None


class Unregistered(Message, tag="unregistered", frozen=True):
    pass


class Answer(Message, tag="answer", frozen=True):
    """The SDP answer to an offer. It comes before the far side has answered."""

    call_id: str
    sdp: str


class MediaPrepared(Message, tag="media-prepared", frozen=True):
    """The SDP answer to the offer in `prepare-media`."""

    call_id: str
    sdp: str


class MediaDiscarded(Message, tag="media-discarded", frozen=True):
    """The media prepared for this call is released: its `offer` must come from a new connection."""

    call_id: str
    reason: str


class State(Message, tag="state", frozen=True):
    """A call's new state. The fields below `state` are set where they apply.

    Times are Unix seconds. `q850` and `sip` are 0 where none is known.
    """

    call_id: str
    state: ClientState
    direction: Direction
    target: str
    caller: str
    at: float
    outcome: Annotated[Outcome | None, Meta(description="with `ended`")] = None
    q850: int = 0
    sip: int = 0
    reason: Annotated[str, Meta(description="one short sentence in plain words")] = ""
    detail: Annotated[Detail | None, Meta(description="with `ended`: who refused, where `outcome` says too little")] = (
        None
    )
    forward: Annotated[str, Meta(description="with `moved`: the number that the far side names in its place")] = ""
    connected_number: Annotated[
        str, Meta(description='who is there, where the PBX tells it (connected line); "": as dialled, or as called')
    ] = ""
    connected_name: str = ""


class IncomingCall(Message, tag="incoming-call", frozen=True):
    """A call rings for this user. Answer with `offer` (callId, sdp), `decline` or nothing.

    Comes again for a call that rings already where its caller has given its place to somebody else, or has got a name:
    the connected line is theirs.
    """

    call_id: str
    caller: str
    caller_name: str
    target: str
    connected_number: str = ""
    connected_name: str = ""


IncomingEndReason = Literal["accepted_elsewhere", "answered_elsewhere", "declined", "cancelled", "no_answer"]


class IncomingEnded(Message, tag="incoming-ended", frozen=True):
    """Stop ringing: the call was taken elsewhere, declined, or its caller gave up.

    `accepted_elsewhere`: another page of this user has it; `answered_elsewhere`: somebody else, e.g. of a ring group.
    """

    call_id: str
    reason: IncomingEndReason


class Transferred(Message, tag="transferred", frozen=True):
    """The other party talks to `target` now. The call's state `ended` follows."""

    call_id: str
    target: str


class TransferFailed(Message, tag="transfer-failed", frozen=True):
    """The other party is back. `reason`: one short sentence in plain words."""

    call_id: str
    target: str
    outcome: Outcome
    reason: str
    detail: Annotated[Detail | None, Meta(description="who refused, where `outcome` says too little")] = None


class Party(Message, tag="party", frozen=True):
    """Somebody is called into the call, has joined it, or (`outcome` set) has left it, or never came."""

    call_id: str
    party: int
    number: str
    name: str
    state: Literal["trying", "ringing", "accepted", "ended"]
    outcome: Annotated[Outcome | None, Meta(description="with `ended`")] = None
    reason: Annotated[str, Meta(description="with `ended`: one short sentence in plain words")] = ""
    detail: Annotated[Detail | None, Meta(description="with `ended`: who refused, where `outcome` says too little")] = (
        None
    )


class Recording(Message, tag="recording", frozen=True):
    """Whether the call is recorded. `name`: by which the HTTP API gives the recording; `reason`: why it failed."""

    call_id: str
    state: RecordingState
    name: str = ""
    reason: str = ""


class Voicemail(Message, tag="voicemail", frozen=True):
    """The messages in this user's voicemail box: comes after `registered`, and on change. Not sent without a box."""

    new: int
    old: int
    number: Annotated[str, Meta(description='to dial for hearing them; "" where there is none')] = ""


class PersonSummary(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Somebody who can be called: a user of pages (`user` set), or a phone of the PBX."""

    number: str
    name: str
    state: PersonState
    user: str = ""


class People(Message, tag="people", frozen=True):
    """The whole directory: comes after `registered`, and when somebody has come into it, or left it."""

    people: list[PersonSummary]


class PeopleChanged(Message, tag="people-changed", frozen=True):
    """These of the directory stand otherwise than before: all that have changed within a quarter of a second."""

    people: list[PersonSummary]


class Error(Message, tag="error", frozen=True):
    """What was wrong with a message; the connection and its calls live on.

    `code`: `malformed`, `unknown_type`, `invalid_request`, `invalid_sdp`,
    `invalid_target`, `unknown_call`, `wrong_state`, `too_many`,
    `unauthorized`, `forbidden`, `too_large`, `owned_elsewhere`, `unavailable`, `pbx_refuses` (a call that
    stands goes on as before). `field` names the faulty one.
    """

    code: str
    message: str
    field: str | None = None
    call_id: str | None = None
    retry_after: Annotated[float | None, Meta(description="seconds, with `too_many` and `unavailable`")] = None
    detail: Annotated[
        Detail | None,
        Meta(description="with `unavailable`: why, where it is not simply that the phone system is not there"),
    ] = None
    rule: Annotated[
        str | None, Meta(description="with `forbidden` for a number: which rule of the dial permissions refuses it")
    ] = None


class Pong(Message, tag="pong", frozen=True):
    id: int = 0


ServerMessage = (
    Welcome
    | Resumed
    | Registered
    | Unregistered
    | IceServers
    | Calls
    | Answer
    | MediaPrepared
    | MediaDiscarded
    | State
    | IncomingCall
    | IncomingEnded
    | Hold
    | Transferred
    | TransferFailed
    | Party
    | Recording
    | Preferences
    | Voicemail
    | People
    | PeopleChanged
    | PastCall
    | MediaLost
    | MediaChecked
    | TakenOver
    | Dtmf
    | Reconnect
    | Error
    | Pong
)
