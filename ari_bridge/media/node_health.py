"""The condition of an rtpengine, and which one is to take a call.

Pure: the caller passes the time, in seconds of one steady clock.

    UNKNOWN ── answered ──> UP ── 2 pings unanswered, or port closed ──> DOWN ── 2 answers ──> UP
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

MAX_MISSES = 2
"""Pings in a row without an answer, after which a node is down."""
MIN_ANSWERS = 2
"""Answers in a row, after which it is up again: a single one may be the last of a dying machine."""

MAX_FAILURES = 3
"""Failed offers in a row, after which a node gets no new calls for a while, although it answers pings."""
FIRST_PAUSE_S, MAX_PAUSE_S = 5.0, 40.0
"""Without new calls; doubled each time that the call which tries it then fails too."""


class State(Enum):
    UNKNOWN = "unknown"  # it has not answered yet, and has not failed to
    UP = "up"
    DOWN = "down"


class NodeHealth:
    """Up or down, by answers and their absence. Each method returns whether the state has changed."""

    def __init__(self) -> None:
        self.state = State.UNKNOWN
        self.reason = ""
        """Why it is down, in words; "" while it is not."""
        self._misses = 0  # in a row
        self._answers = 0  # in a row, while it is down
        self._suspected = False

    @property
    def suspect(self) -> bool:
        """Whether it has left something unanswered, and has not answered anything since."""
        return self._misses > 0 or self._suspected

    def mark_suspect(self) -> None:
        """A command was not answered: the next ping decides."""
        self._suspected = True

    def answered(self) -> bool:
        """It answered a ping or a command."""
        self._misses, self._suspected = 0, False
        self._answers += 1
        if self.state is State.UP or (self.state is State.DOWN and self._answers < MIN_ANSWERS):
            return False
        return self.worked()

    def worked(self) -> bool:
        """A call command succeeded: mark the node up at once."""
        self._misses = self._answers = 0
        self._suspected = False
        changed = self.state is not State.UP
        self.state, self.reason = State.UP, ""
        return changed

    def missed(self, reason: str) -> bool:
        """A ping was not answered."""
        self._answers = 0
        self._misses += 1
        return self._misses >= MAX_MISSES and self._mark_down(reason)

    def port_closed(self, reason: str) -> bool:
        """ICMP says that no process listens on the port: its sessions are lost for certain."""
        self._answers = 0
        return self._mark_down(reason)

    def _mark_down(self, reason: str) -> bool:
        changed = self.state is not State.DOWN
        self.state, self.reason = State.DOWN, reason
        return changed


class OfferBreaker:
    """A circuit breaker: whether a node that answers pings does what calls need as well, by the offers it was sent."""

    def __init__(self) -> None:
        self._failures = 0  # in a row
        self._pause_s = FIRST_PAUSE_S
        self._until = 0.0

    @property
    def open(self) -> bool:
        """Whether the last offers have all failed."""
        return self._failures >= MAX_FAILURES

    def failed(self, now: float) -> bool:
        """An offer was not answered, or was refused and another node accepted it. Returns whether a pause starts."""
        self._failures += 1
        if not self.open or now < self._until:
            return False
        self._until = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, MAX_PAUSE_S)
        return True

    def succeeded(self) -> None:
        self._failures, self._pause_s, self._until = 0, FIRST_PAUSE_S, 0.0

    def allows(self, now: float, pending_offers: int) -> bool:
        """Whether an offer may be sent. After a pause, only one offer at a time is."""
        return not self.open or (now >= self._until and pending_offers == 0)


@dataclass(frozen=True)
class NodeReport:
    """For operators.

    Attributes:
        state: up, down, draining or unknown.
        reason: why it is down, or gets no new calls.
        sessions: ours.
        seconds: how long the last ping took; None if it is not up.
        transcoded: sessions, ours and others', that it transcodes between Opus and PCMU.
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
    """The node on which one more session weighs least; of equals the first. None if there are no nodes."""
    return min(nodes, key=lambda node: (node.load + 1) / node.weight, default=None)
