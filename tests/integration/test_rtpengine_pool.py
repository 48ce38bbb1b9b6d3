"""The pool beside two real rtpengines: one is killed, stopped, restarted, and what was on it is told in time."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from ari_bridge.media.ng import NgClient
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.pool import Pool
from ari_bridge.net import RtpAddress
from ari_bridge_client.aiortc_media import allow_loopback_candidates
from ari_bridge_client.audio import Silence
from deploy.demo.rtpengine import Rtpengine
from tests.offers import OFFER
from tests.real.parts import new_rtpengine
from tests.real.rtp import RtpPeer

pytestmark = pytest.mark.real

APP = "ari-bridge"
ASTERISK = RtpAddress("127.0.0.1", 9)
DEATH_SECONDS = 2.0


class Media:
    """A pool of two; `lost`: each leg that was told to be gone, and when on the monotonic clock."""

    def __init__(self, rtpengines: list[Rtpengine]) -> None:
        self.rtpengines = rtpengines
        self.pool = Pool([NodeAddress.parse(each.ng_address) for each in rtpengines], app=APP)
        self.lost: dict[str, float] = {}
        self.pool.on_lost(lambda legs, reason: self.lost.update(dict.fromkeys(legs, time.monotonic())))

    async def place(self, count: int) -> list[str]:
        legs = [f"call{number}-em" for number in range(count)]
        for leg in legs:
            await self.pool.offer(leg, OFFER)
            await self.pool.answer(leg, ASTERISK)
        return legs

    async def held(self, number: int) -> set[str]:
        """The names of a node's sessions, by its own word."""
        address = NodeAddress.parse(self.rtpengines[number].ng_address)
        client = NgClient(address.host, address.port, timeout=2.0)
        await client.open()
        try:
            calls = (await client.command("list", limit=100))["calls"]
        finally:
            await client.close()
        assert isinstance(calls, list)
        return {name.decode() for name in calls if isinstance(name, bytes)}

    async def legs_on(self, number: int) -> set[str]:
        return {name.removeprefix(f"{APP}:") for name in await self.held(number) if name.startswith(f"{APP}:")}

    async def until_lost(self, legs: set[str]) -> None:
        async with asyncio.timeout(5):
            while not legs <= self.lost.keys():  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def until_up(self, number: int) -> None:
        async with asyncio.timeout(5):
            while not self.pool.reports()[number].takes_calls:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def media(tmp_path: Path) -> AsyncIterator[Media]:
    with new_rtpengine(tmp_path / "first") as first, new_rtpengine(tmp_path / "second") as second:
        media = Media([first, second])
        await media.pool.start()
        yield media
        await media.pool.close()


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
async def test_the_legs_of_a_dead_rtpengine_are_told_within_two_seconds(media: Media, blow: signal.Signals) -> None:
    legs = await media.place(10)
    doomed = await media.legs_on(0)
    assert len(doomed) == 5
    await asyncio.sleep(0.05)  # the worst moment: a ping has just been answered
    began = time.monotonic()
    os.kill(media.rtpengines[0].pid, blow)
    try:
        await media.until_lost(doomed)
        assert max(media.lost.values()) - began < DEATH_SECONDS
        assert media.lost.keys() == doomed
        began = time.monotonic()
        for leg in sorted(doomed):
            await media.pool.delete(leg)
            await media.pool.offer(f"{leg}2", OFFER)
        assert time.monotonic() - began < 1.0
        moved = {f"{leg}2" for leg in doomed}
        assert await media.legs_on(1) == set(legs) - doomed | moved
        assert set(await media.pool.sessions()) == set(legs) - doomed | moved
    finally:
        if blow is signal.SIGSTOP:
            os.kill(media.rtpengines[0].pid, signal.SIGCONT)
    if blow is signal.SIGSTOP:
        await media.until_up(0)
        async with asyncio.timeout(3):
            while await media.legs_on(0):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert len(await media.legs_on(1)) == 10


async def test_an_rtpengine_that_is_restarted_has_lost_its_legs_and_takes_new_ones(media: Media) -> None:
    await media.place(4)
    doomed = await media.legs_on(0)
    os.kill(media.rtpengines[0].pid, signal.SIGKILL)
    await asyncio.to_thread(media.rtpengines[0].stop)  # only to be able to start it again
    await asyncio.to_thread(media.rtpengines[0].start)
    await media.until_lost(doomed)
    assert media.lost.keys() == doomed
    await media.until_up(0)
    for number in range(2):
        await media.pool.offer(f"new{number}-em", OFFER)
    assert await media.legs_on(0) == {"new0-em", "new1-em"}


async def test_a_browser_is_heard_while_it_sends(media: Media) -> None:
    allow_loopback_candidates()
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    async with RtpPeer(None) as asterisk:
        try:
            peer.addTrack(Silence())
            await peer.setLocalDescription(await peer.createOffer())
            await media.pool.offer("call-em", peer.localDescription.sdp)
            assert await media.pool.last_packet_at("call-em") is None
            sdp = await media.pool.answer("call-em", RtpAddress("127.0.0.1", asterisk.port))
            await peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
            await asterisk.stream()
            for _ in range(4):
                await asyncio.sleep(0.5)
                heard = await media.pool.last_packet_at("call-em")
                assert heard and time.time() - heard < 0.5
        finally:
            await peer.close()
        silent_since = time.time()
        await asyncio.sleep(2.5)
        heard = await media.pool.last_packet_at("call-em")
        assert heard and heard < silent_since + 1.0
        await media.pool.delete("call-em")
        assert await media.pool.last_packet_at("call-em") is None
