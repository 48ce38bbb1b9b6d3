"""What is known of a node's condition, and which node is to take a call.

Pure: who uses it passes the time, in seconds of one steady clock.

    UNKNOWN ── answered ──> UP ── 2 pings unanswered, or nobody listens ──> DOWN ── 2 answers ──> UP
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

MISSES = 2
"""Pings in a row without an answer, after which a node is down."""
ANSWERS = 2
"""Answers in a row, after which it is up again: one may be the last of a dying machine."""

FAILURES = 3
"""Failed offers in a row, after which a node gets no new calls for a while, although it answers pings."""
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 40.0
"""Seconds without new calls; doubled each time that the call which tries it then fails too."""


class State(Enum):
    UNKNOWN = "unknown"  # nothing was heard of it yet
    UP = "up"
    DOWN = "down"


class NodeMonitor:
    """Up or down, by answers and their absence. Each method tells whether the state has changed.

    `reason`: why it is down, in words; "" while it is not.
    """

    def __init__(self) -> None:
        self.state = State.UNKNOWN
        self.reason = ""
        self._misses = 0  # in a row
        self._answers = 0  # in a row, while it is down
        self._doubted = False

    @property
    def suspect(self) -> bool:
        """Something was left without an answer, and nothing was answered since."""
        return self._misses > 0 or self._doubted

    def doubt(self) -> None:
        """A command was not answered: that is for the next ping to judge."""
        self._doubted = True

    def answered(self) -> bool:
        """It answered a ping or a command."""
        self._misses, self._doubted = 0, False
        self._answers += 1
        if self.state is State.UP or (self.state is State.DOWN and self._answers < ANSWERS):
            return False
        return self.worked()

    def worked(self) -> bool:
        """It did what a call needs: there is no better proof."""
        self._misses = self._answers = 0
        self._doubted = False
        changed = self.state is not State.UP
        self.state, self.reason = State.UP, ""
        return changed

    def missed(self, reason: str) -> bool:
        """A ping was not answered."""
        self._answers = 0
        self._misses += 1
        return self._misses >= MISSES and self._fall(reason)

    def refused(self, reason: str) -> bool:
        """Its machine says that nobody listens there: its sessions are gone for certain."""
        self._answers = 0
        return self._fall(reason)

    def _fall(self, reason: str) -> bool:
        changed = self.state is not State.DOWN
        self.state, self.reason = State.DOWN, reason
        return changed


class Breaker:
    """Whether a node that answers pings does what calls need as well, by the offers that it was given."""

    def __init__(self) -> None:
        self._failures = 0  # in a row
        self._pause = FIRST_PAUSE
        self._until = 0.0

    @property
    def open(self) -> bool:
        """The last offers have all failed."""
        return self._failures >= FAILURES

    def failed(self, now: float) -> bool:
        """An offer was not answered, or was refused and another node took it. Whether a pause begins with it."""
        self._failures += 1
        if not self.open or now < self._until:
            return False
        self._until = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        return True

    def worked(self) -> None:
        self._failures, self._pause, self._until = 0, FIRST_PAUSE, 0.0

    def lets_in(self, now: float, at_once: int) -> bool:
        """Whether an offer may be sent. `at_once`: those under way; after a pause one alone tries it."""
        return not self.open or (now >= self._until and at_once == 0)


@dataclass(frozen=True)
class NodeReport:
    """For people. `state`: up, down, draining or unknown; `seconds`: the last ping's, or None.

    `sessions`: ours; `transcoded`: how many of all are Opus on one side and PCMU on the other.
    """

    address: str
    weight: int
    state: str
    reason: str
    sessions: int
    seconds: float | None
    transcoded: int = 0

    @property
    def takes_calls(self) -> bool:
        return self.state == State.UP.value


class Loaded(Protocol):
    @property
    def load(self) -> int:
        """Sessions."""

    @property
    def weight(self) -> int: ...


N = TypeVar("N", bound=Loaded)


def least_loaded(nodes: Iterable[N]) -> N | None:
    """Where one session more weighs least; of equals the first. None where there is no node."""
    return min(nodes, key=lambda node: (node.load + 1) / node.weight, default=None)
