"""The ARI client against a real Asterisk, legacy and new. Skipped where none is installed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.calls.state import RtpAddress
from tests.real.parts import VERSIONS, Pbxes

pytestmark = pytest.mark.real


@pytest.fixture(params=VERSIONS)
async def ari(request: pytest.FixtureRequest, pbxes: Pbxes) -> AsyncIterator[Ari]:
    asterisk = pbxes.get(request.param).asterisk
    ari = Ari(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password, "ari-real-test")
    connected = asyncio.Event()

    async def on_connect() -> None:
        connected.set()

    ari.on_connect(on_connect)
    await ari.start()
    async with asyncio.timeout(10):
        await connected.wait()
    yield ari
    await ari.close()


async def test_media_and_far_side_meet_in_a_bridge_and_nothing_is_left(ari: Ari) -> None:
    started: asyncio.Queue[str] = asyncio.Queue()
    ari.on_event(lambda event: started.put_nowait("") if event.type == "StasisStart" else None)
    await ari.channels.create("real-far", "Local/603@from-browser", caller="1001")
    media = await ari.channels.external_media("real-media", RtpAddress("127.0.0.1", 21100), caller="1001")
    assert media.port > 0
    await ari.bridges.create("real-bridge")
    async with asyncio.timeout(5):
        await started.get()
        await started.get()
    await ari.bridges.add_channel("real-bridge", "real-media")
    await ari.bridges.add_channel("real-bridge", "real-far")
    await ari.channels.dial("real-far", timeout=5)
    [shown] = [channel.connected.number for channel in await ari.channels.list() if channel.id == "real-far"]
    assert shown == "1001"
    application = await ari.application()
    assert set(application["channel_ids"]) >= {"real-far", "real-media"}
    assert await ari.channels.hangup("real-far")
    assert await ari.channels.hangup("real-media")
    assert await ari.bridges.destroy("real-bridge")
    assert "real-bridge" not in [bridge.id for bridge in await ari.bridges.list()]


async def test_what_is_not_there_is_false(ari: Ari) -> None:
    assert not await ari.channels.hangup("nobody")
    assert not await ari.bridges.destroy("nothing")
    assert not await ari.channels.continue_in_dialplan("nobody", variables={"A": "1"})
