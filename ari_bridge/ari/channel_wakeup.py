"""Waking a legacy Asterisk, so that a command on a silent channel does not wait for 200 ms.

Asterisk takes up a channel's commands when a frame comes in, or every 200 ms. A channel
that receives no media yet is silent, so `addChannel`, `dial`, `answer` and the like wait.
Reading a function as a channel variable runs at once, and setting TIMEOUT(absolute), the time at
which Asterisk hangs the channel up, queues a null frame on it: so the command is taken up. It is
set to what it is already. `EVAL` is there because only it evaluates `${}`.

Newer Asterisk wakes by itself (asterisk/asterisk issues 362 and 801).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from ari_bridge.errors import PeerError

WAKEUP_VARIABLE = "EVAL(${SET(TIMEOUT(absolute)=${TIMEOUT(absolute)})})"
WAKEUP_DELAYS_S = (0.0008, 0.002, 0.003, 0.006, 0.018)
"""Seconds between wakes while the command waits: it must be queued before the frame, and may miss the first."""

_WAKES_BY_ITSELF = {18: 25, 20: 10, 21: 5}  # major version → first minor

T = TypeVar("T")


def needs_wakeup(version: str) -> bool:
    """Whether that Asterisk is a legacy one. A version that cannot be read counts as one: a wake does no harm."""
    match = re.match(r"(\d+)\.(\d+)", version)
    if not match:
        return True
    major, minor = int(match[1]), int(match[2])
    if major in _WAKES_BY_ITSELF:
        return minor < _WAKES_BY_ITSELF[major]
    return major < 22


async def with_wakeup(command: Coroutine[Any, Any, T], wake: Callable[[], Awaitable[object]]) -> T:
    """The command's result, waking its channel while it waits. Raises what the command raises."""
    waiting = asyncio.ensure_future(command)
    try:
        for delay in WAKEUP_DELAYS_S:
            done, _ = await asyncio.wait({waiting}, timeout=delay)
            if done:
                break
            try:
                await wake()
            except PeerError:
                pass  # the command itself will say what is wrong with its channel
        return await waiting
    except asyncio.CancelledError:
        waiting.cancel()
        raise
