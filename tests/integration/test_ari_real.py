"""The ARI client against a real Asterisk, legacy and new. Skipped where none is installed."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.net import RtpAddress
from ari_bridge_client.audio import MIN_TONE_SHARE
from tests.real.parts import VERSIONS, Pbxes
from tests.real.rtp import RtpPeer

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
    await nothing_left(ari)


async def nothing_left(ari: Ari) -> None:
    """Asterisk lists from a cache, which may lag behind what it has done. Raises TimeoutError."""
    async with asyncio.timeout(5):
        while await names(ari):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def names(ari: Ari) -> list[str]:
    """Of channels and bridges of these tests."""
    found = [channel.id for channel in await ari.channels.list()] + [bridge.id for bridge in await ari.bridges.list()]
    return [name for name in found if "real" in name]


async def test_what_is_not_there_is_false(ari: Ari) -> None:
    assert not await ari.channels.hangup("nobody")
    assert not await ari.bridges.destroy("nothing")
    assert not await ari.channels.continue_in_dialplan("nobody", variables={"A": "1"})
    assert await ari.channels.get("nobody") is None
    assert await ari.bridges.get("nothing") is None
    assert not await ari.bridges.stop_music("nothing")
    await ari.bridges.create("real-empty")
    assert not await ari.bridges.stop_music("real-empty")
    assert await ari.bridges.destroy("real-empty")


async def test_music_is_heard_in_a_bridge_until_it_is_stopped(ari: Ari) -> None:
    started = asyncio.Event()
    ari.on_event(lambda event: started.set() if event.type == "StasisStart" else None)
    async with RtpPeer(None) as phone:
        await ari.channels.external_media("real-waits", RtpAddress("127.0.0.1", phone.port))
        await ari.bridges.create("real-music")
        await asyncio.wait_for(started.wait(), 5)
        await ari.bridges.add_channel("real-music", "real-waits")
        await ari.bridges.start_music("real-music")
        heard = (await phone.stream()).heard
        async with asyncio.timeout(5):
            while heard.total_seconds < 2.0:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        sound = heard.analyze(1.0)
        assert not sound.is_silent and sound.share < MIN_TONE_SHARE, f"not music, but {sound}"
        [waiting] = [bridge for bridge in await ari.bridges.list() if bridge.id == "real-music"]
        assert waiting.channels == ["real-waits"], "what plays the music is not told"
        assert await ari.bridges.stop_music("real-music")
        assert not await ari.bridges.stop_music("real-music")
        await asyncio.sleep(0.3)  # what is under way
        packets = heard.total_seconds
        await asyncio.sleep(0.5)
        assert heard.total_seconds == packets or heard.analyze(0.4).is_silent, "the music goes on"
        await ari.bridges.start_music("real-music", "no-such-class")  # no failure
        assert await ari.bridges.destroy("real-music")
        assert await ari.channels.hangup("real-waits")
    await nothing_left(ari)


async def test_a_channel_goes_from_bridge_to_bridge_without_the_legacy_wait(ari: Ari) -> None:
    """Channels that hear and say nothing, on which a legacy Asterisk would look every 200 ms only."""
    started: asyncio.Queue[str] = asyncio.Queue()
    ari.on_event(lambda event: started.put_nowait("") if event.type == "StasisStart" else None)
    for number in (1, 2):
        await ari.channels.external_media(f"real-silent-{number}", RtpAddress("127.0.0.1", 21100))
        await asyncio.wait_for(started.get(), 5)
        await ari.bridges.create(f"real-room-{number}")
        await ari.bridges.add_channel(f"real-room-{number}", f"real-silent-{number}")
    began = time.monotonic()
    await ari.bridges.add_channel("real-room-2", "real-silent-1")
    took = time.monotonic() - began
    rooms = await ari.bridges.get("real-room-1"), await ari.bridges.get("real-room-2")
    assert [sorted(room.channels) for room in rooms if room] == [[], ["real-silent-1", "real-silent-2"]]
    for number in (1, 2):
        assert await ari.bridges.destroy(f"real-room-{number}")
        assert await ari.channels.hangup(f"real-silent-{number}")
    assert took < 0.1
