"""What a call wants done: every action that `transitions.step` returns.

The task executes them in order; those that wait for a peer run beside each other
and come back as events. Pure data.
"""

from dataclasses import dataclass

from ari_bridge.fsm.call import Resource, Step
from ari_bridge.fsm.events import ChannelDestroyed, RecordingVerb, Timer
from ari_bridge.fsm.notifications import Notification


@dataclass(frozen=True, slots=True)
class Do:
    """Begin a set-up step. Comes back as StepDone or StepFailed.

    `leg`, here and below: the number of the media leg, or of the party; 0 for what belongs to none.
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
class UpdateCaller:
    """Send the ringing pages the caller's new identity."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Starts, or starts anew. Comes back as TimerFired unless CancelTimers comes first.

    When it is over stands in the call (`Call.deadlines`), where it outlives the process.
    """

    timer: Timer
    party: int = 0  # whose, of a timer of a party
    ago: float = 0.0  # it has run for so many seconds already


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: Timer
    party: int = 0


@dataclass(frozen=True, slots=True)
class CancelTimers:
    pass


@dataclass(frozen=True, slots=True)
class AskSipStatus:
    """Find out the final SIP response of the far channel that is `gone`. Comes back as that event, without a name."""

    gone: ChannelDestroyed


@dataclass(frozen=True, slots=True)
class CheckMedia:
    """Ask rtpengine when the browser was last heard. Comes back as MediaChecked, with the same `within`."""

    within: float | None = None


@dataclass(frozen=True, slots=True)
class AwaitEarlyMedia:
    """Ask rtpengine, for as long as the call rings, whether sound of the far side comes: EarlyMedia, once it does.

    Begun anew, it asks more often again.
    """


@dataclass(frozen=True, slots=True)
class PlayMusic:
    """Let the far side hear music, or (`on` False) no more."""

    on: bool


@dataclass(frozen=True, slots=True)
class Mute:
    """Let nothing through between the present media leg and the bridge, either way; or (`on` False) all again."""

    on: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Ask Asterisk. Only a start that fails comes back, as RecordingEnded."""

    verb: RecordingVerb
    name: str


@dataclass(frozen=True, slots=True)
class Notify:
    """Notify the listeners."""

    notification: Notification


Action = (
    Do
    | Release
    | SendDigits
    | RingPages
    | StopRinging
    | UpdateCaller
    | StartTimer
    | CancelTimer
    | CancelTimers
    | AskSipStatus
    | CheckMedia
    | AwaitEarlyMedia
    | PlayMusic
    | Mute
    | Record
    | Notify
)
