"""What a held call costs in memory: the front end with many calls at once, on the fake Asterisk and rtpengine."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.page import Page
from tests.bench.servers import front_end
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine

SECONDS = 40.0
WARM_UP = 100
"""Calls that come and go before: they fill the event log, whose size is bounded, and so is no cost of a call's."""


@dataclass(frozen=True)
class Memory:
    """Bytes of the front end's own memory."""

    calls: int
    idle: int
    pages: int  # with a WebSocket open for each call
    held: int  # with the calls up
    ended: int  # with calls and WebSockets gone again

    @property
    def of_page(self) -> float:
        return (self.pages - self.idle) / self.calls

    @property
    def of_call(self) -> float:
        return (self.held - self.pages) / self.calls


async def measure(folder: Path, calls: int) -> Memory:
    """Raises TimeoutError and ClientError where the calls do not all get through."""
    async with asyncio.timeout(SECONDS), _peers() as peers, AsyncExitStack() as stack:
        server = stack.enter_context(front_end(folder, peers, RING_TIMEOUT="300"))
        await server.ready(health=True)
        for _ in range(WARM_UP):
            async with Page(server.ws_url) as page:
                await _call(page)
                await page.hang_up()
        idle = server.memory()
        pages = [await stack.enter_async_context(Page(server.ws_url)) for _ in range(calls)]
        with_pages = server.memory()
        await asyncio.gather(*(_call(page) for page in pages))
        held = server.memory()
        await asyncio.gather(*(page.hang_up() for page in pages))
        await asyncio.gather(*(page.close() for page in pages))
        await asyncio.sleep(0.5)
        return Memory(calls, idle, with_pages, held, server.memory())


@asynccontextmanager
async def _peers() -> AsyncIterator[Mapping[str, str]]:
    """The fakes, and the front end's settings that lead to them."""
    rtpengine = FakeRtpengine()
    await rtpengine.start()
    try:
        async with FakeAri(version="16.28.0") as pbx:
            yield {
                "ARI_URL": pbx.url,
                "ARI_USER": pbx.user,
                "ARI_PASSWORD": pbx.password,
                "RTPENGINE_NG": rtpengine.address,
            }
    finally:
        await rtpengine.stop()


async def _call(page: Page) -> None:
    await page.offer("7001")
    await page.until("accepted")
