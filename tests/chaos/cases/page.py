"""The page loses its WebSocket, is reloaded, or vanishes with its browser."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from tests.chaos.browser import Browsers
from tests.chaos.case import Body, Case, on_one_system
from tests.chaos.proxy import Proxy
from tests.chaos.results import Mark, Seen
from tests.chaos.steady_calls import SteadyCalls
from tests.chaos.system import System
from tests.real import free_ports

CUT_SECONDS = 5.0


def _socket(fault: Callable[[Proxy], Awaitable[None]], *, resets: bool) -> Body:
    """`fault` comes over the page's connections for `CUT_SECONDS`; its media does not pass there."""

    async def body(system: System, browsers: Browsers) -> Seen:
        [port] = free_ports.ports(1)
        async with Proxy(free_ports.HOST, port, (free_ports.HOST, system.front_end.port)) as proxy:
            async with SteadyCalls(system, browsers, url=proxy.url, ws_url=proxy.ws_url) as talk:
                await talk.stand(phones=1, page=True)
                assert talk.page
                before = talk.connections()
                began = time.time()
                await fault(proxy)
                await asyncio.sleep(CUT_SECONDS)
                mended = time.time()
                await proxy.mend()
                await talk.page.online(seconds=15)
                control = time.time() - mended
                if resets:
                    await talk.reconnected(before)
                await asyncio.sleep(1.0)
                await talk.heard_since(time.time())
                seen = await talk.seen(began)
                seen.control = control
                await talk.hang_up_all(seen)
                return seen

    return body


async def _cut(proxy: Proxy) -> None:
    await proxy.cut()


async def _swallow(proxy: Proxy) -> None:
    proxy.swallow()


async def reloaded(system: System, browsers: Browsers) -> Seen:
    """The page is loaded anew in the middle of its call."""
    async with SteadyCalls(system, browsers) as talk:
        await talk.stand(phones=0, page=True)
        assert talk.page
        began = time.time()
        await talk.page.page.reload()
        loaded = time.time()
        control = await talk.page.talks() - loaded
        back = await talk.heard_since(loaded)
        await asyncio.sleep(1.0)
        seen = await talk.seen(began)
        seen.control = control
        seen.told |= {"two-way audio after the reload's end": max(back.values()) - loaded, "reload": loaded - began}
        await talk.hang_up_all(seen)
        return seen


async def browser_killed(system: System, browsers: Browsers) -> Seen:
    """kill -9 of the browser; a new one, with an empty profile, signs in as the same user."""
    async with SteadyCalls(system, browsers) as talk:
        await talk.stand(phones=0, page=True)
        assert talk.chromium
        began = time.time()
        talk.chromium.kill()
        await asyncio.sleep(1.0)
        await talk.open_page()
        signed_in = time.time()
        assert talk.page
        control = await talk.page.talks() - signed_in
        back = await talk.heard_since(signed_in)
        await asyncio.sleep(1.0)
        seen = await talk.seen(began)
        seen.control = control
        seen.told |= {"two-way audio after the sign-in": max(back.values()) - signed_in, "away": signed_in - began}
        await talk.hang_up_all(seen)
        return seen


STILL = Mark(far=0.04, browser=0.04)
CUT = Case("cut", "WebSocket cut for 5 s", STILL, on_one_system(_socket(_cut, resets=True)))
SWALLOWED = Case(
    "swallowed", "WebSocket dead but open for 5 s", STILL, on_one_system(_socket(_swallow, resets=False)), quick=False
)
RELOAD = Case("reload", "page reload", Mark(control=2.5), on_one_system(reloaded))
BROWSER_KILLED = Case("browser", "browser killed, a new one signs in", Mark(control=2.5), on_one_system(browser_killed))
