"""What a call wants done: every action that `transitions.step` returns.

The task executes them in order; those that wait for a peer run beside each other
and come back as events. Pure data.
"""

from dataclasses import dataclass

from ari_bridge.calls.events import Timer
from ari_bridge.calls.state import Resource, Step


@dataclass(frozen=True, slots=True)
class Do:
    """Begin a set-up step. Comes back as StepDone or StepFailed.

    `leg`, here and below: the media leg's number, 0 for what belongs to none.
    """

    step: Step
    leg: int = 0


@dataclass(frozen=True, slots=True)
class Release:
    """Release a resource. Comes back as Released, whatever happens."""

    resource: Resource
    leg: int = 0


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Send DTMF to the far side, after those that were asked for before."""

    digits: str


@dataclass(frozen=True, slots=True)
class RingPages:
    """Tell the pages of the called user. Comes back as PagesRang."""


@dataclass(frozen=True, slots=True)
class StopRinging:
    """`user`: whose pages stop, None for all. `reason`: as in the message `incoming-ended`."""

    user: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Starts, or starts anew. Comes back as TimerFired unless CancelTimers comes first."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: Timer


@dataclass(frozen=True, slots=True)
class CancelTimers:
    pass


@dataclass(frozen=True, slots=True)
class CheckMedia:
    """Ask rtpengine when the browser was last heard. Comes back as MediaChecked."""


@dataclass(frozen=True, slots=True)
class PlayMusic:
    """Let the far side hear music, or (`on` False) no more."""

    on: bool


@dataclass(frozen=True, slots=True)
class AskOffer:
    """Tell the page that its media is lost, and that a new offer is needed."""

    reason: str


@dataclass(frozen=True, slots=True)
class TellMedia:
    """Give the SDP answer to who listens."""


@dataclass(frozen=True, slots=True)
class TellState:
    """Give the state to who listens."""


@dataclass(frozen=True, slots=True)
class TellDigit:
    digit: str


@dataclass(frozen=True, slots=True)
class TellHold:
    held: bool


Action = (
    Do
    | Release
    | SendDigits
    | RingPages
    | StopRinging
    | StartTimer
    | CancelTimer
    | CancelTimers
    | CheckMedia
    | PlayMusic
    | AskOffer
    | TellMedia
    | TellState
    | TellDigit
    | TellHold
)
