"""Leaves no call behind: what a test hangs up at its end, so that nothing of it is left in a peer."""

import asyncio
import time

from ari_bridge.engine.call_manager import CallManager
from ari_bridge.fsm.events import HungUp

HANG_UP_TIMEOUT_S = 5.0


async def hang_up_all(calls: CallManager) -> None:
    """Hang up every call, and wait until each is released. Raises TimeoutError."""
    tasks = calls._registry.tasks
    for task in list(tasks.values()):
        task.post(HungUp(time.time()))
    async with asyncio.timeout(HANG_UP_TIMEOUT_S):
        while any(not task._closed for task in tasks.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
