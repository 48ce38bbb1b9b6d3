"""Whoever sends to rtpengine's ports, on Asterisk's side of a call or the browser's, is not heard, and hears nothing.

On the browser's side not with copies of what the browser sent either: its checks, its encrypted packets.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ari_bridge.media.ng import NgClient
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.pool import Pool
from ari_bridge.media.rtpengine import ASTERISK
from ari_bridge.net import RtpAddress
from ari_bridge_client import Call
from ari_bridge_client.audio import Tone
from deploy.demo.rtpengine import Rtpengine, loopback_ipv6
from tests.real import free_ports
from tests.real.live_system import LiveSystem
from tests.real.multihomed import Multihomed, is_media
from tests.real.parts import both_versions, require_installed
from tests.real.rtp import RtpPeer, Stream

pytestmark = pytest.mark.real
OWN, FOREIGN = 700, 2000  # Hz
LEARNED = 4.0
"""Seconds of sound; rtpengine may learn where a side's packets come from during the first three of a session."""


async def port_of(site: LiveSystem, call: Call) -> tuple[str, int]:
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
    end = call.received_audio.total_seconds + seconds
    async with asyncio.timeout(seconds * 5):
        while call.received_audio.total_seconds < end:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@both_versions
async def test_a_stranger_s_packets_neither_are_heard_nor_draw_the_sound_away(site: LiveSystem) -> None:
    async with site.phone("1001") as phone, RtpPeer(FOREIGN, peak=16000) as stranger:
        call = await phone.call("600", source=Tone(OWN))
        await call.wait_for("accepted")
        heard = Stream()
        stranger.streams[await port_of(site, call)] = heard  # from now on it sends there, from the first seconds on
        await hear_more(call, LEARNED)
        assert heard.packets == 0
        await call.received_audio.wait_for_tone(OWN)
        stranger.forget()
        await hear_more(call, 1.0)
        await call.received_audio.wait_for_tone(OWN)
        await call.hangup()


# --- the browser's side ---------------------------------------------------------------------------------------------

FAR = 1004  # Hz
Datagrams = Callable[[Multihomed], list[bytes]]
PLAIN_RTP = bytes([0x80, 111, 0, 1, 0, 0, 3, 192]) + b"SSRC" + bytes(80)
STRANGE: dict[str, Datagrams] = {
    "plain RTP": lambda browser: [PLAIN_RTP],
    "copies of its packets": lambda browser: browser.checks[-4:] + browser.sent[-4:],
}


class Stranger:
    """Sends to all of rtpengine's ports for a browser, from addresses that are not the browser's. As `async with`.

    `media`: packets of media that came to it.
    """

    def __init__(self, browser: Multihomed, datagrams: Datagrams) -> None:
        self.media = 0
        self._browser = browser
        self._datagrams = datagrams
        self._sockets = {socket.AF_INET: "127.0.0.3", socket.AF_INET6: "::1"}
        self._open: dict[socket.AddressFamily, socket.socket] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Stranger":
        for family, host in self._sockets.items():
            self._open[family] = socket.socket(family, socket.SOCK_DGRAM)
            self._open[family].bind((host, 0))
            self._open[family].setblocking(False)
        self._task = asyncio.create_task(self._send())
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for each in self._open.values():
            self.media += sum(is_media(datagram) for datagram in _arrived(each))
            each.close()

    async def _send(self) -> None:
        while True:
            for host, port in self._browser.remote:
                way = self._open[socket.AF_INET6 if ":" in host else socket.AF_INET]
                self.media += sum(is_media(datagram) for datagram in _arrived(way))
                for datagram in self._datagrams(self._browser):
                    way.sendto(datagram, (host, port))
            await asyncio.sleep(0.01)


def _arrived(way: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
        while True:
            yield way.recv(2048)


@pytest.mark.parametrize("datagrams", STRANGE.values(), ids=STRANGE.keys())
async def test_nor_do_those_on_the_browser_s_side(tmp_path: Path, datagrams: Datagrams) -> None:
    require_installed(loopback_ipv6() != "", "IPv6 on loopback")
    [ng] = free_ports.ports(1)
    with Rtpengine(tmp_path, ng_port=ng, rtp_range=free_ports.rtp_range(), ipv6="::1") as rtpengine:
        pool = Pool([NodeAddress.parse(rtpengine.ng_address)], app="stray")
        await pool.start()
        async with RtpPeer(FAR) as asterisk, Multihomed(["127.0.0.1", "::1"], OWN) as browser:
            address = await browser.offer(pool, "call-em", RtpAddress("127.0.0.1", asterisk.port))
            asterisk.speak((address.host, address.port))
            heard = asterisk.streams[(address.host, address.port)].heard
            for early in (True, False):  # from before the browser's first packet on, and once the call stands
                async with Stranger(browser, datagrams) as stranger:
                    if early:
                        await browser.connect()
                    await browser.hear_more(LEARNED if early else 1.0, within=LEARNED * 2)
                    await browser.heard.wait_for_tone(FAR)
                    await heard.wait_for_tone(OWN)
                assert stranger.media == 0
                await browser.hear_more(1.0, within=3.0)
        await pool.delete("call-em")
        await pool.close()
