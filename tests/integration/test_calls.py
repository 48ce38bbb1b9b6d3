"""A browser's call through the real Asterisk and rtpengine, proved by what each side hears; Asterisk 16.28 and 22."""

import asyncio
from typing import Any

import aiohttp
import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client import Refused
from ari_bridge_client.audio import Silence, Tone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.offer_only_call import OFFER
from tests.real.parts import both_versions
from tests.real.sdp import codecs

pytestmark = pytest.mark.real
MILLIWATT = 1004.0


@both_versions
async def test_601_is_heard_as_1004_hz_in_opus_and_pcmu(site: LiveSystem) -> None:
    async with site.phone("1001") as phone:
        call = await phone.call("601", source=Silence())
        await call.wait_for("accepted")
        await call.received_audio.wait_for_tone(MILLIWATT)
        assert "opus" in codecs(call.sdp_offer) and "PCMU" in codecs(call.sdp_offer)
        assert codecs(call.sdp_answer)[0] == "opus"
        assert "PCMU" not in codecs(call.sdp_answer)
        channels = await asyncio.to_thread(site.pbx.asterisk.cli, f"core show channel {await em_channel(site)}")
        assert "ulaw" in channels and "opus" not in channels
        assert (await call.get_stats()).packets_lost == 0
        await call.hangup()
        assert call.outcome is Outcome.COMPLETED
        assert call.state_history[-2:] == ["accepted", "ended"]


async def em_channel(site: LiveSystem) -> str:
    """The name of the one external media channel."""
    [name] = [channel.name for channel in await site.app.ari.channels.list() if channel.id.endswith("-em")]
    return name


@both_versions
async def test_600_gives_the_page_s_own_tone_back(site: LiveSystem) -> None:
    async with site.phone("1001") as phone:
        call = await phone.call("600", source=Tone(700))
        await call.received_audio.wait_for_tone(700, timeout=8)
        await call.hangup()


@both_versions
async def test_page_calls_page_and_both_are_heard(site: LiveSystem) -> None:
    async with site.phone("1001") as one, site.phone("1002") as other:
        placing = asyncio.create_task(one.call("1002", source=Tone(500)))
        incoming = await other.incoming(timeout=5)
        assert incoming.caller == "1001"
        taken = await incoming.answer(Tone(900))
        placed = await placing
        await placed.wait_for("accepted")
        await taken.wait_for("accepted")
        await placed.received_audio.wait_for_tone(900)
        await taken.received_audio.wait_for_tone(500)
        await taken.hangup()
        await placed.wait_for("ended")
        assert placed.outcome is Outcome.COMPLETED


@both_versions
async def test_606_reads_the_digits_that_are_pressed(site: LiveSystem) -> None:
    async with site.phone() as phone:
        call = await phone.call("606", source=Silence())
        await call.wait_for("accepted")
        for digit in "601":
            await call.send_dtmf(digit)
        await call.received_audio.wait_for_tone(MILLIWATT, timeout=8)
        await call.hangup()


async def test_602_plays_music(site: LiveSystem) -> None:
    async with site.phone() as phone:
        call = await phone.call("602", source=Silence())
        await call.wait_for("accepted")
        async with asyncio.timeout(5):
            while call.received_audio.analyze().is_silent:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await call.hangup()


@both_versions
@pytest.mark.parametrize(
    ("target", "outcome", "q850"),
    [("604", Outcome.BUSY, 17), ("605", Outcome.UNREACHABLE, 34), ("5555", Outcome.UNREACHABLE, None)],
    ids=["604-busy", "605-congestion", "unknown-number"],
)
async def test_calls_that_are_not_taken(site: LiveSystem, target: str, outcome: Outcome, q850: int | None) -> None:
    async with site.phone() as phone:
        call = await phone.call(target, source=Silence())
        await call.wait_for("ended")
        assert call.outcome is outcome
        cause = site.app.calls.get(call.id).cause
        assert cause is not None
        if q850 is not None:
            assert cause.q850 == q850
        assert "accepted" not in call.state_history


@both_versions
async def test_603_rings_until_the_page_gives_up(site: LiveSystem) -> None:
    async with site.phone() as phone:
        call = await phone.call("603", source=Silence())
        await call.wait_for("ringing")
        await call.hangup()
        assert call.outcome is Outcome.CANCELLED
        assert call.state_history[-2:] == ["ringing", "ended"]


async def test_603_rings_until_the_time_is_over(site_with: LiveSystemWith) -> None:
    async with site_with(ring_timeout=0.5) as site, site.phone() as phone:
        call = await phone.call("603", source=Silence())
        await call.wait_for("ended")
        assert call.outcome is Outcome.NO_ANSWER


@both_versions
async def test_a_hang_up_by_the_pbx_ends_the_page_s_call(site: LiveSystem) -> None:
    async with site.phone() as phone:
        call = await phone.call("601", source=Silence())
        await call.wait_for("accepted")
        [name] = [channel.name for channel in await site.app.ari.channels.list() if channel.id.endswith("-far")]
        far_end = name.removesuffix(";1") + ";2"
        await asyncio.to_thread(site.pbx.asterisk.cli, f"channel request hangup {far_end}")
        await call.wait_for("ended")
        assert call.outcome is Outcome.COMPLETED


async def test_two_accepts_at_once_one_has_the_call(site: LiveSystem) -> None:
    async with site.phone("1002") as one, site.phone("1002") as two, site.phone("1001") as caller:
        placing = asyncio.create_task(caller.call("1002", source=Tone(500)))
        here, there = await one.incoming(timeout=5), await two.incoming(timeout=5)
        results = await asyncio.gather(here.answer(Tone(900)), there.answer(Tone(900)), return_exceptions=True)
        refused = [result for result in results if isinstance(result, Refused)]
        assert len(refused) == 1, results
        assert refused[0].code == "wrong_state"
        [taken] = [result for result in results if not isinstance(result, BaseException)]
        await taken.received_audio.wait_for_tone(500)
        await (await placing).hangup()
        await taken.wait_for("ended")


async def test_a_page_that_disappears_ends_its_call_after_the_grace(site: LiveSystem) -> None:
    async with site.phone("1001") as phone:
        call = await phone.call("601", source=Silence())
        await call.received_audio.wait_for_tone(MILLIWATT)
        await phone.abort()
        async with asyncio.timeout(10):
            while site.app.calls.live():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert site.app.calls.get(call.id).outcome is Outcome.LOST


async def test_the_four_http_requests_of_a_plain_client(site: LiveSystem) -> None:
    async with aiohttp.ClientSession(site.app.url) as http:
        body = {"target": "601", "sdp": OFFER, "caller": "1001", "callId": "plain.client"}
        async with http.post("/invite", json=body) as response:
            assert response.status == 201
            answer = await response.json()
        assert answer["callId"] == "plain.client" and codecs(answer["sdp"])[0] == "opus"
        call = await state_of(http, "plain.client", "accepted")
        assert (call["target"], call["caller"], call["direction"]) == ("601", "1001", "outbound")
        async with http.get("/stats") as response:
            assert response.status == 200
        async with http.delete("/call/plain.client") as response:
            assert response.status == 204
        call = await state_of(http, "plain.client", "ended")
        assert call["outcome"] == "completed"


async def state_of(http: aiohttp.ClientSession, call_id: str, state: str) -> dict[str, Any]:
    """The call once it is in this state. Raises TimeoutError."""
    async with asyncio.timeout(5):
        while True:
            async with http.get(f"/call/{call_id}") as response:
                call: dict[str, Any] = await response.json()
            if call["state"] == state:
                return call
            await asyncio.sleep(0.02)


async def test_the_second_port_serves_the_websocket_at_its_root(site: LiveSystem) -> None:
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(site.app.legacy_ws_url) as socket:
            assert (await socket.receive_json())["type"] == "welcome"
        async with http.get(site.app.legacy_ws_url.replace("ws:", "http:") + "health") as response:
            assert response.status == 200
