"""Pages behind every kind of network, and with every codec: what is heard decides."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from deploy.demo.rtpengine import Rtpengine, loopback_ipv6
from tests.e2e.conftest import FAR_TONE, PAGE_TONE
from tests.e2e.ears import codecs_of
from tests.e2e.softphone import unopened_softphone
from tests.real import free_ports
from tests.real.live_system import LiveSystemWith, live_system
from tests.real.parts import Pbx, require_installed
from tests.real.rtp import PCMU, RtpPeer
from tests.real.sipp import Sipp
from tests.real.transcoding import until_transcoded
from tests.real.turn import Turn

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0

ONLY_IPV6 = """
  const set = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    const reached = (line) => !line.startsWith("a=candidate") || line.split(" ")[4].includes(":");
    const lines = sdp.split("\\r\\n").filter(reached);
    return set.call(this, { type, sdp: lines.join("\\r\\n") });
  };
"""
"""A browser that reaches IPv6 addresses alone: it never sees the others."""


WITHOUT_CANDIDATES = ONLY_IPV6.replace('line.split(" ")[4].includes(":")', "false")
"""A browser whose checks reach nobody, as where a firewall before rtpengine lets in nothing that was not asked for."""


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    with Turn(tmp_path_factory.mktemp("turn")) as running:
        yield running


async def pair_of(page: Page) -> dict[str, Any]:
    """The pair of candidates that the page's media takes, as `getStats` has it: `local` and `remote`."""
    pair: dict[str, Any] = await page.evaluate(
        """async () => {
          const all = await window.__phone.peer().getStats();
          const transport = [...all.values()].find(({ type }) => type === "transport");
          const pair = all.get(transport.selectedCandidatePairId);
          return { local: all.get(pair.localCandidateId), remote: all.get(pair.remoteCandidateId) };
        }"""
    )
    return pair


async def sent(page: Page) -> dict[str, Any]:
    """The page's outgoing stream: `packetsSent`, and its codec's `sdpFmtpLine`."""
    figures: dict[str, Any] = await page.evaluate(
        """async () => {
          const all = await window.__phone.peer().getStats();
          const stream = [...all.values()].find(({ type }) => type === "outbound-rtp");
          return { ...stream, fmtp: all.get(stream.codecId)?.sdpFmtpLine ?? "" };
        }"""
    )
    return figures


async def test_a_page_that_only_a_relay_reaches_hears_and_is_heard(
    site_with: LiveSystemWith, turn: Turn, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    servers = {"ice_servers": f"{turn.stun_url},{turn.url}", "turn_secret": turn.secret}
    async with site_with(**servers) as site, unopened_softphone(browser) as phone:
        async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
            await phone.start(f"{site.app.url}/?relay=1", "1001")
            await phone.call("7012")
            await phone.talks()
            await phone.hears(FAR_TONE)
            stream = await far.stream()
            await stream.heard.wait_for_tone(PAGE_TONE)
            assert (await pair_of(phone.page))["local"]["candidateType"] == "relay"
            await phone.press("Hang up")
            await callee.done()
    assert any(":1001>" in line for line in turn.said("ALLOCATE processed, success"))


async def test_with_a_relay_at_hand_the_direct_way_is_taken_still(
    site_with: LiveSystemWith, turn: Turn, browser: Browser
) -> None:
    servers = {"ice_servers": turn.url, "turn_secret": turn.secret}
    async with site_with(**servers) as site, unopened_softphone(browser) as phone:
        await phone.start(site.app.url, "1001")
        await phone.call("601")
        await phone.hears(MILLIWATT)
        assert (await pair_of(phone.page))["local"]["candidateType"] in ("host", "prflx")
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")


async def test_a_page_whose_checks_do_not_come_through_is_found_by_its_candidates(
    site_with: LiveSystemWith, turn: Turn, browser: Browser
) -> None:
    async with site_with(ice_servers=turn.stun_url, ice_candidates="all") as site, unopened_softphone(browser) as phone:
        await phone.page.add_init_script(WITHOUT_CANDIDATES)
        await phone.start(site.app.url, "1001")
        await phone.call("600")
        await phone.hears(PAGE_TONE)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")


async def test_dead_servers_delay_no_call(site_with: LiveSystemWith, browser: Browser) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:  # it takes what comes, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.settimeout(0)
        dead = f"127.0.0.1:{silent.getsockname()[1]}"
        servers = {"ice_servers": f"stun:{dead},turn:{dead}", "turn_secret": "none" * 8}
        async with site_with(**servers) as site, unopened_softphone(browser) as phone:
            await phone.start(site.app.url, "1001")
            await phone.call("601")
            await phone.hears(MILLIWATT)
            await phone.press("Hang up")
            await phone.is_told("The call has ended.")
        assert silent.recv(1500)  # the page did ask


async def test_pcmu_passes_untouched(site_with: LiveSystemWith, far: RtpPeer, browser: Browser, tmp_path: Path) -> None:
    async with site_with(codecs="pcmu") as site, unopened_softphone(browser) as phone:
        async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
            await phone.start(site.app.url, "1001")
            await phone.call("7012")
            await phone.hears(FAR_TONE)
            stream = await far.stream()
            await stream.heard.wait_for_tone(PAGE_TONE)
            assert stream.payload_types == {PCMU}
            assert await codecs_of(phone.page) == {"inbound-rtp": "audio/PCMU", "outbound-rtp": "audio/PCMU"}
            await until_transcoded(site.app.media, 0)
            await phone.press("Hang up")
            await callee.done()


@pytest.mark.parametrize("dtx", [False, True], ids=["plain", "dtx"])
async def test_a_muted_page_sends_hardly_anything_where_dtx_is_set(
    site_with: LiveSystemWith, browser: Browser, dtx: bool
) -> None:
    async with site_with(opus_dtx=dtx) as site, unopened_softphone(browser) as phone:
        await phone.start(site.app.url, "1001")
        await phone.call("601")
        await phone.hears(MILLIWATT)
        fmtp = (await sent(phone.page))["fmtp"]
        assert "useinbandfec=1" in fmtp and f"usedtx={dtx:d}" in fmtp
        await phone.press("Mute")
        await asyncio.sleep(1.0)  # the encoder needs some silence first
        before = (await sent(phone.page))["packetsSent"]
        await asyncio.sleep(2.0)
        packets = (await sent(phone.page))["packetsSent"] - before
        assert packets < 25 if dtx else packets > 50  # 100 without a pause, 5 with DTX
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")


async def test_a_page_without_ipv4_hears_and_is_heard(pbx: Pbx, far: RtpPeer, browser: Browser, tmp_path: Path) -> None:
    require_installed(loopback_ipv6() != "", "IPv6 on loopback")
    [ng] = free_ports.ports(1)
    with Rtpengine(tmp_path / "rtpengine", ng_port=ng, rtp_range=free_ports.rtp_range(), ipv6="::1") as rtpengine:
        async with live_system(pbx, rtpengine, http_host="::1") as site, unopened_softphone(browser) as phone:
            async with Sipp("phone_answers", tmp_path, port=pbx.trunk_port, rtp_port=far.port) as callee:
                await phone.page.add_init_script(ONLY_IPV6)
                await phone.start(site.app.url, "1001")
                await phone.call("7012")
                await phone.hears(FAR_TONE)
                stream = await far.stream()
                await stream.heard.wait_for_tone(PAGE_TONE)
                assert ":" in (await pair_of(phone.page))["remote"]["address"]
                await phone.press("Hang up")
                await callee.done()
