"""How many messages a client may send: a bucket that fills with time."""

import time

RATE, BURST = 50.0, 100.0
"""Messages a second that a client may send for long, and at once. What is more gets an error."""
FLOOD = 1000
"""So many messages in a row over the rate close the connection (1008)."""


class TokenBucket:
    def __init__(self) -> None:
        self.over = 0  # messages in a row that were too many
        self._tokens = BURST
        self._at = time.monotonic()

    def allow(self) -> bool:
        """Whether one more message may be taken now."""
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._at) * RATE)
        self._at = now
        if self._tokens < 1:
            self.over += 1
            return False
        self._tokens -= 1
        self.over = 0
        return True
