"""New call ids, as the server and its clients make them. A client may choose any other, e.g. the number of an order."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32: no i, l, o, u
_TIME_CHARS = 9  # 45 bits of milliseconds: enough until the year 3084
_RANDOM_CHARS = 10  # 50 bits: two calls of one millisecond never meet


def new_call_id(now: float | None = None) -> str:
    """A new call id, 19 characters, sorting by creation time (`now`: Unix seconds)."""
    milliseconds = int((time.time() if now is None else now) * 1000)
    chars = [_ALPHABET[(milliseconds >> 5 * i) & 31] for i in reversed(range(_TIME_CHARS))]
    chars += (secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))
    return "".join(chars)
