"""Unix seconds that are not affected by setting the clock: for durations within one process.

They are those of the wall clock when the process began, and go on by the monotonic clock.
"""

import time

_OFFSET = time.time() - time.monotonic()


def steady() -> float:
    """Now."""
    return time.monotonic() + _OFFSET
