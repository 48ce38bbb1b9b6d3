"""A caller of the legacy PBX rings a user's pages and SIP phones together: SIPp plays the edge with the phones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client.audio import Tone
from tests.fakes.kamailio import FakeKamailio
from tests.real import free_ports
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import both_versions
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.sipp.conftest import FAR_TONE
from tests.sipp.test_direct_out import ended, the_call

pytestmark = [pytest.mark.real, both_versions]
PAGE_TONE, PHONE_TONE = 440.0, 900.0


@asynccontextmanager
async def with_edge(site_with: LiveSystemWith, port: int) -> AsyncIterator[LiveSystem]:
    """A system whose edge, at `port`, has a phone of 1001 registered."""
    async with FakeKamailio() as edge:
        edge.register("1001", "sip:1001@192.0.2.7:5060")
        ring = f"PJSIP/edge/sip:{{user}}@{free_ports.HOST}:{port}"
        async with site_with(sip_edge_token=edge.token, sip_edge_rpc_url=edge.url, sip_edge_ring=ring) as site:
            async with asyncio.timeout(5):
                while not site.app.sip_phones.users():  # noqa: ASYNC110  read every other second
                    await asyncio.sleep(0.02)
            yield site


async def test_the_phone_answers_first_and_the_page_is_told(
    site_with: LiveSystemWith, far: RtpPeer, tmp_path: Path
) -> None:
    [port] = free_ports.ports(1)
    async with (
        with_edge(site_with, port) as site,
        RtpPeer(PHONE_TONE) as phone,
        site.phone("1001") as page,
        Sipp("phone_answers", tmp_path, port=port, rtp_port=phone.port) as registered,
        Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller,
    ):
        incoming = await page.incoming(timeout=5)
        assert await incoming.wait_until_stopped(timeout=5) == "accepted_elsewhere"
        call = await the_call(site, "accepted")
        assert (call.user, call.direction.value, bool(call.near)) == ("1001", "inbound", True)
        await caller.saw("SIP/2.0 200")
        far.speak((free_ports.HOST, sdp_port(caller)))
        await (await phone.stream()).heard.wait_for_tone(FAR_TONE)
        await (await far.stream()).heard.wait_for_tone(PHONE_TONE)
        assert "sip:1001@" in registered.messages.partition("\n")[2]
        site.app.calls.hangup(call.id)
        await registered.done()
        await caller.done()


async def test_the_page_answers_first_and_the_phone_stops(
    site_with: LiveSystemWith, far: RtpPeer, tmp_path: Path
) -> None:
    [port] = free_ports.ports(1)
    async with (
        with_edge(site_with, port) as site,
        site.phone("1001") as page,
        Sipp("phone_never_answers", tmp_path, port=port) as registered,
        Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller,
    ):
        incoming = await page.incoming(timeout=5)
        await registered.saw("INVITE sip:1001@")
        call = await incoming.answer(Tone(PAGE_TONE))
        await call.wait_for("accepted", timeout=5)
        await registered.done()
        assert "cause=26" in registered.messages, "answered elsewhere: no phone lists it as missed"
        await call.received_audio.wait_for_tone(FAR_TONE)
        await call.hangup()
        await caller.done()


@pytest.mark.parametrize("status", ["404 Not Found", "480 Temporarily Unavailable", "500 Server Error"])
async def test_a_phone_that_cannot_be_reached_leaves_the_page_ringing(
    site_with: LiveSystemWith, far: RtpPeer, tmp_path: Path, status: str
) -> None:
    [port] = free_ports.ports(1)
    async with (
        with_edge(site_with, port) as site,
        site.phone("1001") as page,
        Sipp("phone_refuses", tmp_path, port=port, refusal=f"SIP/2.0 {status}") as registered,
        Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller,
    ):
        incoming = await page.incoming(timeout=5)
        await registered.done()
        call = await incoming.answer(Tone(PAGE_TONE))
        await call.received_audio.wait_for_tone(FAR_TONE)
        await call.hangup()
        await caller.done()


async def test_a_phone_alone_rings_and_declines(site_with: LiveSystemWith, tmp_path: Path) -> None:
    [port] = free_ports.ports(1)
    async with (
        with_edge(site_with, port) as site,
        Sipp("phone_refuses", tmp_path, port=port, refusal="SIP/2.0 603 Decline") as registered,
        Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller,
    ):
        await registered.done()
        await caller.done()
        assert "SIP/2.0 486" in caller.messages


async def test_a_caller_who_gives_up_stops_the_phone(site_with: LiveSystemWith, tmp_path: Path) -> None:
    [port] = free_ports.ports(1)
    async with (
        with_edge(site_with, port) as site,
        Sipp("phone_never_answers", tmp_path, port=port) as registered,
        Sipp("caller_cancels", tmp_path, to=site.pbx.sip_port) as caller,
    ):
        call = await the_call(site, "ringing")
        await registered.saw("INVITE sip:1001@")
        await caller.saw("SIP/2.0 180")
        await caller.tell()
        await caller.done()
        await registered.done()
        assert (await ended(site, call)).outcome is Outcome.CANCELLED


def sdp_port(sipp: Sipp) -> int:
    """Where the PBX takes this SIPp's sound."""
    return int(sipp.messages.rpartition("m=audio ")[2].split()[0])
