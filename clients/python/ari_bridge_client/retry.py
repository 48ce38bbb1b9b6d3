"""How long to wait before the next try. Pure but for the dice, which keep many clients from coming at once."""

import random
from collections.abc import Iterator, Mapping

from ari_bridge_client.errors import ClientError

FIRST, LONGEST = 0.25, 5.0
"""Seconds between tries: it doubles from the first to the longest."""
LONGEST_WAIT = 60.0
"""Seconds: a server that asks for more is tried all the same."""


def backoff() -> Iterator[float]:
    """Seconds between tries, each up to a half longer."""
    pause = FIRST
    while True:
        yield pause * random.uniform(1.0, 1.5)
        pause = min(LONGEST, pause * 2)


def wait_after(error: ClientError, pause: float) -> float:
    """Seconds to the next try: `pause`, or as long as the server asked for, and up to a half longer: so were others."""
    return max(pause, min(error.retry_after, LONGEST_WAIT) * random.uniform(1.0, 1.5))


def retry_after(headers: Mapping[str, str] | None) -> float:
    """RFC 9110 section 10.2.3, in seconds; 0 where there is none, or a date, which the server does not send."""
    value = (headers or {}).get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0.0
