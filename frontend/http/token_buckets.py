"""Token buckets: how often something may be done, in the long run and at once. Memory is bounded.

The package `limits` has windows instead of buckets, and keeps a key for each address that ever asks until its window
ends, however many there are.
"""

import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_second` in the long run, `burst` at once."""

    per_second: float
    burst: float


class TokenBucket:
    """Full at first."""

    __slots__ = ("_filled_at", "_rate", "_tokens", "refused")

    def __init__(self, rate: Rate) -> None:
        self.refused = 0  # consecutive
        self._rate = rate
        self._tokens = rate.burst
        self._filled_at = time.monotonic()

    def take(self) -> float:
        """Take a token. 0.0 if there is one, else the seconds until there is."""
        self._fill()
        if self._tokens < 1:
            self.refused += 1
            return (1 - self._tokens) / self._rate.per_second
        self._tokens -= 1
        self.refused = 0
        return 0.0

    def is_full(self) -> bool:
        self._fill()
        return self._tokens >= self._rate.burst

    def _fill(self) -> None:
        now = time.monotonic()
        self._tokens = min(self._rate.burst, self._tokens + (now - self._filled_at) * self._rate.per_second)
        self._filled_at = now


class TokenBuckets:
    """One bucket for each key.

    A full one is the same as none, so it is forgotten. If there are `most` others, the one that was used least recently
    is forgotten too: its key starts with a full one again.
    """

    def __init__(self, rate: Rate, most: int = MAX_KEYS) -> None:
        self._rate = rate
        self._most = most
        self._buckets: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def of(self, key: Hashable) -> TokenBucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = TokenBucket(self._rate)
            self._forget(bucket)
        self._buckets.move_to_end(key)
        return bucket

    def take(self, key: Hashable) -> float:
        """Take a token of the key. 0.0 if there is one, else the seconds until there is."""
        return self.of(key).take()

    def _forget(self, newest: TokenBucket) -> None:
        for _ in range(2):  # two for each new one: the table shrinks after a flood
            oldest = next(iter(self._buckets.values()))
            if oldest is newest or not (oldest.is_full() or len(self._buckets) > self._most):
                return
            self._buckets.popitem(last=False)
