"""The events of a call: everything that `transitions.step` accepts.

Three kinds. *Requests* of our own users: one that the state does not allow is refused. *Observations* of Asterisk,
rtpengine or a timer: one that is too late is ignored. *Results* of our requests to peers.

`at` is Unix seconds, given by whoever observed the event. Pure data.
"""

from dataclasses import dataclass, field
from enum import Enum

from ari_bridge.fsm.call import MediaLeg, PartyState, Resource, Step, Target
from ari_bridge.fsm.timing import Timer as Timer
from ari_bridge.leg_stats import LegStats
from ari_bridge.net import RtpAddress


class Failure(Enum):
    """How a request failed. Only after a refusal is it certain that nothing was done."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Event:
    at: float


# --- requests ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placed(Event):
    """A browser or SIP client calls a number: the first event of an outbound call. `prepared`: see `engine.prewarm`."""

    prepared: MediaLeg | None = None


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """A page of `user` accepts the inbound call with its SDP offer. `prepared`: see `engine.prewarm`."""

    user: str
    offer: str
    session: str | None = None
    prefer: str = ""  # the codec; "": unchanged
    prepared: MediaLeg | None = None
    metadata: dict[str, str] = field(default_factory=dict)  # of the client token


@dataclass(frozen=True, slots=True)
class Reoffered(Event):
    """The page that owns the call, or takes it over, sends a new SDP offer: a new media leg is made."""

    offer: str
    session: str | None = None
    prefer: str = ""  # the codec; "": unchanged


@dataclass(frozen=True, slots=True)
class Declined(Event):
    """`user` does not want the inbound call."""

    user: str


@dataclass(frozen=True, slots=True)
class HungUp(Event):
    """Our side ends the call."""


@dataclass(frozen=True, slots=True)
class DigitsPressed(Event):
    """Our side sends DTMF."""

    digits: str


@dataclass(frozen=True, slots=True)
class Held(Event):
    """Our side holds the call (`held`), or resumes it."""

    held: bool


@dataclass(frozen=True, slots=True)
class PartyInvited(Event):
    """Our side has a number called into the call; with `transfer`, to take our side's place."""

    target: str
    endpoint: str
    transfer: bool


@dataclass(frozen=True, slots=True)
class PartyGiven(Event):
    """The far side of another call joins this one. `state`: RINGING or UP.

    With `transfer` it takes our side's place once it has answered.
    """

    channel: str
    target: str
    name: str
    state: PartyState
    transfer: bool


@dataclass(frozen=True, slots=True)
class PartyDropped(Event):
    """Our side removes one party; 1 is the far side."""

    party: int


@dataclass(frozen=True, slots=True)
class FarGivenAway(Event):
    """The far side belongs to another call from now on: this call ends without it."""


@dataclass(frozen=True, slots=True)
class Left(Event):
    """Our side leaves, and the others continue."""


class RecordingVerb(Enum):
    """The values are the words of the protocol."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class RecordingRequested(Event):
    verb: RecordingVerb


# --- observations ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived(Event):
    """A caller entered our Stasis application: the first event of an inbound call."""


@dataclass(frozen=True, slots=True)
class PagesRang(Event):
    """The pages of `users` were alerted; if that is empty, `status` says why (ARI_BRIDGE_STATUS).

    `forward`: where the caller goes in that case, or if the call is not answered in `ring_seconds` (see `Call`).
    `phone`: what to dial so that the user's SIP phones ring as well.
    """

    users: frozenset[str]
    status: str = "UNAVAILABLE"
    forward: str = ""
    ring_seconds: float = 0.0
    phone: str = ""


@dataclass(frozen=True, slots=True)
class NobodyRings(Event):
    """The SIP phones that rang cannot be reached, and no page is open: see `PagesRang`."""

    status: str
    forward: str


@dataclass(frozen=True, slots=True)
class StasisStarted(Event):
    """ARI StasisStart of one of the call's channels: it takes commands now."""

    resource: Resource
    target: Target = None


@dataclass(frozen=True, slots=True)
class ChannelReplaced(Event):
    """The far side, or a party, transferred its call: `channel` takes its place."""

    resource: Resource
    target: Target
    channel: str
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class ConnectedLineChanged(Event):
    """ARI ChannelCallerId of the far side's or a party's own channel, or ChannelConnectedLine of our side's, about the
    other end.
    """

    resource: Resource
    target: Target
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class StasisEnded(Event):
    """ARI StasisEnd: the channel takes no commands any more, and mostly is about to end."""

    resource: Resource
    target: Target = None


@dataclass(frozen=True, slots=True)
class ChannelDestroyed(Event):
    """ARI ChannelDestroyed, or the channel was missing after a reconnect (`q850` 0).

    `sip`: the final SIP response, 0 if unknown. `name`: of a SIP channel whose response can still be
    asked for, else "".
    """

    resource: Resource
    q850: int = 0
    text: str = ""
    target: Target = None
    sip: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class FarRinging(Event):
    """ARI ChannelStateChange to Ringing, or Dial with RINGING."""


@dataclass(frozen=True, slots=True)
class FarProgress(Event):
    """ARI Dial with PROGRESS: the far side may send sound before it answers.

    Asterisk sends it for every 183, with SDP or without: there may be no sound (RFC 3960 section 3.2).
    """


@dataclass(frozen=True, slots=True)
class EarlyMedia(Event):
    """The first RTP packet of the far side arrived before its answer."""


@dataclass(frozen=True, slots=True)
class FarAnswered(Event):
    """ARI ChannelStateChange to Up, or Dial with ANSWER."""


@dataclass(frozen=True, slots=True)
class FarFailed(Event):
    """ARI Dial with a failure; the channel's end follows, and says more. `forward`: see `Cause`."""

    dial_status: str
    forward: str = ""


@dataclass(frozen=True, slots=True)
class FarHangsUp(Event):
    """ARI ChannelHangupRequest of the far channel, with the far side's own cause; the channel's end follows."""

    q850: int


@dataclass(frozen=True, slots=True)
class FarDigit(Event):
    """ARI ChannelDtmfReceived of the far channel, or of a party's."""

    digit: str


@dataclass(frozen=True, slots=True)
class FarHeld(Event):
    """ARI ChannelHold (`held`) or ChannelUnhold of the far channel."""

    held: bool


@dataclass(frozen=True, slots=True)
class PhoneAnswered(Event):
    """ARI ChannelStateChange to Up, or Dial with ANSWER, of the channel that rings the user's SIP phones."""


@dataclass(frozen=True, slots=True)
class NearHeld(Event):
    """ARI ChannelHold (`held`) or ChannelUnhold of our user's SIP client."""

    held: bool


@dataclass(frozen=True, slots=True)
class PartyRang(Event):
    """FarRinging or FarProgress, of a further party."""

    party: int


@dataclass(frozen=True, slots=True)
class PartyAnswered(Event):
    """FarAnswered, of a further party."""

    party: int


@dataclass(frozen=True, slots=True)
class PartyFailed(Event):
    """FarFailed, of a further party."""

    party: int
    dial_status: str
    forward: str = ""


@dataclass(frozen=True, slots=True)
class PartyHangsUp(Event):
    """FarHangsUp, of a further party."""

    party: int
    q850: int


@dataclass(frozen=True, slots=True)
class RecordingEnded(Event):
    """ARI RecordingFinished, or (`failure` set) RecordingFailed, or a recording that did not start."""

    name: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class OwnerLost(Event):
    """The page that owns the call has disconnected; its media may continue."""


@dataclass(frozen=True, slots=True)
class OwnerBack(Event):
    """The page that owns the call is connected again."""


@dataclass(frozen=True, slots=True)
class MediaLost(Event):
    """The media leg is lost: its rtpengine died."""

    leg: int
    reason: str


@dataclass(frozen=True, slots=True)
class MediaChecked(Event):
    """When the browser's last packet came: Unix seconds, 0 for never; None if rtpengine cannot say.

    `within`: the seconds in which one must have come, or the call ends; None: no such limit.
    """

    heard_at: float | None
    within: float | None = None


@dataclass(frozen=True, slots=True)
class PbxLost(Event):
    """The PBX is lost: it was restarted, or its event stream is down for too long."""

    reason: str


@dataclass(frozen=True, slots=True)
class TimerFired(Event):
    timer: Timer
    party: int = 0  # of a timer of a party
    ran: float = 0.0  # seconds since its start


# --- results -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepDone(Event):
    """A set-up step worked. `address`: where RTP is received, of the media steps; `sdp`: of ANSWER_MEDIA."""

    step: Step
    address: RtpAddress | None = None
    sdp: str = ""
    target: Target = None


@dataclass(frozen=True, slots=True)
class StepFailed(Event):
    """`status`: the HTTP status of ARI's refusal; 0 for any other failure."""

    step: Step
    failure: Failure
    reason: str
    target: Target = None
    status: int = 0


@dataclass(frozen=True, slots=True)
class MuteFailed(Event):
    """Asterisk did not isolate our side (`on`), or did not end its isolation."""

    on: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RecordingRefused(Event):
    """A recording was not paused, resumed or stopped: it continues as before."""

    verb: RecordingVerb
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseFailed(Event):
    """The first try to release a resource of Asterisk failed; it is retried until Released."""

    resource: Resource
    target: Target
    reason: str


@dataclass(frozen=True, slots=True)
class Released(Event):
    """A resource is released, or its release was given up after several tries (then the sweep reaps it)."""

    resource: Resource
    target: Target = None
    figures: LegStats | None = None  # the statistics of a media session
