"""The actions of a call: everything that `transitions.step` may decide to do.

The task begins them in order; requests to peers run beside each other, and come back as events. Pure data.
"""

from dataclasses import dataclass

from ari_bridge.fsm.call import Resource, Step, Target
from ari_bridge.fsm.events import ChannelDestroyed, RecordingVerb, Timer
from ari_bridge.fsm.notifications import Notification


@dataclass(frozen=True, slots=True)
class Do:
    """Begin a set-up step. Comes back as StepDone or StepFailed."""

    step: Step
    target: Target = None


@dataclass(frozen=True, slots=True)
class Release:
    """Release a resource. Always comes back as Released."""

    resource: Resource
    target: Target = None


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Send DTMF to the far side and the parties, after the digits that are queued already."""

    digits: str


@dataclass(frozen=True, slots=True)
class RingPages:
    """Decide who rings, and alert their pages. Comes back as PagesRang."""


@dataclass(frozen=True, slots=True)
class CheckRinging:
    """The SIP phones have failed: if no page is open either, decide where the caller goes. Comes back as NobodyRings,
    or not at all.
    """


@dataclass(frozen=True, slots=True)
class StopRinging:
    """`user`: whose pages stop ringing; None: everybody's. `reason`: as in the message `incoming-ended`."""

    user: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class UpdateCaller:
    """Send the ringing pages the caller's new identity."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Start or restart a timer. Comes back as TimerFired unless it is cancelled first.

    If it outlives the process, its deadline is in the call (`Call.deadlines`).
    """

    timer: Timer
    party: int = 0  # of a timer of a party
    ago: float = 0.0  # seconds that it counts as having run already


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: Timer
    party: int = 0


@dataclass(frozen=True, slots=True)
class CancelTimers:
    """Cancel every timer of the call."""


@dataclass(frozen=True, slots=True)
class AskSipStatus:
    """Ask for the final SIP response of the destroyed far channel. Comes back as the same event, without a name."""

    destroyed: ChannelDestroyed


@dataclass(frozen=True, slots=True)
class CheckMedia:
    """Ask rtpengine when the browser's last packet came. Comes back as MediaChecked, with the same `within`."""

    within: float | None = None


@dataclass(frozen=True, slots=True)
class AwaitEarlyMedia:
    """While the call rings, poll rtpengine for sound of the far side. Comes back as EarlyMedia at its first packet.

    Restarted, it polls more often again.
    """


@dataclass(frozen=True, slots=True)
class PlayMusic:
    """Play music on hold into the bridge, or (`on` False) stop it."""

    on: bool


@dataclass(frozen=True, slots=True)
class Mute:
    """Isolate the present media leg from the bridge, in both directions; or (`on` False) end that."""

    on: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Start, pause, resume or stop a recording. Only a failure comes back, as RecordingEnded or RecordingRefused."""

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
    | CheckRinging
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
