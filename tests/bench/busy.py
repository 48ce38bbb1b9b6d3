"""CPU of a call where many go on at once: calls without media, all through the same server."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

from ari_bridge_client import ClientError
from tests.bench.page import Page
from tests.bench.servers import Server
from tests.bench.setup import CPU_BUSY, SETTLED, Measured, Site, in_turn

AT_ONCE = 10
BATCHES = 5
SECONDS = 20.0
"""No more batches are begun after these."""
BATCH_SECONDS = 15.0
TALK = 0.25
"""Seconds from the INVITE to the hang-up: a script without wakes is not done with its set-up before."""


async def measure(site: Site, measured: Mapping[str, Measured], calls: int) -> None:
    """Adds milliseconds of CPU a call: `BATCHES` values of about so many calls each, fewer where it takes long."""
    until = time.monotonic() + SECONDS
    for turn in range(BATCHES):
        if time.monotonic() > until:
            break
        for name in in_turn(site.servers, turn):
            try:
                value = await _batch(site, site.servers[name], max(1, calls // AT_ONCE))
            except (TimeoutError, ClientError) as error:
                why = str(error) or f"not all got through in {BATCH_SECONDS:.0f} s"
                measured[name].failures.append(f"{AT_ONCE} at once: {why}")
            else:
                measured[name].values[CPU_BUSY].append(value)


async def _batch(site: Site, server: Server, each: int) -> float:
    async with asyncio.timeout(BATCH_SECONDS), AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(Page(server.ws_url)) for _ in range(AT_ONCE)]
        before = server.cpu()
        await asyncio.gather(*(_calls(page, site, each) for page in pages))
        await asyncio.sleep(SETTLED)
        return (server.cpu() - before) * 1000 / (each * AT_ONCE)


async def _calls(page: Page, site: Site, count: int) -> None:
    for number in itertools.islice(site.numbers, count):
        invited = site.far.expect(number)
        await page.offer(number)
        call = await invited
        call.answer()
        await asyncio.sleep(TALK)
        await page.hang_up()
        await call.ended.wait()
