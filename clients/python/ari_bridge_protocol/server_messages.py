"""Messages that the server sends, and the structs in them."""

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
        str, Meta(description="keep it: `resume` with it on a later connection takes this one's calls back")
    ]


class Resumed(Message, tag="resumed", frozen=True):
    """The session continues on this connection. `calls` follows."""

    session: str


class PartySummary(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A participant of a call besides this user."""

    party: Annotated[int, Meta(description="its number in the call; the called number, or the caller, is 1")]
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
    here: Annotated[bool, Meta(description="the session of this connection owns it")]
    attached: Annotated[bool, Meta(description="a session with an open connection owns it")]
    answered_at: float | None = None
    held: Annotated[bool, Meta(description="by our side")] = False
    parties: Annotated[
        tuple[PartySummary, ...], Meta(description="those that have not left; empty until an incoming call is accepted")
    ] = ()
    transferring: Annotated[str, Meta(description="the number that the call is being transferred to")] = ""
    recording: RecordingState = "off"
    connected_number: Annotated[
        str, Meta(description='the connected line, as the PBX reports it; "": as dialled, or the caller')
    ] = ""
    connected_name: str = ""


class Calls(Message, tag="calls", frozen=True):
    """All live calls of this user and this session, except those that are only ringing.

    Sent after `registered` and `resumed`, and whenever a call starts, ends, or changes its state or owner.
    """

    calls: list[CallSummary]


class PastCall(Message, tag="past-call", frozen=True):
    """A call of this user has ended, on any page, or without ringing on any; the values are those of its call record.

    Sent once, to all pages registered at that moment; earlier calls are in `/cdrs`. Times are Unix seconds.
    """

    call_id: str
    direction: Direction
    caller: str
    caller_name: str
    target: str
    created_at: float
    ended_at: float
    talk_seconds: Annotated[float, Meta(description="0 if it was not answered")]
    outcome: Outcome
    ringing_at: Annotated[float | None, Meta(description="unset: no page rang")] = None
    answered_at: float | None = None
    connected_number: str = ""
    connected_name: str = ""


class MediaLost(Message, tag="media-lost", frozen=True):
    """The call is active, but its media leg was lost on the server's side: send a new `offer` with its `callId`."""

    call_id: str
    reason: str


class MediaChecked(Message, tag="media-checked", frozen=True):
    """Whether the other parties are sending sound to the page; if not, they are silent, and nothing is wrong."""

    call_id: str
    sounds: bool


class TakenOver(Message, tag="taken-over", frozen=True):
    """Another page of this user owns the call now: close the media here, and do not hang up."""

    call_id: str


class Reconnect(Message, tag="reconnect", frozen=True):
    """The server is about to be replaced: reconnect at a random moment within the next `within` seconds."""

    within: float


class Registered(Message, tag="registered", frozen=True):
    """`session`: in place of that of `welcome`; nobody but the user can resume it."""

    user: str
    session: str | None = None


class Authenticated(Message, tag="authenticated", frozen=True):
    """The token of `authenticate` is accepted.

    `session`: as in `registered`.
    """

    expires_at: Annotated[float | None, Meta(description="of the token, Unix seconds; null: it does not expire")] = None
    session: str | None = None


class IceServer(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An `RTCIceServer`."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceServers(Message, tag="ice-servers", frozen=True):
    """The servers for the page's next `RTCPeerConnection`.

    Sent after `welcome`, after `registered`, and before the credentials expire; not sent if none are configured. If
    authentication is on, TURN servers are sent only after `registered`.
    """

    servers: list[IceServer]
    expires_at: Annotated[float | None, Meta(description="Unix seconds; active calls are not affected")] = None


class Unregistered(Message, tag="unregistered", frozen=True):
    pass


class Answer(Message, tag="answer", frozen=True):
    """The SDP answer to an offer. Precedes the far side's answer of the call."""

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
    """A call's new state. Times are Unix seconds; `q850` and `sip` are 0 if unknown."""

    call_id: str
    state: ClientState
    direction: Direction
    target: str
    caller: str
    at: float
    outcome: Annotated[Outcome | None, Meta(description="with `ended`")] = None
    q850: int = 0
    sip: int = 0
    reason: Annotated[str, Meta(description="one sentence for developers")] = ""
    detail: Annotated[Detail | None, Meta(description="with `ended`: more specific than `outcome`")] = None
    forward: Annotated[str, Meta(description="with `moved`: the number that the far side redirects to")] = ""
    connected_number: Annotated[
        str, Meta(description='the connected line, as the PBX reports it; "": as dialled, or the caller')
    ] = ""
    connected_name: str = ""


class IncomingCall(Message, tag="incoming-call", frozen=True):
    """A call is ringing for this user. Reply with `offer` (callId, sdp), with `decline`, or not at all.

    Sent again for a ringing call if the caller changes (a transfer), or gets a name: the connected line says who it is.
    """

    call_id: str
    caller: str
    caller_name: str
    target: str
    connected_number: str = ""
    connected_name: str = ""


IncomingEndReason = Literal["accepted_elsewhere", "answered_elsewhere", "declined", "cancelled", "no_answer"]


class IncomingEnded(Message, tag="incoming-ended", frozen=True):
    """Stop ringing.

    `accepted_elsewhere`: another page of this user has accepted the call; `answered_elsewhere`: another device has,
    for example of a ring group.
    """

    call_id: str
    reason: IncomingEndReason


class Transferred(Message, tag="transferred", frozen=True):
    """The other party is connected to `target`. The state `ended` of the call follows."""

    call_id: str
    target: str


class TransferFailed(Message, tag="transfer-failed", frozen=True):
    """The transfer failed, and the other party is back. `reason`: one sentence for developers."""

    call_id: str
    target: str
    outcome: Outcome
    reason: str
    detail: Annotated[Detail | None, Meta(description="more specific than `outcome`")] = None


class Party(Message, tag="party", frozen=True):
    """A party is being called, has joined the call, or (`outcome` set) has left it or was not reached."""

    call_id: str
    party: int
    number: str
    name: str
    state: Literal["trying", "ringing", "accepted", "ended"]
    outcome: Annotated[Outcome | None, Meta(description="with `ended`")] = None
    reason: Annotated[str, Meta(description="with `ended`: one sentence for developers")] = ""
    detail: Annotated[Detail | None, Meta(description="with `ended`: more specific than `outcome`")] = None


class Recording(Message, tag="recording", frozen=True):
    """The call's recording. `name`: its name in `/recordings`; `reason`: why it failed."""

    call_id: str
    state: RecordingState
    name: str = ""
    reason: str = ""


class Voicemail(Message, tag="voicemail", frozen=True):
    """Message counts of the user's voicemail box: sent after `registered` and on change. Not sent without a box."""

    new: int
    old: int
    number: Annotated[str, Meta(description='dial it to listen to them; "" if there is none')] = ""


class PersonSummary(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An entry of the directory: a user of pages (`user` set), or a phone of the PBX."""

    number: str
    name: str
    state: PersonState
    user: str = ""


class People(Message, tag="people", frozen=True):
    """The whole directory: sent after `registered`, and when an entry was added or removed."""

    people: list[PersonSummary]


class PeopleChanged(Message, tag="people-changed", frozen=True):
    """Directory entries whose state has changed, collected over a quarter of a second."""

    people: list[PersonSummary]


class Error(Message, tag="error", frozen=True):
    """A message was rejected; the connection and its calls continue.

    `code`: `malformed`, `unknown_type`, `invalid_request`, `invalid_sdp`,
    `invalid_target`, `unknown_call`, `wrong_state`, `too_many`,
    `unauthorized`, `forbidden`, `too_large`, `owned_elsewhere`, `unavailable`, `pbx_refuses` (the
    call continues as before). `field` names the faulty field.
    """

    code: str
    message: str
    field: str | None = None
    call_id: str | None = None
    retry_after: Annotated[float | None, Meta(description="seconds, with `too_many` and `unavailable`")] = None
    detail: Annotated[
        Detail | None,
        Meta(description="with `unavailable`, `too_many` and `forbidden`: why, more precisely than the code"),
    ] = None
    rule: Annotated[
        str | None,
        Meta(description="the rule that refuses the number (`forbidden`), or the limit (`too_many`)"),
    ] = None


class Pong(Message, tag="pong", frozen=True):
    id: int = 0


ServerMessage = (
    Welcome
    | Resumed
    | Registered
    | Authenticated
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
