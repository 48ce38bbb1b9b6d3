"""Messages of the client."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ari_bridge_protocol.message import Message, QualityWarning
from ari_bridge_protocol.shared_messages import Dtmf, Hold, Preferences


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
