"""What the tests of the SIP edge share: its parts, phones that sign in, what may be left behind."""

import asyncio
from collections.abc import Iterator

import pytest

from ari_bridge.media.ng import NgClient
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.rtpengine import Rtpengine as Engine
from deploy.demo.rtpengine import Rtpengine
from tests.real.sip_client import SipClient
from tests.real.sip_edge import EdgeSite, edge_site

OURS = 440.0  # Hz that the client sends
MILLIWATT = 1004.0  # Hz, of 601


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeSite]:
    with edge_site(tmp_path_factory.mktemp("edge")) as running:
        yield running


def client(site: EdgeSite, transport: str = "udp", user: str = "1001") -> SipClient:
    """A phone of that user, with the right password."""
    password = f"secret-{user}"
    return SipClient(site.port_of(transport), transport=transport, user=user, password=password)


async def sessions(rtpengine: Rtpengine) -> list[str]:
    """The calls that an rtpengine holds; none where it does not run."""
    if not rtpengine.answers():
        return []
    address = NodeAddress.parse(rtpengine.ng_address)
    ng = NgClient(address.host, address.port, timeout=2.0)
    await ng.open()
    try:
        return await Engine(ng).names(250, within=2.0)
    finally:
        await ng.close()


async def nothing_left(site: EdgeSite, *, seconds: float = 6.0) -> None:
    """Waits until no call is left in Asterisk and in either rtpengine. Raises AssertionError with what is."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        left = [name for each in site.rtpengines for name in await sessions(each)]
        console = await asyncio.to_thread(site.pbx.asterisk.cli, "core show channels concise")
        left += [line for line in console.splitlines() if "!" in line]
        if not left:
            return
        assert asyncio.get_running_loop().time() < end, f"left over: {left}"
        await asyncio.sleep(0.1)


@pytest.fixture(autouse=True)
def hung_up(site: EdgeSite) -> Iterator[None]:
    """What a failed test leaves in Asterisk is not the next one's."""
    yield
    site.pbx.asterisk.cli("channel request hangup all")
