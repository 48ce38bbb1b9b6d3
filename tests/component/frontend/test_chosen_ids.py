"""Call ids as clients choose them: taken, answered by everywhere, and found again by the next process."""

import asyncio
import json
import uuid
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from yarl import URL

from ari_bridge.ari.readiness import MARK
from ari_bridge.ari.readiness import MARK as READINESS
from ari_bridge.ids import leg_id, stem_of
from frontend.app import App
from frontend.http.idempotency import HEADER
from frontend.settings import Settings
from tests.component.conftest import until
from tests.component.frontend.test_sessions import page, told
from tests.fakes.ari import FakeAri, RingsForEver
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER

CHOSEN = [
    "call-1790000000000",
    str(uuid.uuid4()),
    "7",
    "a/b/../c?d=1#e %2F{f}&g",
    'order "4711" <script>',
    "заказ №7 📞",
    "x" * 128,
]


def path(call_id: str, rest: str = "") -> URL:
    return URL(f"/call/{quote(call_id, safe='')}{rest}", encoded=True)


async def json_of(http: aiohttp.ClientSession, method: str, where: URL | str, **asked: Any) -> Any:
    async with http.request(method, where, **asked) as response:
        assert response.status < 300, await response.text()
        return await response.json() if response.content_type == "application/json" else None


@pytest.mark.parametrize("call_id", CHOSEN)
async def test_a_call_is_answered_by_the_id_that_its_client_chose(
    http: aiohttp.ClientSession, app: App, pbx: FakeAri, rtpengine: FakeRtpengine, call_id: str
) -> None:
    key, body = {HEADER: "once"}, {"target": "600", "sdp": OFFER, "callId": call_id}
    assert (await json_of(http, "POST", "/invite", json=body, headers=key))["callId"] == call_id
    assert (await json_of(http, "POST", "/invite", json=body, headers=key))["callId"] == call_id
    assert pbx.count("channels.create") == 1
    async with http.post("/invite", json=body) as response:
        assert (response.status, (await response.json())["field"]) == (409, "callId")

    await until(lambda: app.calls.get(call_id).answered_at, "the answer")
    assert (await json_of(http, "GET", path(call_id)))["callId"] == call_id
    assert [call["callId"] for call in (await json_of(http, "GET", "/calls"))["calls"]] == [call_id]
    live = await json_of(http, "GET", "/live")
    assert [call["callId"] for call in live["calls"]] == [call_id]
    assert {one["callId"] for one in live["channels"] + live["bridges"]} == {call_id}
    of_calls = [name for name in pbx.channels if not name.startswith(READINESS)]
    assert {name.partition("-far")[0].partition("-em")[0] for name in of_calls} == {stem_of(call_id)}
    assert all(stem_of(call_id) in name for name in rtpengine.sessions)

    assert (await json_of(http, "POST", path(call_id, "/hold"), json={"held": True}))["callId"] == call_id
    assert (await json_of(http, "POST", path(call_id, "/dtmf"), json={"digits": "1"}))["callId"] == call_id
    added = await json_of(http, "POST", path(call_id, "/parties"), json={"target": "700"})
    assert added["callId"] == call_id
    async with http.delete(path(call_id, "/parties/2")) as response:
        assert response.status == 204
    recorded = await json_of(http, "POST", path(call_id, "/record"), json={"action": "start"})
    assert [one["name"] for one in recorded["recordings"]] == [f"{stem_of(call_id)}-rec1"]

    async with http.delete(path(call_id)) as response:
        assert response.status == 204
    await until(lambda: not (pbx.channels or pbx.bridges or rtpengine.sessions), "all is released")
    async with asyncio.timeout(5):
        while True:
            async with http.get(URL(f"/cdrs/{quote(call_id, safe='')}", encoded=True)) as response:
                if response.status == 200:
                    assert (await response.json())["callId"] == call_id
                    break
            await asyncio.sleep(0.05)
    given = await json_of(http, "POST", path(call_id, "/feedback"), json={"score": 4})
    assert given["callId"] == call_id
    async with http.get("/events", headers={"Last-Event-ID": "0"}) as stream:
        told_of: dict[str, set[str | None]] = {}
        async for line in stream.content:
            if line.startswith(b"data:"):
                event = json.loads(line[5:])
                told_of.setdefault(event["name"], set()).add(event["callId"])
                if event["name"] == "feedback":
                    break
    assert {"call.started", "call.changed", "call.ended", "call.released", "ari"} <= told_of.keys()
    assert set().union(*told_of.values()) - {None} == {call_id}


@pytest.mark.parametrize("call_id", CHOSEN)
async def test_a_page_is_answered_by_it(app: App, pbx: FakeAri, call_id: str) -> None:
    async with page(app) as (socket, _):
        await socket.send_json({"type": "prepare-media", "callId": call_id, "sdp": OFFER})
        assert (await told(socket, "media-prepared"))["callId"] == call_id
        await socket.send_json({"type": "offer", "callId": call_id, "target": "600", "sdp": OFFER})
        assert (await told(socket, "answer"))["callId"] == call_id
        assert app.calls.get(call_id).near_channel == leg_id(call_id, 1), "the leg that was made ahead is the call's"
        while (state := await told(socket, "state"))["state"] != "accepted":
            assert state["callId"] == call_id
        await pbx.emit(
            "ChannelDtmfReceived", channel=pbx.channels[f"{stem_of(call_id)}-far"].json(), digit="5", duration_ms=100
        )
        assert (await told(socket, "dtmf"))["callId"] == call_id
        await pbx.end(f"{stem_of(call_id)}-far")
        ended = await told(socket, "state")
        assert (ended["callId"], ended["state"], ended["outcome"]) == (call_id, "ended", "completed")


async def test_an_rtpengine_that_dies_asks_the_call_s_page(app: App, rtpengine: FakeRtpengine) -> None:
    async with page(app) as (socket, _):
        await socket.send_json({"type": "offer", "callId": "call-7", "target": "600", "sdp": OFFER})
        await told(socket, "answer")
        await until(lambda: app.calls.get("call-7").answered_at, "the answer")
        await rtpengine.stop()
        assert (await told(socket, "media-lost", seconds=10))["callId"] == "call-7"


async def test_a_leg_ahead_of_a_call_is_given_up_by_its_id(app: App, pbx: FakeAri) -> None:
    async with page(app) as (socket, _):
        await socket.send_json({"type": "prepare-media", "callId": "call-7", "sdp": OFFER})
        await told(socket, "media-prepared")
        await pbx.end(f"{stem_of('call-7')}-em")
        assert (await told(socket, "media-discarded"))["callId"] == "call-7"


async def test_the_next_process_knows_the_call_by_it(
    settings: Settings, pbx: FakeAri, rtpengine: FakeRtpengine
) -> None:
    settings = settings.model_copy(update={"disconnect_grace": 30.0})
    pbx.far_side = RingsForEver()
    call_id, key = "call-1790000000000", {HEADER: "once"}
    body = {"target": "600", "sdp": OFFER, "callId": call_id}
    first = App(settings)
    await first.start()
    await until(lambda: first.ari.connected)
    async with aiohttp.ClientSession(first.url) as http, http.post("/invite", json=body, headers=key) as response:
        assert response.status == 201
    channels = {name for name in pbx.channels if not name.startswith(MARK)}
    await first.close()
    second = App(settings)
    await second.start()
    try:
        await until(lambda: second.ari.connected)
        await until(lambda: second.calls.get(call_id).allocated, "the adoption")
        assert second.calls.get(call_id).id == call_id and channels <= set(pbx.channels), "no orphan was seen in it"
        async with aiohttp.ClientSession(second.url) as http:
            again = await json_of(http, "POST", "/invite", json=body, headers=key)
            assert again["callId"] == call_id and pbx.count("channels.create") == 1
            await pbx.end(f"{stem_of(call_id)}-far", cause=17)
            await until(lambda: second.calls.get(call_id).outcome, "what Asterisk tells of the channel is the call's")
            shown = await json_of(http, "GET", path(call_id))
            assert (shown["callId"], shown["outcome"]) == (call_id, "busy")
        await until(lambda: not (pbx.channels or pbx.bridges or rtpengine.sessions), "all is released")
    finally:
        await second.close()
