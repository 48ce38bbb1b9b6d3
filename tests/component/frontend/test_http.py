"""The HTTP API, health, events and the pages."""

import asyncio
import io
import json
import socket
from typing import Any

import aiohttp
import pytest

from ari_bridge.media.node_address import parse_nodes
from frontend.app import App
from frontend.http.listener import CannotListen
from frontend.settings import Settings
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER


async def until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_call_from_invite_to_delete_leaves_nothing(
    http: aiohttp.ClientSession, pbx: FakeAri, rtpengine: FakeRtpengine
) -> None:
    body = {"target": "600", "sdp": OFFER, "caller": "1001", "callId": "my.call"}
    async with http.post("/invite", json=body) as response:
        assert response.status == 201
        told = await response.json()
    assert told["callId"] == "my.call"
    assert told["sdp"].startswith("v=0")
    async with http.get("/call/my.call") as response:
        assert "sdp" not in await response.json()
    async with http.delete("/call/my.call") as response:
        assert response.status == 204
    await until(lambda: not (pbx.channels or pbx.bridges or rtpengine.sessions))


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"{", "invalid_request", None),
        (b"{}", "invalid_request", "target"),
        (json.dumps({"target": 600, "sdp": OFFER}).encode(), "invalid_request", "target"),
        (json.dumps({"target": "600", "sdp": ""}).encode(), "invalid_sdp", "sdp"),
        (json.dumps({"target": "600&700", "sdp": OFFER}).encode(), "invalid_target", "target"),
        (json.dumps({"target": "600\n1", "sdp": OFFER}).encode(), "invalid_target", "target"),
    ],
)
async def test_a_wrong_invite(http: aiohttp.ClientSession, body: bytes, code: str, field: str | None) -> None:
    async with http.post("/invite", data=body) as response:
        assert response.status == 400
        error = await response.json()
    assert (error["code"], error.get("field")) == (code, field)


async def test_a_body_that_is_too_large(http: aiohttp.ClientSession) -> None:
    async with http.post("/invite", data=io.BytesIO(b"x" * 1_100_000)) as response:
        assert response.status == 413
        assert (await response.json())["code"] == "too_large"


async def test_a_call_whose_media_fails_is_told_with_outcome_and_leaves_nothing(
    http: aiohttp.ClientSession, pbx: FakeAri, rtpengine: FakeRtpengine
) -> None:
    rtpengine.refuse.add("offer")
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}) as response:
        assert response.status == 502
        assert (await response.json())["outcome"] == "failed_media"
    await until(lambda: not (pbx.channels or pbx.bridges or rtpengine.sessions))


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_call(http: aiohttp.ClientSession, method: str) -> None:
    async with http.request(method, "/call/nothing") as response:
        assert response.status == 404
        assert (await response.json())["code"] == "unknown_call"


async def test_health_tells_which_part_is_missing(http: aiohttp.ClientSession, rtpengine: FakeRtpengine) -> None:
    async with http.get("/health") as response:
        assert response.status == 200
        body = await response.json()
    assert body["status"] == "ok"
    [node] = body["checks"]["rtpengine"]["nodes"]
    assert node["address"] == rtpengine.address and node["state"] == "up" and node["sessions"] == 0
    rtpengine.hang = True
    async with asyncio.timeout(2):  # so soon it is known
        while True:
            async with http.get("/health") as response:
                checks = (await response.json())["checks"]
                if response.status == 503:
                    break
            await asyncio.sleep(0.05)
    assert checks["ari"]["ok"]
    assert not checks["rtpengine"]["ok"]
    assert checks["rtpengine"]["reason"]


async def test_health_is_degraded_while_one_of_two_rtpengines_is_missing(
    settings: Settings, rtpengine: FakeRtpengine
) -> None:
    missing = FakeRtpengine()
    await missing.start()
    await missing.stop()
    nodes = parse_nodes(f"{rtpengine.address}, {missing.address}*2")
    app = App(settings.model_copy(update={"rtpengine_ng": nodes}))
    await app.start()
    try:
        await until(lambda: app.ari.connected)
        async with aiohttp.ClientSession(app.url) as http:
            async with http.get("/health") as response:
                assert response.status == 200
                body = await response.json()
            async with http.get("/metrics") as response:
                metrics = await response.text()
        assert body["status"] == "degraded"
        assert [node["state"] for node in body["checks"]["rtpengine"]["nodes"]] == ["up", "down"]
        assert "no process listens" in body["checks"]["rtpengine"]["nodes"][1]["reason"]
        assert f'rtpengine_up{{node="{rtpengine.address}"}} 1.0' in metrics
        assert f'rtpengine_up{{node="{missing.address}"}} 0.0' in metrics
    finally:
        await app.close()


async def test_the_second_port_has_its_own_health(app: App, http: aiohttp.ClientSession) -> None:
    async with http.get(app.legacy_ws_url.replace("ws:", "http:") + "health") as response:
        assert response.status == 200


async def test_origins(http: aiohttp.ClientSession) -> None:
    async with http.get("/config", headers={"Origin": "https://phone.example.com"}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "https://phone.example.com"
        assert (await response.json())["phoneBook"] == [{"number": "600", "name": "Echo"}]
    async with http.get("/config", headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 403
        assert "CORS_ORIGIN" in (await response.json())["detail"]
    preflight = {"Origin": "https://phone.example.com", "Access-Control-Request-Method": "DELETE"}
    async with http.options("/call/x", headers=preflight) as response:
        assert response.status == 204


@pytest.mark.parametrize("path", ["/stats", "/metrics", "/live", "/config", "/", "/dashboard"])
async def test_every_answer_has_safe_headers(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as response:
        assert response.status in (200, 503)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]


async def numbers_from(
    http: aiohttp.ClientSession, query: dict[str, str], headers: dict[str, str] | None = None
) -> list[int]:
    """The first three numbers of a stream."""
    numbers: list[int] = []
    async with http.get("/events", params=query, headers=headers) as stream, asyncio.timeout(10):
        async for line in stream.content:
            if line.startswith(b"id: "):
                numbers.append(int(line[4:]))
            if len(numbers) == 3:
                break
    return numbers


async def test_events_are_replayed_from_a_number(http: aiohttp.ClientSession) -> None:
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}) as response:
        assert response.status == 201
    first = await numbers_from(http, {"after": "0"})
    assert first == list(range(first[0], first[0] + 3))
    assert await numbers_from(http, {}, {"Last-Event-ID": str(first[0])}) == [number + 1 for number in first]


async def test_a_taken_port_is_named_and_everything_is_given_back(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        app = App(settings.model_copy(update={"http_port": port}))
        with pytest.raises(CannotListen, match=str(port)):
            await app.start()
    assert not app.ari.connected
