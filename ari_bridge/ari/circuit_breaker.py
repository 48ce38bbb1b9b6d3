"""Whether to send new calls to an Asterisk that is stuck or overloaded.

    CLOSED ── 3 timeouts in a row, or slow while many wait ──> OPEN ── 2 s ──> a probe is answered ──> CLOSED
                                                                 └──<── it is not: open for twice as long

It opens and closes for new calls only: requests of existing calls are always sent. Pure: the caller passes the time,
in seconds of one steady clock.
"""

from collections import deque
from statistics import median

MAX_TIMEOUTS = 3
"""Requests in a row without an answer, after which Asterisk counts as stuck. One alone may be one channel's trouble."""
SLOW_S = 1.0
"""A set-up is about five requests in sequence: with slower ones it takes longer than a user waits."""
MIN_CONCURRENT = 12
"""Concurrent requests. Slowness with fewer is not overload, and fewer new calls would not help."""
SAMPLE_COUNT = 15
"""Of the last requests, of which the median is taken."""
FIRST_PAUSE_S, MAX_PAUSE_S = 2.0, 32.0
"""Seconds from opening to the probe; doubled each time that it opens or stays open without a quiet time between."""
QUIET_S = 30.0
"""Once it has been closed for this long, the next failure starts with the first pause. Older samples are ignored."""


class CircuitBreaker:
    """Opens for new calls when requests time out, or are slow while many are under way."""

    def __init__(self) -> None:
        self.reason = ""
        """Why it is open; "" while it is closed."""
        self._timeouts = 0  # in a row
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLE_COUNT)  # when it ended, how long it took
        self._closed_at = float("-inf")  # when it was closed last
        self._pause = FIRST_PAUSE_S
        self._probe_at = 0.0

    @property
    def closed(self) -> bool:
        return not self.reason

    def ended(self, began: float, now: float, *, timed_out: bool, at_once: int) -> None:
        """A request has ended. `at_once`: requests that wait or are under way, including this one."""
        if not self.closed or began < self._closed_at:
            return  # it was sent before the last change, which is known already
        self._timeouts = self._timeouts + 1 if timed_out else 0
        self._samples.append((now, now - began))
        if self._timeouts >= MAX_TIMEOUTS:
            self._open(now, f"it left {self._timeouts} requests in a row without an answer")
        elif at_once >= MIN_CONCURRENT and (seconds := self._median(now)) > SLOW_S:
            self._open(now, f"it takes {seconds:.1f} s for a request, with {at_once} at once")

    def probed(self, now: float, *, answered: bool) -> None:
        """The result of the probe. Closes the breaker, or leaves it open for longer."""
        if self.closed:
            return
        if answered:
            self.reason = ""
            self._forget(now)
        else:
            self._wait(now)

    def reset(self, now: float) -> None:
        """There is a new connection: samples of the last one do not apply."""
        self.reason = ""
        self._pause = FIRST_PAUSE_S
        self._forget(now)

    def until_probe(self, now: float) -> float:
        """Seconds until the next probe; 0 while it is closed."""
        return 0.0 if self.closed else max(0.0, self._probe_at - now)

    def _median(self, now: float) -> float:
        recent = [seconds for ended, seconds in self._samples if now - ended < QUIET_S]
        return median(recent) if len(recent) == SAMPLE_COUNT else 0.0

    def _open(self, now: float, reason: str) -> None:
        if now - self._closed_at > QUIET_S:
            self._pause = FIRST_PAUSE_S
        self.reason = reason
        self._wait(now)

    def _wait(self, now: float) -> None:
        self._probe_at = now + self._pause
        self._pause = min(2 * self._pause, MAX_PAUSE_S)

    def _forget(self, now: float) -> None:
        self._closed_at = now
        self._timeouts = 0
        self._samples.clear()
