"""Few at once, network by network, and a bound on who waits."""

import asyncio

import pytest

from frontend.auth.fair_queue import Crowded, Turns


class Work:
    """What is done in turns: each waits until `finish`."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.running: list[str] = []
        self.most = 0
        self._ends: dict[str, asyncio.Event] = {}

    async def do(self, key: str, name: str, rank: int = 0) -> None:
        self._ends[name] = asyncio.Event()
        async with self._turns.turn(key, rank):
            self.running.append(name)
            self.most = max(self.most, len(self.running))
            await self._ends[name].wait()
            self.running.remove(name)

    async def finish(self) -> str:
        """Ends the one that has run longest."""
        name = self.running[0]
        self._ends[name].set()
        await settle()
        return name


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_networks_take_turns_and_few_run_at_once() -> None:
    work = Work(Turns(2, 100))
    tasks = [asyncio.create_task(work.do("crowd", f"crowd {number}")) for number in range(6)]
    await settle()
    tasks += [asyncio.create_task(work.do(f"home {number}", f"home {number}")) for number in range(2)]
    await settle()
    done = [await work.finish() for _ in range(8)]
    await asyncio.gather(*tasks)
    assert work.most == 2
    assert {"home 0", "home 1"} < set(done[:4]), "nobody waits for all of another network"


async def test_the_longest_queue_gives_way_where_too_many_wait() -> None:
    work = Work(Turns(1, 3))
    crowd = [asyncio.create_task(work.do("crowd", f"crowd {number}")) for number in range(4)]
    await settle()
    one = asyncio.create_task(work.do("home", "home"))
    await settle()
    assert isinstance(crowd[-1].exception(), Crowded)
    for _ in range(4):
        await work.finish()
    await asyncio.gather(*crowd[:-1], one)


@pytest.mark.parametrize("running", [True, False])
async def test_who_gives_up_leaves_its_place_to_the_next(running: bool) -> None:
    work = Work(Turns(1, 10))
    first = asyncio.create_task(work.do("a", "first"))
    await settle()
    second = asyncio.create_task(work.do("b", "second"))
    third = asyncio.create_task(work.do("c", "third"))
    await settle()
    (first if running else second).cancel()
    await settle()
    work.running = [name for name in work.running if not (running and name == "first")]
    while work.running:
        await work.finish()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert third.done() and third.exception() is None


async def test_the_first_rank_goes_first_and_the_last_is_not_forgotten() -> None:
    work = Work(Turns(1, 100))
    tasks = [asyncio.create_task(work.do(f"guesser {number}", f"guesser {number}", 2)) for number in range(10)]
    await settle()
    tasks += [asyncio.create_task(work.do(f"known {number}", f"known {number}", 0)) for number in range(6)]
    await settle()
    done = [await work.finish() for _ in range(16)]
    await asyncio.gather(*tasks)
    assert done[0] == "guesser 0", "it was running"
    assert {f"known {number}" for number in range(6)} < set(done[:10])
    assert 1 <= sum("guesser" in name for name in done[1:9]) <= 3


async def test_those_who_guess_give_way_where_too_many_wait() -> None:
    work = Work(Turns(1, 3))
    guessing = [asyncio.create_task(work.do(f"guesser {number}", f"guesser {number}", 2)) for number in range(4)]
    await settle()
    known = [asyncio.create_task(work.do("home", f"home {number}")) for number in range(3)]
    await settle()
    refused = [task for task in guessing if task.done() and isinstance(task.exception(), Crowded)]
    assert len(refused) == 3 and not any(task.done() for task in known)
    for _ in range(4):
        await work.finish()
    await asyncio.gather(*known, *set(guessing).difference(refused))
