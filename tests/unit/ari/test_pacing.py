"""Which request goes next."""

import asyncio

import pytest

from ari_bridge.ari.http import MAX_CONNECTIONS
from ari_bridge.ari.priority_semaphore import CONCURRENCY, Priority, PrioritySemaphore

RELEASE, STANDING, NEW = Priority.RELEASE, Priority.STANDING, Priority.NEW


class Queue:
    """`order`: what got its turn, in order."""

    def __init__(self, limits: dict[Priority, int]) -> None:
        self.semaphore = PrioritySemaphore(limits)
        self.order: list[str] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def ask(self, name: str, priority: Priority) -> None:
        self._tasks[name] = asyncio.create_task(self._enter(name, priority))
        await asyncio.sleep(0)

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.gather(self._tasks[name], return_exceptions=True)

    async def release(self) -> None:
        self.semaphore.release()
        await asyncio.sleep(0)

    async def _enter(self, name: str, priority: Priority) -> None:
        if not self.semaphore.try_acquire(priority):
            await self.semaphore.acquire(priority)
        self.order.append(name)


@pytest.fixture
async def queue() -> Queue:
    return Queue({RELEASE: 3, STANDING: 2, NEW: 1})


async def test_what_ends_goes_before_what_stands_and_that_before_what_begins(queue: Queue) -> None:
    for number in range(3):
        assert queue.semaphore.try_acquire(RELEASE) or number == 3
    for name, priority in (("new", NEW), ("standing", STANDING), ("release", RELEASE)):
        await queue.ask(name, priority)
    assert queue.order == [] and queue.semaphore.waiting == 3
    for _ in range(5):
        await queue.release()
    assert queue.order == ["release", "standing", "new"]


async def test_set_ups_leave_a_place_for_releases(queue: Queue) -> None:
    await queue.ask("new", NEW)
    await queue.ask("second", NEW)
    await queue.ask("standing", STANDING)
    await queue.ask("release", RELEASE)
    assert queue.order == ["new", "standing", "release"]


async def test_first_come_first_served_among_equals(queue: Queue) -> None:
    for name in "abc":
        await queue.ask(name, NEW)
    for _ in range(2):
        await queue.release()
    assert queue.order == ["a", "b", "c"]


async def test_who_gives_up_is_passed_over(queue: Queue) -> None:
    for name in "abc":
        await queue.ask(name, NEW)
    await queue.give_up("b")
    await queue.release()
    assert queue.order == ["a", "c"]
    await queue.release()
    assert queue.semaphore.under_way == 0 == queue.semaphore.waiting


async def test_a_place_given_to_one_that_gives_up_in_the_same_moment_goes_on(queue: Queue) -> None:
    for name in "abc":
        await queue.ask(name, NEW)
    queue.semaphore.release()  # b's turn has come, but it has not run yet
    await queue.give_up("b")
    await asyncio.sleep(0)
    assert queue.order == ["a", "c"]
    assert queue.semaphore.under_way == 1


async def test_one_that_was_cancelled_but_has_not_run_yet_takes_no_place(queue: Queue) -> None:
    await queue.ask("a", NEW)
    waiting = asyncio.create_task(queue.semaphore.acquire(NEW))
    await asyncio.sleep(0)
    waiting.cancel()
    queue.semaphore.release()
    await asyncio.gather(waiting, return_exceptions=True)
    assert queue.semaphore.under_way == 0 == queue.semaphore.waiting


def test_requests_and_their_wakes_find_a_connection_each() -> None:
    assert CONCURRENCY[RELEASE] + CONCURRENCY[STANDING] < MAX_CONNECTIONS
    assert CONCURRENCY[NEW] < CONCURRENCY[STANDING] < CONCURRENCY[RELEASE]
