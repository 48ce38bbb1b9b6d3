"""Background tasks, and waiting with a limit.

asyncio keeps only weak references to tasks: one that nothing else refers to may be garbage-collected before it ends.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class WakeUp:
    """Wakes one task that waits for it. For the running event loop only."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Until it is set, or was since the last wait; for at most `seconds`."""
        await wait_at_most(self._event, seconds)
        self._event.clear()


class TaskSet:
    """Keeps a reference to each of its tasks until it ends. For the running event loop only."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        """How many have not ended."""
        return len(self._tasks)

    def start(self, work: Coroutine[Any, Any, T], *, name: str | None = None) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until all of them have ended, however they end, for at most `seconds`."""
        if self._tasks:
            ended, _ = await asyncio.wait(self._tasks, timeout=seconds)
            await asyncio.gather(*ended, return_exceptions=True)

    async def finish(self, within: float) -> None:
        """As the function `finish`, of all of them."""
        await finish(*self._tasks, within=within)

    async def cancel(self) -> None:
        """Cancel all of them, and wait until they have ended."""
        await cancel(*self._tasks)


async def finish(*tasks: "asyncio.Task[Any] | None", within: float) -> None:
    """Wait until the tasks have ended by themselves; those that have not after `within` seconds are cancelled.

    For tasks that use a database: a query that is cancelled leaves its connection behind. None is skipped.
    """
    existing = [task for task in tasks if task]
    if existing:
        await asyncio.wait(existing, timeout=within)
    await cancel(*existing)


async def cancel(*tasks: "asyncio.Task[Any] | None") -> None:
    """Cancel the tasks, and wait until they have ended. None is skipped."""
    existing = [task for task in tasks if task]
    for task in existing:
        task.cancel()
    await asyncio.gather(*existing, return_exceptions=True)


async def wait_at_most(event: asyncio.Event, seconds: float | None) -> bool:
    """Wait until the event is set, for at most `seconds` (None: without a limit). Returns whether it is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
