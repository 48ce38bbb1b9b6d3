"""Calls for half an hour, five at a time, and random faults: nothing may be left, and memory stays flat."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from ari_bridge_client import ClientError
from tests.chaos.browser import browsers
from tests.chaos.front_end import megabytes
from tests.chaos.proxy import Proxy
from tests.chaos.results import Mark, Row, Seen
from tests.chaos.steady_calls import NotHeard, SteadyCalls
from tests.chaos.system import System, system
from tests.real import free_ports

CALLS = 5
ROUND_SECONDS = 8.0  # of talk before and after each fault
GROWTH = 1.15
"""A part whose memory is above this share of what it was after the first quarter is not flat."""
Say = Callable[[str], None]


async def kill_front_end(system: System, talk: SteadyCalls, proxy: Proxy) -> None:
    await system.front_end.kill()
    await system.front_end.start()


async def deploy(system: System, talk: SteadyCalls, proxy: Proxy) -> None:
    await system.front_end.leave()
    await system.front_end.start()


async def cut(system: System, talk: SteadyCalls, proxy: Proxy) -> None:
    await proxy.cut()
    await asyncio.sleep(2.0)
    await proxy.mend()


async def kill_a_node(system: System, talk: SteadyCalls, proxy: Proxy) -> None:
    number = random.randrange(len(system.nodes))
    system.kill_node(number)
    await asyncio.sleep(4.0)
    await system.start_node(number)


async def reload_page(system: System, talk: SteadyCalls, proxy: Proxy) -> None:
    if talk.page:
        await talk.page.page.reload()


async def freeze_front_end(system: System, talk: SteadyCalls, proxy: Proxy) -> None:
    system.front_end.freeze()
    await asyncio.sleep(2.0)
    system.front_end.thaw()


FAULTS: tuple[Callable[[System, SteadyCalls, Proxy], Awaitable[None]], ...] = (
    kill_front_end,
    deploy,
    cut,
    kill_a_node,
    reload_page,
    freeze_front_end,
)
CUTS = (kill_front_end, deploy, cut)
"""Those that end every connection."""


async def soak(folder: Path, seconds: float, say: Say) -> Row:
    """Each round: calls are made, a fault comes, they must be heard again, and are hung up."""
    row = Row("soak", f"soak of {seconds / 60:.0f} min, {CALLS} calls at a time, random faults", Mark())
    memory: list[dict[str, float]] = []
    end = time.monotonic() + seconds
    async with system(folder) as running, browsers(folder / "browser") as made:
        while time.monotonic() < end:
            fault = random.choice(FAULTS)
            [port] = free_ports.ports(1)
            async with (
                Proxy(free_ports.HOST, port, (free_ports.HOST, running.front_end.port)) as proxy,
                SteadyCalls(running, made, url=proxy.url, ws_url=proxy.ws_url) as talk,
            ):
                try:
                    seen = await _round(fault, running, talk, proxy)
                except (ClientError, NotHeard) as error:
                    seen = Seen(calls=CALLS, kept=0, wrong=[f"{fault.__name__}: {error}"])
            seen.left += await running.nothing_left(seconds=40)
            row.seen.append(seen)
            memory.append(_memory(running))
            figures = ", ".join(f"{name} {value:.0f} MB" for name, value in memory[-1].items())
            say(f"  soak {fault.__name__}: {seen.kept}/{seen.calls} kept, left {len(seen.left)}; {figures}")
    row.seen[-1].wrong += _grown(memory)
    row.seen[-1].told |= memory[-1]
    return row


async def _round(
    fault: Callable[[System, SteadyCalls, Proxy], Awaitable[None]], system: System, talk: SteadyCalls, proxy: Proxy
) -> Seen:
    await talk.stand(phones=CALLS - 1, page=True)
    await asyncio.sleep(ROUND_SECONDS)
    before = talk.connections()
    began = time.time()
    await fault(system, talk, proxy)
    await talk.reconnected(before if fault in CUTS else 0)
    await talk.heard_since(time.time(), seconds=20)
    await asyncio.sleep(ROUND_SECONDS)
    seen = await talk.seen(began)
    await talk.hang_up_all(seen)
    return seen


def _memory(system: System) -> dict[str, float]:
    parts = {"front end": system.front_end.pid, "Asterisk": system.pbx.asterisk.pid}
    parts |= {f"rtpengine {number}": node.pid for number, node in enumerate(system.nodes, start=1)}
    return {name: megabytes(pid) for name, pid in parts.items()}


def _grown(memory: list[dict[str, float]]) -> list[str]:
    """The parts that need more and more: the last against what stood after a quarter of the time."""
    first = memory[len(memory) // 4]
    return [
        f"{name} grew from {first[name]:.0f} to {last:.0f} MB"
        for name, last in memory[-1].items()
        if last > first[name] * GROWTH + 5
    ]
