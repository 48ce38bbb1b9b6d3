"""How long to wait before the next attempt. Pure but for the jitter, which keeps many clients from coming at once."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ari_bridge_client.errors import ClientError

MIN_PAUSE_S, MAX_PAUSE_S = 0.25, 5.0
"""Between attempts: it doubles from the first to the second."""
MAX_RETRY_AFTER_S = 60.0
"""A server that asks for a longer pause is tried again all the same."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long an HTTP request may take.

    Attributes:
        attempt_timeout: Seconds for one response.
        total_timeout: Seconds for all attempts and the pauses between them.
    """

    attempt_timeout: float = 10.0
    total_timeout: float = 30.0


def backoff() -> Iterator[float]:
    """Seconds between attempts, each with a jitter of up to a half."""
    pause = MIN_PAUSE_S
    while True:
        yield pause * random.uniform(1.0, 1.5)
        pause = min(MAX_PAUSE_S, pause * 2)


def wait_after(error: ClientError, pause: float) -> float:
    """Seconds to the next attempt: `pause`, or what the server asked for with a jitter of up to a half."""
    return max(pause, min(error.retry_after, MAX_RETRY_AFTER_S) * random.uniform(1.0, 1.5))


def parse_retry_after(headers: Mapping[str, str] | None) -> float:
    """RFC 9110 section 10.2.3, in seconds; 0 if there is none, or a date, which the server does not send."""
    value = (headers or {}).get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0.0
