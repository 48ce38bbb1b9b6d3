"""The events of a call, and the bounded log that they are read from. No I/O.

    call ──> Ringing ──> Early ──> Accepted ──> (Hold, Mute, Dtmf, …) ──> Ended
            └──────────┴──────────┴─────────────────────────────────────> Failed

`Ringing`, `Early` and `Accepted` come at most once and in this order; any may be left out. The last is `Ended`, or
`Failed` if the call was never answered, or broke: one of them, once. `Reconnecting` is followed by `Reconnected` of the
same `what`, or by the end. What happened while the connection was lost comes between, as far as it can be known.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from ari_bridge_client.errors import ClientError
from ari_bridge_protocol.messages import PartyState, RecordingState
from ari_bridge_protocol.outcomes import Outcome

MAX_EVENTS = 256
"""Of one call. A reader that is further behind gets `Missed` in place of the oldest."""
NORMAL_OUTCOMES = frozenset(
    {Outcome.COMPLETED, Outcome.TRANSFERRED, Outcome.CANCELLED, Outcome.ANSWERED_ELSEWHERE, None}
)
"""Those with which a call has `Ended`; with all others it has `Failed`."""


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all; `name` is what `Call.wait_for` takes."""

    name: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Ringing(Event):
    """The other side rings. `at`, here and below: Unix seconds of the server's clock; 0 if it is not known."""

    name: ClassVar[str] = "ringing"
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Early(Event):
    """The other side sends sound before it answers: an announcement, a ring of its own."""

    name: ClassVar[str] = "early"
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Accepted(Event):
    name: ClassVar[str] = "accepted"
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended(Event):
    """The call has ended normally. `outcome`: None if it is not known. `q850`, `sip`: 0 if they are not known."""

    name: ClassVar[str] = "ended"
    outcome: Outcome | None  # one of `NORMAL_OUTCOMES`
    reason: str = ""  # one short sentence in plain words
    q850: int = 0
    sip: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The call was never answered (busy, no answer, …), or broke (lost, …). Fields as in `Ended`."""

    name: ClassVar[str] = "failed"
    outcome: Outcome | None
    reason: str = ""
    q850: int = 0
    sip: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Hold(Event):
    """Our side (`us`), or the other one (`far`), puts the call on hold or takes it back."""

    name: ClassVar[str] = "hold"
    held: bool
    by: Literal["us", "far"]


@dataclass(frozen=True, slots=True)
class Mute(Event):
    """We send silence from now on, or sound again."""

    name: ClassVar[str] = "mute"
    muted: bool


@dataclass(frozen=True, slots=True)
class Dtmf(Event):
    """The other side pressed keys."""

    name: ClassVar[str] = "dtmf"
    digits: str


@dataclass(frozen=True, slots=True)
class Party(Event):
    """A party is being called into the call, is in it, or has left it (`ended`). Party 1 was called, or has called."""

    name: ClassVar[str] = "party"
    party: int
    number: str
    display_name: str
    state: PartyState | Literal["ended"]
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recording(Event):
    """Whether the call is recorded. `recording`: its name in the HTTP API; `reason`: why it failed."""

    name: ClassVar[str] = "recording"
    state: RecordingState
    recording: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Transferred(Event):
    """The other party talks to `target` now; `Ended` follows."""

    name: ClassVar[str] = "transferred"
    target: str


@dataclass(frozen=True, slots=True)
class TransferFailed(Event):
    """The other party is back."""

    name: ClassVar[str] = "transfer_failed"
    target: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reconnecting(Event):
    """The connection to the server (`signalling`), or the call's media (`media`), are lost and are being restored."""

    name: ClassVar[str] = "reconnecting"
    what: Literal["signalling", "media"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reconnected(Event):
    name: ClassVar[str] = "reconnected"
    what: Literal["signalling", "media"]


@dataclass(frozen=True, slots=True)
class TakenOver(Event):
    """Another client of the user has the call now: its media here are closed, it can still be controlled."""

    name: ClassVar[str] = "taken_over"


@dataclass(frozen=True, slots=True)
class Missed(Event):
    """This reader was too slow: that many events are not kept any more."""

    name: ClassVar[str] = "missed"
    events: int


CallEvent = (
    Ringing
    | Early
    | Accepted
    | Ended
    | Failed
    | Hold
    | Mute
    | Dtmf
    | Party
    | Recording
    | Transferred
    | TransferFailed
    | Reconnecting
    | Reconnected
    | TakenOver
    | Missed
)
EVENT_NAMES = frozenset(kind.name for kind in CallEvent.__args__)
"""The names of all events."""


class EventLog:
    """The last events of one call. Every reader has its own position in it, and none can block the call.

    Args:
        max_events: How many are kept.
    """

    def __init__(self, max_events: int = MAX_EVENTS) -> None:
        self._events: deque[CallEvent] = deque(maxlen=max_events)
        self._first = 0  # the number of the oldest that is kept
        self._ended = False
        self._latest: dict[str, tuple[int, CallEvent]] = {}  # by name, also those that are not kept
        self._changed = asyncio.Event()  # replaced by each event, so that every waiter wakes once

    @property
    def ended(self) -> bool:
        """Whether the last event has come."""
        return self._ended

    def add(self, event: CallEvent) -> None:
        """Nothing is added after the end."""
        if self._ended:
            return
        if len(self._events) == self._events.maxlen:
            self._first += 1
        self._events.append(event)
        self._latest[event.name] = self._first + len(self._events), event
        self._ended = isinstance(event, Ended | Failed)
        self.notify()

    def notify(self) -> None:
        """Wake every waiter."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_for_change(self) -> None:
        """Wait until the next `notify`."""
        await self._changed.wait()

    def latest(self, *names: str) -> list[CallEvent]:
        """The newest of each of these names, in the order in which they came."""
        found = sorted((self._latest[name] for name in names if name in self._latest), key=lambda one: one[0])
        return [event for _, event in found]

    async def read(self, failure: Callable[[], ClientError | None]) -> AsyncIterator[CallEvent]:
        """Every event from the first on, each once; ends after `Ended` or `Failed`.

        Args:
            failure: Why no more will come; it is raised once all others were read.
        """
        number = 0
        while True:
            if number < self._first:
                missed, number = self._first - number, self._first
                yield Missed(missed)
            elif number < self._first + len(self._events):
                event = self._events[number - self._first]
                number += 1
                yield event
            elif self._ended:
                return
            elif error := failure():
                raise error
            else:
                await self.wait_for_change()
