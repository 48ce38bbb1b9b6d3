"""The call store cannot write: its disk is full, or another process holds its file."""

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from ari_bridge_client import ClientError
from tests.chaos.browser import browsers
from tests.chaos.case import Case, Run
from tests.chaos.network import run as command
from tests.chaos.results import Mark, Seen
from tests.chaos.steady_calls import SteadyCalls
from tests.chaos.system import System, system
from tests.real.parts import require_installed

DISK = "size=2m"
FAULT_SECONDS = 3.0
Fault = Callable[[System], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def disk_full(system: System) -> AsyncIterator[None]:
    """Not a byte is left where the store is."""
    filler = system.front_end.state / "filler"
    await asyncio.to_thread(_fill, filler)
    try:
        yield
    finally:
        filler.unlink()


def _fill(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass


@asynccontextmanager
async def locked(system: System) -> AsyncIterator[None]:
    """Another process writes to the store's file and does not end."""
    other = sqlite3.connect(system.front_end.state / "calls.sqlite3", isolation_level=None, check_same_thread=False)
    try:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield
        await asyncio.to_thread(other.execute, "ROLLBACK")
    finally:
        other.close()


async def _through(fault: Fault, talk: SteadyCalls, system: System) -> Seen:
    """Calls of before go on, calls of meanwhile work, and after a kill -9 and a start all that stand are known."""
    await talk.stand(phones=3, page=True)
    began = time.time()
    wrong = []
    words = len(system.front_end.log.read_text())
    async with fault(system):
        ended = talk.lines[1]
        await talk.hang_up(ended)
        try:
            await talk.add_phone(30)
        except ClientError as error:
            wrong.append(f"a new call was refused: {error}")
        await asyncio.sleep(FAULT_SECONDS)
        health = await system.front_end.get("/health")
    if "store" not in str(health) or "'ok': False" not in str(health):
        wrong.append(f"the operator is not told: {health}")
    if "cannot write the call store" not in system.front_end.log.read_text()[words:]:
        wrong.append("the log does not say so")
    await _well_again(system)
    before = talk.connections()
    await system.front_end.kill()
    await system.front_end.start()
    await talk.reconnected(before)
    await asyncio.sleep(1.0)
    await talk.heard_since(time.time())
    seen = await talk.seen(began)
    seen.wrong += wrong
    assert ended.call
    if any(call["callId"] == ended.call.id for call in (await system.front_end.get("/live"))["calls"]):
        seen.wrong.append("a call that had ended was adopted")
    await talk.hang_up_all(seen)
    return seen


async def _well_again(system: System) -> None:
    """The store may take a moment until it tries again."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if await system.front_end.health() == 200:
            return
        await asyncio.sleep(0.1)


def with_store(fault: Fault) -> Callable[[Path], AbstractAsyncContextManager[Run]]:
    """The store stands on a small disk of its own."""

    @asynccontextmanager
    async def open_(folder: Path) -> AsyncIterator[Run]:
        require_installed(os.geteuid() == 0, "root, who may mount a small disk,")
        state = folder / "state"
        state.mkdir(parents=True)
        await command("mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(state))
        try:
            async with system(folder) as running, browsers(folder / "browser") as made:

                async def run() -> Seen:
                    async with SteadyCalls(running, made) as talk:
                        seen = await _through(fault, talk, running)
                    seen.left += await running.nothing_left()
                    return seen

                yield run
        finally:
            await command("umount", "--lazy", str(state))

    return open_


DISK_FULL = Case("disk-full", "the store's disk is full", Mark(far=0.04, browser=0.04), with_store(disk_full))
LOCKED = Case("locked", "the store's file is locked", Mark(far=0.04, browser=0.04), with_store(locked), quick=False)
