"""A SIP client of our user calls out: SIPp plays the SIP edge, which names the user, to a real Asterisk."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.errors import WrongState
from ari_bridge.fsm.call import Call, Resource
from ari_bridge.outcomes import Outcome
from tests.offers import OFFER
from tests.real import free_ports
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import both_versions
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.sipp.conftest import FAR_TONE

pytestmark = [pytest.mark.real, both_versions]
CLIENT_TONE = 440.0
OK = "SIP/2.0 200 OK"


class SipClient:
    """`sipp` and its sound: `speak()` once it has been sent an SDP."""

    def __init__(self, sipp: Sipp, peer: RtpPeer) -> None:
        self.sipp = sipp
        self.peer = peer

    def speak(self) -> None:
        ports = re.findall(r"^m=audio (\d+)", self.sipp.messages, re.M)
        self.peer.speak((free_ports.HOST, int(ports[-1])))

    async def hears(self, hz: float) -> None:
        await (await self.peer.stream()).heard.wait_for_tone(hz)


@asynccontextmanager
async def sip_client(
    site: LiveSystem, folder: Path, scenario: str, number: str = "7001", **keys: Any
) -> AsyncIterator[SipClient]:
    async with RtpPeer(CLIENT_TONE) as peer:
        sipp = Sipp(
            scenario, folder, to=site.pbx.sip_port, number=number, rtp_port=peer.port, **{"user": "1001", **keys}
        )
        async with sipp:
            yield SipClient(sipp, peer)


def phone(site: LiveSystem, folder: Path, scenario: str, far: RtpPeer | None = None, **keys: Any) -> Sipp:
    return Sipp(scenario, folder, port=site.pbx.trunk_port, rtp_port=far.port if far else 0, **keys)


async def the_call(site: LiveSystem, state: str) -> Call:
    """The only one, in this state of the protocol. Raises TimeoutError."""
    async with asyncio.timeout(5):
        while not [one for one in site.app.calls.live() if one.state.value == state]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    [call] = site.app.calls.live()
    return call


async def ended(site: LiveSystem, call: Call) -> Call:
    async with asyncio.timeout(5):
        while site.app.calls.get(call.id).ended_at is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return site.app.calls.get(call.id)


async def test_both_hear_each_other_and_the_client_hangs_up(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with (
        phone(site, tmp_path, "phone_answers", far) as callee,
        sip_client(site, tmp_path, "caller_hangs_up", caller="110") as client,
    ):
        call = await the_call(site, "accepted")
        assert (call.user, call.target, call.caller) == ("1001", "7001", "1001")
        await client.sipp.saw(OK)
        client.speak()
        await (await far.stream()).heard.wait_for_tone(CLIENT_TONE)
        await client.hears(FAR_TONE)
        await client.sipp.tell()
        await client.sipp.done()
        await callee.done()
    assert (await ended(site, call)).outcome is Outcome.COMPLETED
    assert "sip:110@" not in callee.messages, "a client may not choose the number that it is shown with"


async def test_the_phone_hangs_up(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with (
        phone(site, tmp_path, "phone_hangs_up", far) as callee,
        sip_client(site, tmp_path, "caller_stays") as client,
    ):
        call = await the_call(site, "accepted")
        await callee.tell()
        await client.sipp.done()
    assert (await ended(site, call)).outcome is Outcome.COMPLETED


async def test_the_client_is_hung_up_by_the_http_api(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with (
        phone(site, tmp_path, "phone_answers", far) as callee,
        sip_client(site, tmp_path, "caller_stays") as client,
        aiohttp.ClientSession(site.app.url) as http,
    ):
        call = await the_call(site, "accepted")
        async with http.get(f"/call/{call.id}") as response:
            told = await response.json()
        assert (told["user"], told["state"], told["near"]) == ("1001", "accepted", "sip")
        with pytest.raises(WrongState):
            site.app.calls.renew_media(call.id, sdp=OFFER)
        async with http.delete(f"/call/{call.id}") as response:
            assert response.status < 300, await response.text()
        await client.sipp.done()
        await callee.done()


async def test_early_media_is_heard_and_no_sooner_said_than_done(
    site: LiveSystem, far: RtpPeer, tmp_path: Path
) -> None:
    async with (
        phone(site, tmp_path, "phone_plays_first", far) as callee,
        sip_client(site, tmp_path, "caller_stays") as client,
    ):
        await client.sipp.saw("SIP/2.0 183")
        client.speak()
        await (await far.stream()).heard.wait_for_tone(CLIENT_TONE)
        await client.hears(FAR_TONE)
        assert OK not in client.sipp.messages
        await callee.tell()
        call = await the_call(site, "accepted")
        site.app.calls.hangup(call.id)
        await client.sipp.done()
        await callee.done()


async def test_one_who_answers_at_once_makes_no_provisional_response(site: LiveSystem, tmp_path: Path) -> None:
    """Some clients on TCP take the first response for the final one."""
    async with sip_client(site, tmp_path, "caller_stays", number="601", tcp=True) as client:
        call = await the_call(site, "accepted")
        await client.sipp.saw(OK)
        site.app.calls.hangup(call.id)
        await client.sipp.done()
        assert "SIP/2.0 18" not in client.sipp.messages


@pytest.mark.parametrize(
    ("number", "status"),
    [("604", "486"), ("605", "503"), ("699", "404"), ("+8821612345678", "403"), ("h", "484")],
    ids=["busy", "congestion", "no-such-number", "not-permitted", "special"],
)
async def test_a_refusal_has_its_status(site: LiveSystem, tmp_path: Path, number: str, status: str) -> None:
    async with sip_client(site, tmp_path, "caller_is_refused", number=number) as client:
        await client.sipp.done()
        assert f"SIP/2.0 {status}" in client.sipp.messages


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("486 Busy Here", "486"),
        ("404 Not Found", "404"),
        ("480 Temporarily Unavailable", "480"),
        ("603 Decline", "403"),
    ],
)
async def test_what_the_phone_refuses_with_is_passed_on(
    site: LiveSystem, tmp_path: Path, said: str, status: str
) -> None:
    async with (
        phone(site, tmp_path, "phone_refuses", refusal=f"SIP/2.0 {said}"),
        sip_client(site, tmp_path, "caller_is_refused") as client,
    ):
        await client.sipp.done()
        assert f"SIP/2.0 {status}" in client.sipp.messages


async def test_a_user_has_no_more_calls_than_anywhere(site_with: LiveSystemWith, tmp_path: Path) -> None:
    async with site_with(max_calls_per_user=1) as site:
        async with sip_client(site, tmp_path / "first", "caller_stays", number="601") as first:
            call = await the_call(site, "accepted")
            async with sip_client(site, tmp_path / "second", "caller_is_refused", number="601") as second:
                await second.sipp.done()
                assert "SIP/2.0 503" in second.sipp.messages
            site.app.calls.hangup(call.id)
            await first.sipp.done()


async def test_a_cancel_while_it_rings_ends_the_call(site: LiveSystem, tmp_path: Path) -> None:
    async with (
        phone(site, tmp_path, "phone_never_answers") as callee,
        sip_client(site, tmp_path, "caller_cancels") as client,
    ):
        call = await the_call(site, "ringing")
        await client.sipp.saw("SIP/2.0 180")
        await client.sipp.tell()
        await client.sipp.done()
        await callee.done()
    assert (await ended(site, call)).outcome is Outcome.CANCELLED


async def test_the_client_s_hold_is_the_call_s(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with (
        phone(site, tmp_path, "phone_answers", far) as callee,
        sip_client(site, tmp_path, "caller_holds") as client,
        aiohttp.ClientSession(site.app.url) as http,
    ):
        call = await the_call(site, "accepted")
        await client.sipp.saw(OK)
        client.speak()
        heard = (await far.stream()).heard
        await heard.wait_for_tone(CLIENT_TONE)
        await client.sipp.tell()
        await client.sipp.saw("CSeq: 2 ACK")
        async with asyncio.timeout(5):
            while not site.app.calls.get(call.id).held:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        async with http.post(f"/call/{call.id}/hold", json={"held": False}) as response:
            assert response.status == 409, await response.text()
        await client.sipp.tell()
        await client.sipp.saw("CSeq: 3 ACK")
        async with asyncio.timeout(5):
            while site.app.calls.get(call.id).held:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        far.forget()
        await (await far.stream()).heard.wait_for_tone(CLIENT_TONE)
        site.app.calls.hangup(call.id)
        await client.sipp.done()
        await callee.done()


async def test_hold_record_and_transfer_by_the_http_api(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with (
        phone(site, tmp_path, "phone_answers", far) as callee,
        sip_client(site, tmp_path, "caller_stays") as client,
    ):
        call = await the_call(site, "accepted")
        await client.sipp.saw(OK)
        client.speak()
        await client.hears(FAR_TONE)
        control = site.app.calls.control
        control.hold(call.id, True)
        await (await far.stream()).heard.wait_for_tones(set(), [CLIENT_TONE])
        control.hold(call.id, False)
        far.forget()
        await (await far.stream()).heard.wait_for_tone(CLIENT_TONE)
        control.transfer(call.id, "601")
        await client.sipp.done()  # our side has left: its client is hung up
        left = site.app.calls.get(call.id)
        assert left.left_outcome is Outcome.TRANSFERRED
        assert Resource.NEAR not in left.allocated
        far.forget()
        await (await far.stream()).heard.wait_for_tone(1004.0)
        site.app.calls.hangup(call.id)
        await callee.done()


async def test_nobody_but_the_edge_can_name_a_user(site: LiveSystem, tmp_path: Path) -> None:
    async with sip_client(site, tmp_path, "caller_is_refused", number="601", user="", identity="X-Nobody: -") as client:
        await client.sipp.done()
    assert site.app.calls.live() == []
