"""Whole calls on the real parts, ours and the least script's in turn, each phase timed where it can be seen."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ari_bridge_client import Client, ClientError
from tests.bench.browser import Browser, flowing
from tests.bench.far import FarPhone
from tests.bench.observer import Observer
from tests.bench.servers import Server

CALL_SECONDS = 10.0
SETTLED = 0.15
"""Seconds from the browser's first packets to the far side's answer, and from the end of a call to the next."""
WARM_UP = 2
"""Calls of each server that are not counted: the first ones open connections."""
HZ = 1000.0

INVITE, ANSWER, BRIDGED, HEARD, CPU, CPU_BUSY = "invite", "answer", "bridged", "heard", "cpu", "cpu_busy"


@dataclass
class Measured:
    """One server's values, in milliseconds, by phase."""

    values: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Site:
    """What the calls go through."""

    servers: Mapping[str, Server]
    far: FarPhone
    observer: Observer
    numbers: Iterator[str] = field(default_factory=lambda: itertools.cycle(map(str, range(7000, 8000))))


async def measure(site: Site, calls: int, *, until: float, progress: Callable[[int], None]) -> dict[str, Measured]:
    """So many calls by each server, or fewer where the time (`until`, of time.monotonic) is up."""
    measured = {name: Measured() for name in site.servers}
    for turn in range(-WARM_UP, calls):
        if time.monotonic() > until and turn > 0:
            break
        progress(max(0, turn))
        for name in in_turn(site.servers, turn):
            await _one(site, site.servers[name], measured[name] if turn >= 0 else Measured())
    return measured


def in_turn(names: Iterable[str], turn: int) -> list[str]:
    """Another one begins each time: none is always the one after another."""
    order = list(names)
    first = turn % len(order)
    return order[first:] + order[:first]


async def _one(site: Site, server: Server, into: Measured) -> None:
    try:
        async with asyncio.timeout(CALL_SECONDS):
            values = await _call(site, server)
    except (TimeoutError, ClientError) as error:
        into.failures.append(str(error) or "it did not get through in time")
    else:
        for phase, milliseconds in values.items():
            into.values[phase].append(milliseconds)


async def _call(site: Site, server: Server) -> dict[str, float]:
    """Milliseconds of each phase."""
    number = next(site.numbers)
    invited, bridged = site.far.expect(number), site.observer.expect()
    browser = Browser(HZ)
    async with Client(server.ws_url) as client:
        cpu = server.cpu()
        calling = asyncio.create_task(client.call(number, media=browser, caller="1001"))
        far = await invited
        answered_at, bridged_at = await browser.answered, await bridged
        clicked = browser.clicked
        browser.connect()
        call = await calling
        await flowing(call)
        await asyncio.sleep(SETTLED)
        picked_up = far.answer()
        heard = await far.heard
        await call.hangup()
        await far.ended.wait()
        await asyncio.sleep(SETTLED)
        cpu = server.cpu() - cpu
    return {
        INVITE: (far.invited - clicked) * 1000,
        ANSWER: (answered_at - clicked) * 1000,
        BRIDGED: (bridged_at - clicked) * 1000,
        HEARD: (heard - picked_up) * 1000,
        CPU: cpu * 1000,
    }
