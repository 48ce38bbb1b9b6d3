"""TURN credentials on a real coturn; IPv6, late candidates and both codecs on a real rtpengine."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aioice.ice
import aioice.stun
import aioice.turn
import pytest
from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)

from ari_bridge.media import sdp as sdp_text
from ari_bridge.media.candidate_filter import PassedOn
from ari_bridge.media.codec_policy import CodecMode, CodecPolicy
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.pool import Pool
from ari_bridge.net import RtpAddress
from ari_bridge_client.aiortc_media import allow_loopback_candidates
from ari_bridge_client.audio import Silence, Tone
from deploy.demo.rtpengine import Rtpengine, loopback_ipv6
from frontend.webrtc.ice_servers import Credentials, credentials
from tests.real import free_ports
from tests.real.live_system import LiveSystemWith
from tests.real.offer_only_call import OFFER
from tests.real.parts import require_installed
from tests.real.rtp import RtpPeer
from tests.real.sdp import codecs
from tests.real.transcoding import until_transcoded
from tests.real.turn import HOST, Turn

pytestmark = pytest.mark.real

APP = "ari-bridge"
TONE = 700.0
MILLIWATT = 1004.0


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    with Turn(tmp_path_factory.mktemp("turn")) as running:
        yield running


@pytest.fixture
async def pool(rtpengine: Rtpengine) -> AsyncIterator[Pool]:
    pool = Pool([NodeAddress.parse(rtpengine.ng_address)], app=APP)
    await pool.start()
    yield pool
    for leg in await pool.sessions():
        await pool.delete(leg)
    await pool.close()


# --- TURN --------------------------------------------------------------------------------


async def allocate(turn: Turn, given: Credentials, transport: str) -> None:
    """A relay for whoever has these credentials. Raises aioice.stun.TransactionFailed."""
    relay, _ = await aioice.turn.create_turn_endpoint(
        asyncio.DatagramProtocol, (HOST, turn.port), given.username, given.password, transport=transport
    )
    relay.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_coturn_accepts_the_credentials_of_a_page(turn: Turn, transport: str) -> None:
    await allocate(turn, credentials(turn.secret, "1001", int(time.time()) + 60), transport)


async def test_coturn_rejects_expired_and_forged_credentials(turn: Turn) -> None:
    ended = credentials(turn.secret, "1001", int(time.time()) - 60)
    later = Credentials(f"{ended.expires_at + 3600}:1001", ended.password, ended.expires_at + 3600)
    foreign = credentials("another secret", "1001", int(time.time()) + 60)
    for given in (ended, later, foreign):
        with pytest.raises(aioice.stun.TransactionFailed, match="401"):
            await allocate(turn, given, "udp")


async def test_a_client_that_only_a_relay_reaches_is_heard(turn: Turn, pool: Pool) -> None:
    """rtpengine is told no candidate of it: it learns the relay's address from the checks that come out of it."""
    given = credentials(turn.secret, "1001", int(time.time()) + 60)
    server = RTCIceServer(urls=[turn.url], username=given.username, credential=given.password)
    client = RTCPeerConnection(RTCConfiguration(iceServers=[server], iceTransportPolicy=RTCIceTransportPolicy.RELAY))
    async with RtpPeer(None) as asterisk:
        await talk(client, pool, asterisk, strip_candidates=True)
        stream = await asterisk.stream()
        await stream.heard.wait_for_tone(TONE)
        await client.close()
    assert turn.said("CHANNEL_BIND processed") or turn.said("CREATE_PERMISSION processed")


async def talk(client: RTCPeerConnection, pool: Pool, asterisk: RtpPeer, *, strip_candidates: bool = False) -> str:
    """The client sends a tone through rtpengine to `asterisk`; its SDP answer."""
    client.addTrack(Tone(TONE))
    await client.setLocalDescription(await client.createOffer())
    offer = client.localDescription.sdp
    if strip_candidates:
        offer = "\r\n".join(line for line in offer.splitlines() if not line.startswith("a=candidate")) + "\r\n"
    await pool.offer("call-em", offer)
    answer = await pool.answer("call-em", RtpAddress("127.0.0.1", asterisk.port))
    await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return answer


# --- IPv6 --------------------------------------------------------------------------------


@pytest.fixture
def only_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice knows no address of this machine but ::1."""
    require_installed(loopback_ipv6() != "", "IPv6 on loopback")
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["::1"] if use_ipv6 else [])


@pytest.mark.usefixtures("only_ipv6")
async def test_a_client_without_ipv4_is_heard_by_an_asterisk_without_ipv6(tmp_path: Path) -> None:
    [ng] = free_ports.ports(1)
    with Rtpengine(tmp_path, ng_port=ng, rtp_range=free_ports.rtp_range(), ipv6="::1") as rtpengine:
        pool = Pool([NodeAddress.parse(rtpengine.ng_address)], app=APP)
        await pool.start()
        client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        async with RtpPeer(None) as asterisk:
            answer = await talk(client, pool, asterisk)
            assert " ::1 " in answer and " 127.0.0.1 " in answer  # candidates of both families
            stream = await asterisk.stream()  # it listens on 127.0.0.1 alone
            await stream.heard.wait_for_tone(TONE)
            await client.close()
        await pool.delete("call-em")
        await pool.close()


# --- candidates that come after their offer ---------------------------------------------------


class Checked(asyncio.DatagramProtocol):
    """A browser's port that nobody knows until its candidate is told: `came` is set by rtpengine's check (STUN)."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data[:2] == b"\x00\x01":
            self.came.set()


@pytest.mark.parametrize("passed_on, checks", [(PassedOn.ALL, True), (PassedOn.AUTO, False)])
async def test_rtpengine_writes_first_to_a_browser_whose_candidate_is_told(
    rtpengine: Rtpengine, passed_on: PassedOn, checks: bool
) -> None:
    """To an address of its own machine only if the settings say so."""
    pool = Pool([NodeAddress.parse(rtpengine.ng_address)], app=APP, candidates=passed_on)
    await pool.start()
    loop = asyncio.get_running_loop()
    transport, browser = await loop.create_datagram_endpoint(Checked, local_addr=("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        await pool.offer("call-em", OFFER)
        await pool.answer("call-em", RtpAddress("127.0.0.1", 9))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(browser.came.wait(), 1.0)
        candidate = f"1 1 udp 1677729535 127.0.0.1 {port} typ srflx raddr 0.0.0.0 rport 0"
        await pool.trickle("call-em", sdp_text.with_candidates(OFFER, [candidate], complete=True))
        if checks:
            await asyncio.wait_for(browser.came.wait(), 5.0)
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(browser.came.wait(), 2.0)
    finally:
        transport.close()
        await pool.delete("call-em")
        await pool.close()


# --- codecs --------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["opus", "pcmu"])
async def test_pcmu_passes_untouched_and_opus_is_transcoded(site_with: LiveSystemWith, setting: str) -> None:
    async with site_with(codecs=setting) as site:
        async with site.phone("1001") as phone:
            call = await phone.call("601", source=Silence())
            await call.received_audio.wait_for_tone(MILLIWATT)
            assert codecs(call.sdp_answer)[0].lower() == setting
            assert len({"opus", "PCMU"} & set(codecs(call.sdp_answer))) == 1
            await until_transcoded(site.app.media, 1 if setting == "opus" else 0)
            await call.hangup()


async def test_rtpengine_s_own_count_of_transcoded_sessions_is_ours(rtpengine: Rtpengine) -> None:
    """Another front end sees them too, by what rtpengine says."""
    address = NodeAddress.parse(rtpengine.ng_address)
    ours = Pool([address], app="one", policy=CodecPolicy(CodecMode.OPUS))
    other = Pool([address], app="other", policy=CodecPolicy(CodecMode.AUTO, limit=2))
    await ours.start()
    allow_loopback_candidates()
    clients = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2)]
    async with RtpPeer(700.0) as asterisk:
        for number, client in enumerate(clients):
            client.addTrack(Silence())
            await client.setLocalDescription(await client.createOffer())
            await ours.offer(f"c{number}-em", client.localDescription.sdp)
            answer = await ours.answer(f"c{number}-em", RtpAddress("127.0.0.1", asterisk.port))
            await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await asterisk.stream(1)
        await other.start()
        await until_transcoded(other, 2)
        await other.offer("spared-em", OFFER)
        spared = await other.answer("spared-em", RtpAddress("127.0.0.1", asterisk.port))
        assert codecs(spared) == ["PCMU"]
        await asyncio.gather(*(client.close() for client in clients))
    await other.delete("spared-em")
    for leg in await ours.sessions():
        await ours.delete(leg)
    await ours.close()
    await other.close()
