"""Unix seconds that nobody sets: to tell how long ago something was, in one process.

They are those of the wall clock when the process began, and go on by the monotonic clock.
"""

import time

_OFFSET = time.time() - time.monotonic()


def steady() -> float:
    """Now."""
    return time.monotonic() + _OFFSET
