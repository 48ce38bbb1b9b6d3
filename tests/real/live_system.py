"""The whole system on real parts: the front end in the test's own process, beside a real Asterisk and rtpengine.

Every test that uses `site` also proves, at its end, that nothing of its calls is left anywhere.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ari_bridge.ids import parse_resource_id
from ari_bridge.media.ng import NgClient
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.rtpengine import Rtpengine as Engine
from ari_bridge_client import Client
from deploy.demo.rtpengine import Rtpengine
from frontend.app import App
from frontend.settings import Settings
from tests.hang_up import hang_up_all
from tests.real.journals import remove_journal
from tests.real.parts import Pbx

RELEASE_SECONDS = 4.0
"""The longest that the release of everything may take after a test."""
ROUTES = "7xxx=PJSIP/{target}@trunk"


class LiveSystem:
    """`app` runs; `phone()` opens one at its WebSocket; `leftovers()` tells what is not released."""

    def __init__(self, pbx: Pbx, rtpengine: Rtpengine, app: App) -> None:
        self.pbx = pbx
        self.rtpengine = rtpengine
        self.app = app

    def phone(self, user: str | None = None, **options: Any) -> Client:
        """A headless phone; `user`: who it registers as."""
        return Client(self.app.ws_url, user=user, **options)

    async def leftovers(self) -> list[str]:
        """What is left of any call: in the front end, in Asterisk, in rtpengine. A line each; empty is well."""
        found = [f"call {call.id} is {call.state.value}" for call in self.app.calls.live()]
        if self.app.ari.connected:
            found += [f"ARI channel {channel.id} ({channel.name})" for channel in await self.app.ari.channels.list()]
            found += [f"ARI bridge {bridge.id}" for bridge in await self.app.ari.bridges.list()]
        console = await asyncio.to_thread(self.pbx.asterisk.cli, "core show channels concise")
        found += [f"console: {line}" for line in console.splitlines() if "!" in line]
        return found + [f"rtpengine session {name}" for name in await self.media_sessions()]

    async def media_sessions(self) -> list[str]:
        """The sessions that rtpengine holds; none where it does not run."""
        if not self.rtpengine.answers():
            return []
        address = NodeAddress.parse(self.rtpengine.ng_address)
        client = NgClient(address.host, address.port, timeout=2.0)
        await client.open()
        try:
            return await Engine(client).names(250, within=2.0)
        finally:
            await client.close()

    async def require_nothing_left(self) -> None:
        """Fails the test with a list of what is left after `RELEASE_SECONDS`."""
        end = asyncio.get_running_loop().time() + RELEASE_SECONDS
        while left := await self.leftovers():
            if asyncio.get_running_loop().time() > end:
                pytest.fail("left over after the test:\n  " + "\n  ".join(left))
            await asyncio.sleep(0.05)

    async def resources(self) -> set[str]:
        """The kinds of the resources in Asterisk that are named after a call: em, far, br."""
        names = [channel.id for channel in await self.app.ari.channels.list()]
        names += [bridge.id for bridge in await self.app.ari.bridges.list()]
        return {parsed[1].value for name in names if (parsed := parse_resource_id(name))}


def settings(pbx: Pbx, rtpengine: Rtpengine, **changes: Any) -> Settings:
    """What the front end needs to find the real parts; free ports, sign-in off. `changes` go on top."""
    values: dict[str, Any] = {
        "ari_url": pbx.asterisk.ari_url,
        "ari_user": pbx.asterisk.ari_user,
        "ari_password": pbx.asterisk.ari_password,
        "rtpengine_ng": rtpengine.ng_address,
        "dial_routes": ROUTES,
        "http_port": 0,
        "ws_port": 0,
        "cors_origin": "loopback",
        "enable_authentication": False,
        "disconnect_grace": 0.2,
        "max_calls_per_user": 30,
        "max_legs_per_user": 100,
        "max_legs_per_minute": 1000,
        "max_legs_per_day": 100000,
        "phone_book": "600=Echo,601=Milliwatt tone",
        "log_level": "debug",
        "state_dir": Path(tempfile.mkdtemp(prefix="ari-bridge-state-")),
    }
    return Settings(**{"_env_file": None, **values, **changes})


@asynccontextmanager
async def live_system(pbx: Pbx, rtpengine: Rtpengine, **changes: Any) -> AsyncIterator[LiveSystem]:
    """A front end with its event stream up; `changes` to its settings. Nothing may be left when the test ends."""
    values = settings(pbx, rtpengine, **changes)
    app = App(values)
    await app.start()
    site = LiveSystem(pbx, rtpengine, app)
    try:
        await connected(app)
        yield site
        await site.require_nothing_left()
    finally:
        await hang_up_all(app.calls)
        await app.close()
        remove_journal(values.state_dir)
        if "state_dir" not in changes:
            shutil.rmtree(values.state_dir, ignore_errors=True)


async def connected(app: App, *, seconds: float = 5.0) -> None:
    """Waits until the ARI event stream is up. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not app.ari.connected:  # noqa: ASYNC110  polled, as a stranger would
            await asyncio.sleep(0.01)


@pytest.fixture
async def site(pbx: Pbx, rtpengine: Rtpengine) -> AsyncIterator[LiveSystem]:
    async with live_system(pbx, rtpengine) as running:
        yield running


LiveSystemWith = Callable[..., AbstractAsyncContextManager[LiveSystem]]


@pytest.fixture
def site_with(pbx: Pbx, rtpengine: Rtpengine) -> LiveSystemWith:
    """`async with site_with(ring_timeout=1) as site`: a front end with other settings."""
    return lambda **changes: live_system(pbx, rtpengine, **changes)
