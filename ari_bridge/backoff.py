"""How long to wait before the next attempt: twice as long each time, with jitter.

Jitter keeps what failed together from coming back together.
"""

import random

JITTER = 0.25


def delay(failures: int, first: float, longest: float) -> float:
    """Seconds to wait after so many failures in a row (at least 1), without jitter."""
    return min(longest, first * float(1 << max(0, min(failures, 32) - 1)))


def jittered(seconds: float, jitter: float = JITTER) -> float:
    """At random between `seconds` less and more this share of it."""
    return seconds * random.uniform(1 - jitter, 1 + jitter)


class Backoff:
    """The delays of one thing that is retried.

    Args:
        first: seconds after the first failure.
        longest: upper limit in seconds, without jitter.
        jitter: the share by which a delay is shorter or longer at random.
    """

    def __init__(self, first: float, longest: float, *, jitter: float = JITTER) -> None:
        self._first = first
        self._longest = longest
        self._jitter = jitter
        self._failures = 0

    def next(self) -> float:
        """Seconds to wait, after another failure."""
        self._failures += 1
        return jittered(delay(self._failures, self._first, self._longest), self._jitter)

    def reset(self) -> None:
        """It succeeded."""
        self._failures = 0
