"""What can happen to a call: every event that `transitions.step` takes.

Three kinds. *Asked*: one of our own users wants something; where the state does
not allow it, the asker is told. *Told*: Asterisk or a timer says that something
happened; too late is no fault. *Result*: a request of ours came back.

`at` is Unix seconds, given by whoever observed the event. Pure data.
"""

from dataclasses import dataclass
from enum import Enum

from ari_bridge.calls.state import Resource, RtpAddress, Step


class Timer(Enum):
    """The value names it in logs. How long each runs is the task's business (`Limits`)."""

    RING = "ring"  # the far side, or the pages, may ring so long
    SETUP = "setup"  # media and bridge must stand within this
    EXPLAIN = "explain"  # a channel left us: its end event, which says why, must come within this


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
    """A browser calls a number: the first event of an outbound call."""


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    """A page of `user` takes the inbound call, with its SDP offer."""

    user: str
    offer: str


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


# --- told ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrived(Event):
    """A caller entered our Stasis application: the first event of an inbound call."""


@dataclass(frozen=True, slots=True)
class PagesRang(Event):
    """The pages were told to ring; `users` is empty where nobody is there."""

    users: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChannelEntered(Event):
    """ARI StasisStart of one of the call's channels: it takes commands now."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class ChannelLeft(Event):
    """ARI StasisEnd: the channel takes no commands any more, and is about to end."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class ChannelGone(Event):
    """ARI ChannelDestroyed, or the channel was missing after a reconnect (`q850` 0)."""

    resource: Resource
    q850: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class FarRinging(Event):
    """ARI ChannelStateChange to Ringing, or Dial with RINGING."""


@dataclass(frozen=True, slots=True)
class FarProgress(Event):
    """ARI Dial with PROGRESS: the far side sends audio before it answers."""


@dataclass(frozen=True, slots=True)
class FarAnswered(Event):
    """ARI ChannelStateChange to Up, or Dial with ANSWER."""


@dataclass(frozen=True, slots=True)
class FarFailed(Event):
    """ARI Dial with a failure; the end of the channel, which follows, says more."""

    dial_status: str


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
class PbxLost(Event):
    """There is no event stream to follow the call by."""

    reason: str


@dataclass(frozen=True, slots=True)
class TimerFired(Event):
    timer: Timer


# --- results -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepDone(Event):
    """A set-up step worked. `address`: RTP, of the media steps; `sdp`: of ANSWER_MEDIA."""

    step: Step
    address: RtpAddress | None = None
    sdp: str = ""


@dataclass(frozen=True, slots=True)
class StepFailed(Event):
    step: Step
    failure: Failure
    reason: str


@dataclass(frozen=True, slots=True)
class Released(Event):
    """A resource is gone, or was given up after several tries (then the sweep reaps it)."""

    resource: Resource
