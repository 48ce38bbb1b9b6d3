"""Whoever sends to rtpengine's port on Asterisk's side of a call is not heard in it, and hears nothing of it."""

import asyncio

import pytest

from ari_bridge.media.ng import NgClient
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.rtpengine import ASTERISK
from frontend.client import Call
from frontend.client.audio import Tone
from tests.real.parts import both_versions
from tests.real.rtp import RtpPeer, Stream
from tests.real.site import Site

pytestmark = pytest.mark.real
OWN, STRANGE = 700, 2000  # Hz
LEARNED = 4.0
"""Seconds of sound; rtpengine may learn where a side's packets come from during the first three of a session."""


async def port_of(site: Site, call: Call) -> tuple[str, int]:
    """Where rtpengine takes Asterisk's packets."""
    address = NodeAddress.parse(site.rtpengine.ng_address)
    client = NgClient(address.host, address.port, timeout=2.0)
    await client.open()
    try:
        [name] = await site.media_sessions()
        found = await client.command("query", **{"call-id": name})
    finally:
        await client.close()
    match found:
        case {"tags": {"asterisk": {"medias": [{"streams": [{"local port": int(port)}, *_]}]}}}:
            return "127.0.0.1", port
    pytest.fail(f"no port of {ASTERISK} in what rtpengine says of {call.id}: {found}")


async def hear_more(call: Call, seconds: float) -> None:
    """Until so much more sound came."""
    end = call.heard.seconds + seconds
    async with asyncio.timeout(seconds * 5):
        while call.heard.seconds < end:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@both_versions
async def test_a_stranger_s_packets_neither_are_heard_nor_draw_the_sound_away(site: Site) -> None:
    async with site.phone("1001") as phone, RtpPeer(STRANGE, peak=16000) as stranger:
        call = await phone.call("600", source=Tone(OWN))
        await call.wait("accepted")
        heard = Stream()
        stranger.streams[await port_of(site, call)] = heard  # from now on it sends there, from the first seconds on
        await hear_more(call, LEARNED)
        assert heard.packets == 0
        await call.heard.wait_for_tone(OWN)
        stranger.forget()
        await hear_more(call, 1.0)
        await call.heard.wait_for_tone(OWN)
        await call.hangup()
