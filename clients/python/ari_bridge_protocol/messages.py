"""The WebSocket protocol: every message, typed, in one file.

JSON objects with a `type`. TypeScript types are generated from these structs
(`python -m frontend.codegen`), so a change here is a change of the public protocol.

A plain client needs four: it sends `offer` with a `target`, gets `answer`,
then `state` messages as they happen, and sends `hangup`.

Field names are camelCase on the wire and snake_case here.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ari_bridge_protocol.direction import Direction
from ari_bridge_protocol.outcomes import Detail, Outcome

ClientState = Annotated[
    Literal["trying", "ringing", "early", "accepted", "ended"],
    Meta(description="A call's state as clients see it; `ended` is the last and comes once."),
]
PartyState = Literal["trying", "ringing", "accepted"]
RecordingState = Literal["off", "on", "paused"]
QualityWarning = Literal["mos", "rtt", "jitter", "loss"]
PersonState = Literal["offline", "available", "ringing", "in_call", "do_not_disturb"]


class Message(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Base of every message; unknown fields are ignored, so the protocol can grow."""


# --- from the client ---------------------------------------------------------


class Register(Message, tag="register", frozen=True):
    """Take calls for `user`. With authentication on, `token` is needed and must be that user's."""

    user: str
    token: str | None = None


class Resume(Message, tag="resume", frozen=True):
    """Go on with the session of an earlier connection: the first message after `welcome`.

    `session`: what that connection's `welcome` had. The calls of the session are this connection's
    from now on; an older connection that still seems to stand is closed.
    """

    session: str


class Unregister(Message, tag="unregister", frozen=True):
    """Take no more calls. Calls that stand go on."""


class Offer(Message, tag="offer", frozen=True):
    """A call, the acceptance of one, or new media for one that stands.

    With `target`: call that number; `callId` may be chosen by the client.
    Without: accept the incoming call `callId`, or, where that call stands, give it a
    new media leg in place of the one it has (after a reload, or when the sound is
    lost). `sdp` is the browser's offer as `createOffer` of a *new* connection made it;
    ICE candidates need not be gathered first.
    """

    sdp: str
    target: str | None = None
    call_id: str | None = None
    caller: Annotated[str | None, Meta(description="shown to the far side; with authentication on, the user")] = None
    take_over: Annotated[bool, Meta(description="take the call from another page of this user that holds it")] = False
    prefer: Annotated[
        Literal["opus", "pcmu"] | None, Meta(description="the codec of this page's media; else as the server is set")
    ] = None


class Candidate(Message, tag="candidate", frozen=True):
    """One of the browser's ICE candidates, found after its offer was sent; without one: there are no more.

    The fields are those of `RTCIceCandidate.toJSON()`. Needed only where the server's media is behind a firewall that
    lets in nothing it has not written to first: else it learns the browser's addresses from the browser's checks.
    At most 64 for each offer.
    """

    call_id: str
    candidate: str | None = None
    sdp_mid: str | None = None
    sdp_m_line_index: Annotated[int, Meta(ge=0, le=65535)] | None = None


class PrepareMedia(Message, tag="prepare-media", frozen=True):
    """Set up the media of a call before the call, so that the call itself does not wait for ICE and DTLS.

    `callId`: the id that the client will call with, or that of an incoming call. `sdp`: as in `offer`, of a connection
    that sends nothing yet. Answered by `media-prepared`; apply its answer at once. An `offer` with the same callId and
    the same sdp then starts the call. Prepared media that is not used within 60 s is released (`media-discarded`).
    A connection has at most one prepared leg: another `prepare-media` replaces it.
    """

    call_id: str
    sdp: str
    prefer: Literal["opus", "pcmu"] | None = None


class DiscardMedia(Message, tag="discard-media", frozen=True):
    """Release what `prepare-media` has set up: there will be no call."""


class Hangup(Message, tag="hangup", frozen=True):
    """End a call, at any moment of it. On an incoming call that rings: decline it."""

    call_id: str


class Decline(Message, tag="decline", frozen=True):
    """Decline an incoming call for this user: all pages of the user stop ringing."""

    call_id: str


class Dtmf(Message, tag="dtmf", frozen=True):
    """Send digits (0-9 * # A-D, at most 32) to the far side. From the server: a digit that it sent."""

    call_id: str
    digits: str


class Transfer(Message, tag="transfer", frozen=True):
    """Give the other party of an answered call to somebody else.

    Blind, with `target`: that number is called, the party hears music meanwhile, and is connected when it answers;
    `transferred` and the call's end follow. Where it cannot be reached, `transfer-failed` follows and the party is
    back. `drop-party` of the new party's number takes a transfer back, `leave` lets it go on without this page.
    Attended, with `toCallId`: the parties of both calls are connected, and both calls end here.
    """

    call_id: str
    target: str | None = None
    to_call_id: str | None = None


class AddParty(Message, tag="add-party", frozen=True):
    """Make a conference: one more party for an answered call.

    With `target`: that number is called, and joins when it answers. With `fromCallId`: the party of that other
    call of this user joins at once, and that call ends here.
    """

    call_id: str
    target: str | None = None
    from_call_id: str | None = None


class DropParty(Message, tag="drop-party", frozen=True):
    """Let one party go: of a conference, or one that is still being called. Parties have numbers, the first has 1."""

    call_id: str
    party: int


class Leave(Message, tag="leave", frozen=True):
    """End the call for this page alone: the others, of whom there must be two, go on."""

    call_id: str


class Record(Message, tag="record", frozen=True):
    """Record an answered call, all that is said in it."""

    call_id: str
    action: Literal["start", "pause", "resume", "stop"]


class QualityReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How a call has sounded on its page until now. What is not set is not known. See docs/QUALITY.md."""

    seconds: Annotated[float, Meta(ge=0, le=1e7, description="that were measured")]
    mos: Annotated[float, Meta(ge=1, le=5, description="the average; so all that is not called worst")]
    worst_mos: Annotated[float, Meta(ge=1, le=5, description="of one second; so all that is called worst")]
    loss_percent: Annotated[float, Meta(ge=0, le=100, description="of what was to come to the page")]
    worst_loss_percent: Annotated[float, Meta(ge=0, le=100)]
    jitter_ms: Annotated[float, Meta(ge=0, le=1e6)]
    worst_jitter_ms: Annotated[float, Meta(ge=0, le=1e6)]
    round_trip_ms: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    worst_round_trip_ms: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    sent_loss_percent: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None, Meta(description="of what the page has sent")
    ] = None
    codec: Annotated[str, Meta(max_length=40)] = ""
    warnings: Annotated[tuple[QualityWarning, ...], Meta(max_length=4, description="raised at some time")] = ()


class Quality(Message, tag="quality", frozen=True):
    """How a call sounds: every ten seconds, and once after its end, until a minute later. Replaces the one before."""

    call_id: str
    report: QualityReport


class Feedback(Message, tag="feedback", frozen=True):
    """What the call's user thought of it: within a day after its end. Replaces what was given before."""

    call_id: str
    score: Annotated[int, Meta(ge=1, le=5)]
    issue: Literal["echo", "choppy", "one_way", "delay", "noise", "dropped"] | None = None
    comment: Annotated[str, Meta(max_length=500)] = ""


class CheckMedia(Message, tag="check-media", frozen=True):
    """This page has heard nothing for long, though its path to the media server stands: is there anything to be heard?

    Answered by `media-checked`, within two seconds. A page that asks again meanwhile gets one answer.
    """

    call_id: str


class Ping(Message, tag="ping", frozen=True):
    """Answered by `pong` with the same `id`.

    Whoever has once sent one, and holds a call, is taken for frozen when nothing comes for 9 s.
    """

    id: int = 0


class Hold(Message, tag="hold", frozen=True):
    """Put the other parties on hold: they hear music, and nothing of this page; or (`held` false) take them back.

    From the server: a party holds the call, or takes it up again (`by` is "far"), or our side does ("us").
    """

    call_id: str
    held: bool = True
    by: Literal["us", "far"] = "us"


class CallPreferences(msgspec.Struct, frozen=True, rename="camel"):
    """What is to be done with calls for a user. A forward is a number, `voicemail`, or "": none.

    What is left out is as at the beginning: nothing forwarded, calls ring.
    """

    do_not_disturb: Annotated[bool, Meta(description="no page rings")] = False
    call_waiting: Annotated[bool, Meta(description="it rings also while this user is in a call")] = True
    forward_always: str = ""
    forward_busy: Annotated[str, Meta(description="in a call, without call waiting")] = ""
    forward_no_answer: str = ""
    forward_unreachable: Annotated[str, Meta(description="no page is open")] = ""
    ring_seconds: Annotated[int, Meta(description="5 to 120; 0: as long as the server is set to")] = 0


class Preferences(CallPreferences, tag="preferences", frozen=True):
    """What is to be done with calls for this user: set by the client, as a whole; told by the server to all its pages.

    What the client leaves out is as at the beginning: nothing forwarded, calls ring. The server leaves out nothing.
    A forward is a number, `voicemail`, or "".
    """


ClientMessage = (
    Resume
    | Register
    | Unregister
    | Offer
    | PrepareMedia
    | DiscardMedia
    | Hangup
    | Decline
    | Candidate
    | Dtmf
    | Hold
    | Transfer
    | AddParty
    | DropParty
    | Leave
    | Record
    | Quality
    | Feedback
    | Preferences
    | CheckMedia
    | Ping
)


# --- from the server ---------------------------------------------------------


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


class IncomingEnded(Message, tag="incoming-ended", frozen=True):
    """Stop ringing: the call was taken elsewhere, declined, or its caller gave up.

    `accepted_elsewhere`: another page of this user has it; `answered_elsewhere`: somebody else, e.g. of a ring group.
    """

    call_id: str
    reason: Literal["accepted_elsewhere", "answered_elsewhere", "declined", "cancelled", "no_answer"]


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
