"""Messages that a client sends."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ari_bridge_protocol.message import Message, QualityWarning
from ari_bridge_protocol.shared_messages import Dtmf, Hold, Preferences


class QualityReport(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How a call has sounded on its page so far. Values that are not set are unknown. See docs/QUALITY.md."""

    seconds: Annotated[float, Meta(ge=0, le=1e7, description="measured seconds of the call")]
    mos: Annotated[float, Meta(ge=1, le=5, description="average, as all values not named worst")]
    worst_mos: Annotated[float, Meta(ge=1, le=5, description="of the worst second, as all values named worst")]
    loss_percent: Annotated[float, Meta(ge=0, le=100, description="of the packets to the page")]
    worst_loss_percent: Annotated[float, Meta(ge=0, le=100)]
    jitter_ms: Annotated[float, Meta(ge=0, le=1e6)]
    worst_jitter_ms: Annotated[float, Meta(ge=0, le=1e6)]
    round_trip_ms: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    worst_round_trip_ms: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    sent_loss_percent: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None, Meta(description="of the packets from the page")
    ] = None
    codec: Annotated[str, Meta(max_length=40)] = ""
    warnings: Annotated[tuple[QualityWarning, ...], Meta(max_length=4, description="raised during the call")] = ()


class Register(Message, tag="register", frozen=True):
    """Receive calls for `user`. If authentication is on, `token` is required and must belong to that user."""

    user: str
    token: str | None = None


class Resume(Message, tag="resume", frozen=True):
    """Resume the session of an earlier connection: the first message after `welcome`.

    `session`: from that connection's `welcome`. This connection now owns the calls of the session; an older
    connection that is only half-open is closed. If authentication is on, `token` is required and must be the same
    user's; one that has expired still takes back calls, and starts nothing new.
    """

    session: str
    token: str | None = None


class Authenticate(Message, tag="authenticate", frozen=True):
    """Another token of the same user, before the last one has expired: else the connection is closed (4401).

    Calls are not affected, and nothing has to be registered again. Answered by `authenticated`, or `error` with the
    field `token`.
    """

    token: str


class Unregister(Message, tag="unregister", frozen=True):
    """Receive no more calls. Active calls continue."""


class Offer(Message, tag="offer", frozen=True):
    """Place a call, accept one, or give an active call new media.

    With `target`: call that number; the client may choose `callId`. Without: accept the incoming call `callId`, or,
    if that call is active, replace its media leg (after a reload, or when the sound was lost). `sdp` is the offer that
    `createOffer` of a *new* connection returned; ICE candidates need not be gathered first.
    """

    sdp: str
    target: str | None = None
    call_id: str | None = None
    caller: Annotated[str | None, Meta(description="shown to the far side; if authentication is on, the user")] = None
    take_over: Annotated[bool, Meta(description="take the call over from the page of this user that owns it")] = False
    prefer: Annotated[
        Literal["opus", "pcmu"] | None,
        Meta(description="the codec of this page's media; default: the server's setting"),
    ] = None


class Candidate(Message, tag="candidate", frozen=True):
    """An ICE candidate of the browser, found after its offer was sent; without `candidate`: there are no more.

    The fields are those of `RTCIceCandidate.toJSON()`. Needed only if the server's media is behind a firewall that
    blocks incoming packets from addresses it has not sent to: otherwise the server learns the browser's addresses
    from its connectivity checks. At most 32 per offer.
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
    """End a call, in any state. Declines an incoming call that is ringing."""

    call_id: str


class Decline(Message, tag="decline", frozen=True):
    """Decline an incoming call for this user: all of the user's pages stop ringing."""

    call_id: str


class Transfer(Message, tag="transfer", frozen=True):
    """Transfer the other party of an answered call.

    Blind, with `target`: that number is called while the party hears music, and the two are connected when it answers;
    `transferred` and the end of the call follow. If it cannot be reached, `transfer-failed` follows and the party is
    back. `drop-party` with the new party's number cancels the transfer, `leave` lets it continue without this page.
    Attended, with `toCallId`: the parties of both calls are connected, and both calls end here.
    """

    call_id: str
    target: str | None = None
    to_call_id: str | None = None


class AddParty(Message, tag="add-party", frozen=True):
    """Add a party to an answered call: a conference.

    With `target`: that number is called, and joins when it answers. With `fromCallId`: the party of another call of
    this user joins at once, and that call ends here.
    """

    call_id: str
    target: str | None = None
    from_call_id: str | None = None


class DropParty(Message, tag="drop-party", frozen=True):
    """Drop a party of a conference, or one that is still being called. Parties are numbered; the first is 1."""

    call_id: str
    party: int


class Leave(Message, tag="leave", frozen=True):
    """Leave the call: the others, of whom there must be at least two, continue."""

    call_id: str


class Record(Message, tag="record", frozen=True):
    """Record the audio of all parties of an answered call."""

    call_id: str
    action: Literal["start", "pause", "resume", "stop"]


class Quality(Message, tag="quality", frozen=True):
    """How a call sounds: every ten seconds, and once within a minute of its end. Replaces the previous report."""

    call_id: str
    report: QualityReport


class Feedback(Message, tag="feedback", frozen=True):
    """The user's rating of a call, within a day of its end. Replaces an earlier one."""

    call_id: str
    score: Annotated[int, Meta(ge=1, le=5)]
    issue: Literal["echo", "choppy", "one_way", "delay", "noise", "dropped"] | None = None
    comment: Annotated[str, Meta(max_length=500)] = ""


class CheckMedia(Message, tag="check-media", frozen=True):
    """The page has received no sound for a while, though its media is connected: do the others send any?

    Answered by `media-checked` within two seconds. Repeats in the meantime get no answer of their own.
    """

    call_id: str


class Ping(Message, tag="ping", frozen=True):
    """Answered by `pong` with the same `id`.

    A client that has sent a ping, owns a call, and then sends nothing for 9 s is considered frozen, and cut off.
    """

    id: int = 0


ClientMessage = (
    Resume
    | Register
    | Authenticate
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
