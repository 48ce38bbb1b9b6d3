"""How a real call has sounded, as its record has it: rtpengine's figures, the page's report, and the feedback."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiortc import RTCDtlsTransport
from aiortc.rtp import is_rtcp

from ari_bridge_client.audio import Tone
from ari_bridge_protocol import messages
from tests.real.live_system import LiveSystem

pytestmark = pytest.mark.real
REPORT = messages.QualityReport(8.0, 4.2, 3.9, 0.5, 2.0, 3.0, 9.0, codec="opus", warnings=("loss",))


async def record(site: LiveSystem, call_id: str, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The call's record, once it is as wanted."""
    async with aiohttp.ClientSession(site.app.url) as http, asyncio.timeout(15):
        while True:
            async with http.get(f"/cdrs/{call_id}") as response:
                found: dict[str, Any] = await response.json()
            if response.status == 200 and wanted(found):
                return found
            await asyncio.sleep(0.1)


async def test_figures_report_and_feedback_are_in_the_record(site: LiveSystem) -> None:
    async with site.phone("1001") as phone:
        call = await phone.call("600", source=Tone(700))
        await call.received_audio.wait_for_tone(700, timeout=8)
        await phone.send(messages.Quality(call.id, REPORT))
        await call.hangup()
        await call.post_feedback(2, "choppy", "like a robot")
        found = await record(site, call.id, lambda row: row["feedback"] and "rtpengine" in row["quality"])
    assert found["codecs"] == "opus, PCMU"
    assert found["feedback"] == {"score": 2, "issue": "choppy", "comment": "like a robot"}
    assert found["quality"]["page"]["worstMos"] == 3.9
    sides = found["quality"]["rtpengine"]
    assert sides["browser"]["packets"] > 5 and sides["asterisk"]["packets"] > 5


async def test_packets_that_are_lost_on_the_way_here_are_seen(
    site: LiveSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_every(10, monkeypatch)
    async with site.phone("1001") as phone:
        call = await phone.call("600", source=Tone(700))
        await call.wait_for("accepted")
        await asyncio.sleep(20)  # rtpengine reports about every ten seconds
        await call.hangup()
        found = await record(site, call.id, lambda row: "rtpengine" in row["quality"])
    browser = found["quality"]["rtpengine"]["browser"]
    assert browser["lost"] > 10 and browser["lossPercent"] > 3
    assert browser["mos"] < 4.4


def lose_every(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the RTP that phones send, lose every so-manieth packet on its way."""
    send = RTCDtlsTransport._send_rtp
    sent = 0

    async def send_some(transport: RTCDtlsTransport, data: bytes) -> None:
        nonlocal sent
        sent += 1
        if sent % number or is_rtcp(data):
            await send(transport, data)

    monkeypatch.setattr(RTCDtlsTransport, "_send_rtp", send_some)


async def test_feedback_is_refused_where_it_makes_no_sense(site: LiveSystem) -> None:
    async with site.phone("1001") as phone, aiohttp.ClientSession(site.app.url) as http:
        call = await phone.call("600", source=Tone(700))
        assert await status(http.post(f"/call/{call.id}/feedback", json={"score": 5})) == 409  # it goes on
        await call.hangup()
        assert await status(http.post(f"/call/{call.id}/feedback", json={"score": 6})) == 400
        assert await status(http.post(f"/call/{call.id}/feedback", json={"score": 5, "issue": "smell"})) == 400
        assert await status(http.post(f"/call/{call.id}/feedback", json={"score": 5, "comment": "x" * 501})) == 400
        assert await status(http.post("/call/unknown/feedback", json={"score": 5})) == 404
        assert await status(http.post(f"/call/{call.id}/feedback", json={"score": 4})) == 202
        assert (await record(site, call.id, lambda row: row["feedback"]))["feedback"] == {"score": 4}


async def status(asked: Any) -> int:
    response: aiohttp.ClientResponse
    async with asked as response:
        return response.status
