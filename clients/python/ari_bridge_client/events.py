"""What happens in a call, as its client is told, and the bounded log that it is read from. No I/O.

    call ──> Ringing ──> Early ──> Accepted ──> (Hold, Mute, Dtmf, …) ──> Ended
            └──────────┴──────────┴─────────────────────────────────────> Failed

`Ringing`, `Early` and `Accepted` come at most once and in this order; any may be left out. The last is `Ended`, or
`Failed` where the call never stood, or broke: one of them, once. `Reconnecting` is followed by `Reconnected` of the
same `what`, or by the end. What happened while the connection was away comes between, as far as it can still be told.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

from ari_bridge_client.errors import ClientError
from ari_bridge_protocol.messages import PartyState, RecordingState
from ari_bridge_protocol.outcomes import Outcome

KEPT = 256
"""Events of one call. A reader who is further behind gets `Missed` in place of the oldest."""
AS_WANTED = frozenset({Outcome.COMPLETED, Outcome.TRANSFERRED, Outcome.CANCELLED, Outcome.ANSWERED_ELSEWHERE, None})
"""Outcomes with which a call has ended; with all others it has failed."""


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all; `name` is the word that `Call.wait` takes."""

    name: ClassVar[str] = ""


@dataclass(frozen=True, slots=True)
class Ringing(Event):
    """The other side rings. `at`, here and below: Unix seconds of the server's clock, 0 where it did not tell."""

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
    """The call is over, as somebody wanted it. `outcome`: None where nobody could tell. `q850`, `sip`: 0: not known."""

    name: ClassVar[str] = "ended"
    outcome: Outcome | None  # one of `AS_WANTED`
    reason: str = ""  # one short sentence in plain words
    q850: int = 0
    sip: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The call is over, and never stood (busy, no answer, …), or broke (lost, …); fields as in `Ended`."""

    name: ClassVar[str] = "failed"
    outcome: Outcome | None
    reason: str = ""
    q850: int = 0
    sip: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Hold(Event):
    """Our side (`us`), or the other one (`far`), holds the call or takes it up again."""

    name: ClassVar[str] = "hold"
    held: bool
    by: Literal["us", "far"]


@dataclass(frozen=True, slots=True)
class Mute(Event):
    """What we send is silence now, or sound again."""

    name: ClassVar[str] = "mute"
    muted: bool


@dataclass(frozen=True, slots=True)
class Dtmf(Event):
    """The other side pressed keys."""

    name: ClassVar[str] = "dtmf"
    digits: str


@dataclass(frozen=True, slots=True)
class Party(Event):
    """Somebody is called into the call, is in it, or has left it (`ended`). 1 is who was called, or has called."""

    name: ClassVar[str] = "party"
    party: int
    number: str
    display_name: str
    state: PartyState | Literal["ended"]
    outcome: Outcome | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Recording(Event):
    """Whether the call is recorded. `recording`: the name that HTTP knows it by; `reason`: why it failed."""

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
    """The connection to the server (`signalling`), or the call's sound (`media`), is lost and is being made again."""

    name: ClassVar[str] = "reconnecting"
    what: Literal["signalling", "media"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reconnected(Event):
    name: ClassVar[str] = "reconnected"
    what: Literal["signalling", "media"]


@dataclass(frozen=True, slots=True)
class TakenOver(Event):
    """Another page of the user holds the call now: its sound here is over, it can still be commanded."""

    name: ClassVar[str] = "taken_over"


@dataclass(frozen=True, slots=True)
class Missed(Event):
    """This reader was too slow: so many events came and are not kept any more."""

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
NAMES = frozenset(kind.name for kind in CallEvent.__args__)
"""Of all events."""


class EventLog:
    """The last `KEPT` events of one call. Every reader has its own place in it, and none can hold up the call."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[CallEvent] = deque(maxlen=kept)
        self._first = 0  # the number of the oldest that is kept
        self._over = False
        self._latest: dict[str, tuple[int, CallEvent]] = {}  # by name, also of those that are not kept
        self._news = asyncio.Event()  # replaced by each event, so that every waiter wakes once

    @property
    def over(self) -> bool:
        """Whether the last event has come."""
        return self._over

    def add(self, event: CallEvent) -> None:
        """Nothing is added after the end."""
        if self._over:
            return
        if len(self._events) == self._events.maxlen:
            self._first += 1
        self._events.append(event)
        self._latest[event.name] = self._first + len(self._events), event
        self._over = isinstance(event, Ended | Failed)
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self._news.set()
        self._news = asyncio.Event()

    async def change(self) -> None:
        """Until the next `wake`."""
        await self._news.wait()

    def latest(self, *names: str) -> list[CallEvent]:
        """The newest of each of these names, in the order in which they came."""
        found = sorted((self._latest[name] for name in names if name in self._latest), key=lambda one: one[0])
        return [event for _, event in found]

    async def read(self, broken: Callable[[], ClientError | None]) -> AsyncIterator[CallEvent]:
        """Every event from the first on, each once; ends after `Ended` or `Failed`.

        `broken`: why no more will come, which is raised once all others were read.
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
            elif self._over:
                return
            elif error := broken():
                raise error
            else:
                await self.change()
