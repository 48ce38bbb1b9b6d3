"""The browser's network changes under it, or goes bad."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from tests.chaos.browser import browsers
from tests.chaos.case import Case, Run
from tests.chaos.network import Network
from tests.chaos.proxy import Proxy
from tests.chaos.results import Mark, Seen
from tests.chaos.steady_calls import SteadyCalls
from tests.chaos.system import system
from tests.real import free_ports

BAD_SECONDS = 10.0
LOSS, JITTER = 0.3, 0.2
Fault = Callable[[Network, SteadyCalls], Awaitable[None]]


def in_a_network(fault: Fault) -> Callable[[Path], AbstractAsyncContextManager[Run]]:
    """A browser in a network of its own, with one call. The fault is over when it returns."""

    @asynccontextmanager
    async def open_(folder: Path) -> AsyncIterator[Run]:
        # What is found at the service address is found there by Asterisk too, and the other way round.
        async with Network() as lasting, system(folder, media_host=lasting.service) as running:
            async with browsers(folder / "browser") as made:

                async def run() -> Seen:
                    [port] = free_ports.ports(1)
                    network, first = lasting, lasting.ways[0]
                    async with (
                        Proxy(network.service, port, (free_ports.HOST, running.front_end.port)) as proxy,
                        SteadyCalls(running, made, url=proxy.url, ws_url=proxy.ws_url, enter=network.enter) as talk,
                    ):
                        try:
                            await talk.stand(phones=0, page=True)
                            seen = await _through(fault, network, talk)
                        finally:
                            await first.make_bad()
                            await network.ways[1].unplug()
                            await first.plug_in()
                    seen.left += await running.nothing_left()
                    return seen

                yield run

    return open_


async def _through(fault: Fault, network: Network, talk: SteadyCalls) -> Seen:
    assert talk.page
    began = time.time()
    await fault(network, talk)
    over = time.time()
    back = await talk.heard_since(over, seconds=30)
    await talk.page.online(seconds=15)
    control = time.time() - over
    await asyncio.sleep(1.0)
    await talk.heard_since(time.time())
    seen = await talk.seen(began)
    seen.control = control
    seen.told["two-way audio after the fault"] = max(back.values()) - over
    await talk.hang_up_all(seen)
    return seen


async def moved(network: Network, talk: SteadyCalls) -> None:
    """The wireless network is there before the cable is pulled, as when somebody leaves a desk."""
    await network.ways[1].plug_in()
    await asyncio.sleep(0.5)
    await network.ways[0].unplug()


async def lost_then_found(network: Network, talk: SteadyCalls) -> None:
    """The cable is pulled; the wireless network is joined a second later."""
    await network.ways[0].unplug()
    await asyncio.sleep(1.0)
    await network.ways[1].plug_in()


async def bad(network: Network, talk: SteadyCalls) -> None:
    await network.ways[0].make_bad(loss=LOSS, jitter=JITTER)
    await asyncio.sleep(BAD_SECONDS)
    await network.ways[0].make_bad()


MOVED = Case("moved", "network change: another path and address", Mark(far=3.0, browser=3.0), in_a_network(moved))
FOUND = Case(
    "found",
    "network lost, another joined 1 s later",
    Mark(far=4.0, browser=4.0),
    in_a_network(lost_then_found),
    quick=False,
)
BAD_NETWORK = Case(
    "bad-network",
    f"{LOSS:.0%} loss, {JITTER * 1000:.0f} ms jitter for {BAD_SECONDS:.0f} s",
    Mark(),
    in_a_network(bad),
)
