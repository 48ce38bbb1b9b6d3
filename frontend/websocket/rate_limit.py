"""The rate limit of a client's WebSocket messages: a token bucket. Sign-ins are limited in `auth/sign_in_pace.py`."""

import time

RATE_PER_S, BURST = 50.0, 100.0
"""Messages that a client may send per second in the long run, and at once. Those above it get an error."""
MAX_EXCESS_MESSAGES = 1000
"""Consecutive messages above the rate; more close the connection (1008)."""


class TokenBucket:
    """Fills at a constant rate.

    Args:
        rate: Tokens per second.
        burst: Tokens that it holds at most, and at first.
    """

    def __init__(self, rate: float = RATE_PER_S, burst: float = BURST) -> None:
        self.refused = 0  # consecutive
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._filled_at = time.monotonic()

    def take(self) -> bool:
        """Take a token, if there is one."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        self.refused = 0
        return True
