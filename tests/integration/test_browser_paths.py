"""Whichever of its addresses a browser sends from, and however often it changes, it is heard and hears.

rtpengine follows what ICE has agreed on, and no packet's source: up to 12.5 it does not get along with both.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.pool import Pool
from ari_bridge.net import RtpAddress
from deploy.demo.rtpengine import Rtpengine, loopback_ipv6
from tests.real import free_ports
from tests.real.multihomed import Multihomed, peer_reflexive
from tests.real.parts import require_installed
from tests.real.rtp import RtpPeer, Stream

pytestmark = pytest.mark.real

FAR, OWN = 1004.0, 700.0  # Hz
LEG = "call-em"
FIRST, SECOND, THIRD = (peer_reflexive(preference) for preference in (300, 200, 100))
SOON = 1.5
"""Seconds in which it must be heard: what rtpengine gets wrong, it mends by itself three seconds after the answer."""


@asynccontextmanager
async def pool_of(folder: Path, first: str, second: str) -> AsyncIterator[Pool]:
    """One rtpengine with these two addresses for media."""
    [ng] = free_ports.ports(1)
    with Rtpengine(folder, ng_port=ng, rtp_range=free_ports.rtp_range(), host=first, also=[second]) as rtpengine:
        pool = Pool([NodeAddress.parse(rtpengine.ng_address)], app="paths")
        await pool.start()
        try:
            yield pool
        finally:
            await pool.delete(LEG)
            await pool.close()


class Talk:
    """`browser` is connected, and hears a tone that `asterisk` sends."""

    def __init__(self, browser: Multihomed, heard: Stream) -> None:
        self.browser = browser
        self._heard = heard

    async def is_heard_both_ways(self) -> None:
        """Raises TimeoutError."""
        packets = self._heard.packets
        await self.browser.hear_more(0.3, within=SOON)
        assert self._heard.packets > packets


@asynccontextmanager
async def talking(pool: Pool, hosts: list[str]) -> AsyncIterator[Talk]:
    async with RtpPeer(FAR) as asterisk, Multihomed(hosts, OWN) as browser:
        address = await browser.offer(pool, LEG, RtpAddress("127.0.0.1", asterisk.port))
        asterisk.speak((address.host, address.port))
        await browser.connect()
        yield Talk(browser, asterisk.streams[(address.host, address.port)])
        await browser.heard.wait_for_tone(FAR)
        await asterisk.streams[(address.host, address.port)].heard.wait_for_tone(OWN)


LAYOUTS = {
    "both families": ("127.0.0.1", "::1", "127.0.0.1", "::1"),
    "two interfaces": ("127.0.0.1", "127.0.0.2", "127.0.0.5", "127.0.0.6"),
}


@pytest.mark.parametrize(("here", "there", "own", "other"), LAYOUTS.values(), ids=LAYOUTS.keys())
async def test_a_browser_that_changes_paths_at_once_hears_all_the_while(
    tmp_path: Path, here: str, there: str, own: str, other: str
) -> None:
    """As Chromium does it: the second path a moment after the first, and then a check from a third."""
    require_installed("::1" not in (here, there) or loopback_ipv6() != "", "IPv6 on loopback")
    async with pool_of(tmp_path, here, there) as pool, talking(pool, [own, other]) as talk:
        browser = talk.browser
        first, second = browser.pair(own, here), browser.pair(other, there)
        third = await browser.new_socket(own, here)
        for pair, priority in ((first, FIRST), (second, SECOND), (third, THIRD)):
            await browser.nominate(pair, priority=priority)
            if pair is not third:  # it is there, and not sent by
                browser.send_by(pair)
            await talk.is_heard_both_ways()
        browser.send_by(first)
        await talk.is_heard_both_ways()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"], ids=["IPv4", "IPv6"])
async def test_a_browser_of_one_family_is_heard_by_a_node_of_both(tmp_path: Path, address: str) -> None:
    require_installed(loopback_ipv6() != "", "IPv6 on loopback")
    async with pool_of(tmp_path, "127.0.0.1", "::1") as pool, talking(pool, [address]) as talk:
        await talk.is_heard_both_ways()
