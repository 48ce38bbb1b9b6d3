"""What can happen to a call: every event that `transitions.step` takes.

Three kinds. *Asked*: one of our own users wants something; where the state does
not allow it, the asker is told. *Told*: Asterisk or a timer says that something
happened; too late is no fault. *Result*: a request of ours came back.

`at` is Unix seconds, given by whoever observed the event. Pure data.
"""

from dataclasses import dataclass
from enum import Enum

from ari_bridge.fsm.call import PartyState, PreparedLeg, Resource, Step
from ari_bridge.fsm.timing import Timer as Timer
from ari_bridge.leg_stats import LegFigures
from ari_bridge.net import RtpAddress


class Failure(Enum):
    """How a request failed: only a refusal means that nothing was done."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Event:
    at: float


# --- asked ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placed(Event):
    """A browser calls a number: the first event of an outbound call. `warm`: a leg that was made ahead of it."""

    warm: PreparedLeg | None = None


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """A page of `user` takes the inbound call, with its SDP offer. `warm`: a leg that was made ahead of it."""

    user: str
    offer: str
    session: str | None = None
    prefer: str = ""  # the codec; "" leaves it as it is
    warm: PreparedLeg | None = None


@dataclass(frozen=True, slots=True)
class Reoffered(Event):
    """The page that holds the call, or takes it over, gives a new SDP offer: a new media leg begins."""

    offer: str
    session: str | None = None
    prefer: str = ""  # the codec; "" leaves it as it is


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
    """Our side puts the others on hold (`held`), or takes them back."""

    held: bool


@dataclass(frozen=True, slots=True)
class PartyInvited(Event):
    """Our side has a number called into the call; with `transfer`, in our side's place."""

    target: str
    endpoint: str
    transfer: bool


@dataclass(frozen=True, slots=True)
class PartyGiven(Event):
    """The far side of another call comes over: `state` CALLED is not among what it may be in.

    With `transfer` it takes our side's place, once it has answered.
    """

    channel: str
    target: str
    name: str
    state: PartyState
    transfer: bool


@dataclass(frozen=True, slots=True)
class PartyDropped(Event):
    """Our side lets one party go; 1 is the far side."""

    party: int


@dataclass(frozen=True, slots=True)
class FarGivenAway(Event):
    """The far side belongs to another call from now on: this one ends without it."""


@dataclass(frozen=True, slots=True)
class Left(Event):
    """Our side leaves, the others go on."""


class RecordingVerb(Enum):
    """The values are the words of the protocol."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class RecordingRequested(Event):
    verb: RecordingVerb


# --- told ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived(Event):
    """A caller entered our Stasis application: the first event of an inbound call."""


@dataclass(frozen=True, slots=True)
class PagesRang(Event):
    """The pages were told to ring; `users` is empty where none does, and `status` then says why (ARI_BRIDGE_STATUS).

    `forward`: where the caller is to go then, or when nobody answers within `ring_seconds` (see `Call`).
    """

    users: frozenset[str]
    status: str = "UNAVAILABLE"
    forward: str = ""
    ring_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StasisStarted(Event):
    """ARI StasisStart of one of the call's channels: it takes commands now.

    `leg`, here and below: the number of the media leg, or of the party; 0 for what belongs to none.
    """

    resource: Resource
    leg: int = 0


@dataclass(frozen=True, slots=True)
class ChannelReplaced(Event):
    """The far side, or a party, gave its place to somebody else: `channel` is theirs. `leg` as in StasisStarted."""

    resource: Resource
    leg: int
    channel: str
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class ConnectedLineChanged(Event):
    """Asterisk tells who is there: ARI ChannelCallerId of the far side's or a party's own channel, or what our media
    leg is told of the other end (ChannelConnectedLine). `leg` as in StasisStarted.
    """

    resource: Resource
    leg: int
    number: str
    name: str


@dataclass(frozen=True, slots=True)
class StasisEnded(Event):
    """ARI StasisEnd: the channel takes no commands any more, and is about to end."""

    resource: Resource
    leg: int = 0


@dataclass(frozen=True, slots=True)
class ChannelDestroyed(Event):
    """ARI ChannelDestroyed, or the channel was missing after a reconnect (`q850` 0).

    `sip`: the final SIP response, 0 where it is not known. `name`: of a SIP channel, whose response may still be found
    out; "" where there is no more to know.
    """

    resource: Resource
    q850: int = 0
    text: str = ""
    leg: int = 0
    sip: int = 0
    name: str = ""


@dataclass(frozen=True, slots=True)
class FarRinging(Event):
    """ARI ChannelStateChange to Ringing, or Dial with RINGING."""


@dataclass(frozen=True, slots=True)
class FarProgress(Event):
    """ARI Dial with PROGRESS: the far side may send sound before it answers.

    Asterisk tells it of every 183, with SDP or without, so nothing need be heard (RFC 3960 section 3.2).
    """


@dataclass(frozen=True, slots=True)
class EarlyMedia(Event):
    """The first RTP packet of the far side has come, before its answer."""


@dataclass(frozen=True, slots=True)
class FarAnswered(Event):
    """ARI ChannelStateChange to Up, or Dial with ANSWER."""


@dataclass(frozen=True, slots=True)
class FarFailed(Event):
    """ARI Dial with a failure; the end of the channel, which follows, says more. `forward`: see `Cause`."""

    dial_status: str
    forward: str = ""


@dataclass(frozen=True, slots=True)
class FarHangsUp(Event):
    """ARI ChannelHangupRequest on the far channel, with the far side's own cause; the channel's end follows."""

    q850: int


@dataclass(frozen=True, slots=True)
class FarDigit(Event):
    """ARI ChannelDtmfReceived on the far channel."""

    digit: str


@dataclass(frozen=True, slots=True)
class FarHeld(Event):
    """ARI ChannelHold (`held`) or ChannelUnhold on the far channel."""

    held: bool


@dataclass(frozen=True, slots=True)
class PartyRang(Event):
    """As FarRinging and FarProgress, of a further party."""

    party: int


@dataclass(frozen=True, slots=True)
class PartyAnswered(Event):
    """As FarAnswered, of a further party."""

    party: int


@dataclass(frozen=True, slots=True)
class PartyFailed(Event):
    """As FarFailed, of a further party."""

    party: int
    dial_status: str
    forward: str = ""


@dataclass(frozen=True, slots=True)
class PartyHangsUp(Event):
    """As FarHangsUp, of a further party."""

    party: int
    q850: int


@dataclass(frozen=True, slots=True)
class RecordingEnded(Event):
    """ARI RecordingFinished, or (`failure` set) RecordingFailed, or it could not be begun."""

    name: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class OwnerLost(Event):
    """The connection of the page that holds the call is gone; the sound may go on."""


@dataclass(frozen=True, slots=True)
class OwnerBack(Event):
    """The page that holds the call is connected again."""


@dataclass(frozen=True, slots=True)
class MediaLost(Event):
    """The media leg is gone: its rtpengine died."""

    leg: int
    reason: str


@dataclass(frozen=True, slots=True)
class MediaChecked(Event):
    """When the browser was last heard, as rtpengine says: Unix seconds, 0 for never; None where it cannot say.

    `within`: it ought to have been heard in the last so many seconds, or the call ends; None: that is not asked.
    """

    heard_at: float | None
    within: float | None = None


@dataclass(frozen=True, slots=True)
class PbxLost(Event):
    """There is no event stream to follow the call by."""

    reason: str


@dataclass(frozen=True, slots=True)
class TimerFired(Event):
    timer: Timer
    party: int = 0  # whose, of a timer of a party
    ran: float = 0.0  # seconds


# --- results -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepDone(Event):
    """A set-up step worked. `address`: RTP, of the media steps; `sdp`: of ANSWER_MEDIA."""

    step: Step
    address: RtpAddress | None = None
    sdp: str = ""
    leg: int = 0


@dataclass(frozen=True, slots=True)
class StepFailed(Event):
    """`status`: the HTTP status by which ARI refused; 0 where it was something else."""

    step: Step
    failure: Failure
    reason: str
    leg: int = 0
    status: int = 0


@dataclass(frozen=True, slots=True)
class MuteFailed(Event):
    """Asterisk did not keep our side apart (`on`), or did not let it back."""

    on: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RecordingRefused(Event):
    """A recording does not do as it was told, other than to begin: it goes on as before."""

    verb: RecordingVerb
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseFailed(Event):
    """The first try to release a resource of Asterisk's came to nothing; it is tried until Released."""

    resource: Resource
    leg: int
    reason: str


@dataclass(frozen=True, slots=True)
class Released(Event):
    """A resource is gone, or was given up after several tries (then the sweep reaps it)."""

    resource: Resource
    leg: int = 0
    figures: LegFigures | None = None  # what a media session has counted
