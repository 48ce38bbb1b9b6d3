"""Background tasks and waiting with a limit."""

import asyncio

from ari_bridge.tasks import TaskSet, cancel, wait_at_most


async def test_a_task_is_kept_until_it_ends() -> None:
    tasks, done = TaskSet(), asyncio.Event()
    tasks.start(done.wait())
    assert len(tasks) == 1
    done.set()
    await tasks.wait()
    assert len(tasks) == 0


async def test_waiting_for_tasks_ends_in_time_and_swallows_their_errors() -> None:
    async def fail() -> None:
        raise ValueError

    tasks = TaskSet()
    tasks.start(fail())
    tasks.start(asyncio.sleep(60))
    await tasks.wait(0.01)
    assert len(tasks) == 1
    await tasks.cancel()
    assert len(tasks) == 0


async def test_cancelling_waits_for_the_end_of_each() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await cancel(task, None)
    assert ended == [True] and task.cancelled()


async def test_waiting_for_an_event_says_whether_it_came() -> None:
    event = asyncio.Event()
    assert not await wait_at_most(event, 0.01)
    event.set()
    assert await wait_at_most(event, 0.01) and await wait_at_most(event, None)


async def test_what_ends_by_itself_is_not_cancelled() -> None:
    tasks = TaskSet()
    ended = []

    async def query() -> None:
        await asyncio.sleep(0.01)
        ended.append("query")

    tasks.start(query())
    stuck = tasks.start(asyncio.Event().wait())
    await tasks.finish(0.2)
    assert ended == ["query"] and stuck.cancelled() and len(tasks) == 0
    await tasks.finish(0.2)
