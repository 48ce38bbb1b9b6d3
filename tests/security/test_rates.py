"""Floods of requests and messages: findings 11, 34 and 38 of the review."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from frontend.app import App
from frontend.auth.proxies import parse_proxies
from frontend.http import exports
from frontend.http.token_buckets import Rate
from frontend.settings import Settings
from frontend.websocket import rate_limit
from tests.fakes.ari import FakeAri
from tests.security.conftest import Page, SignIn

OpenPage = Callable[[], Awaitable[Page]]


@pytest.fixture
def per_second() -> float:
    """MAX_REQUESTS_PER_SECOND: so few that a test takes no second."""
    return 0.1


@pytest.fixture
def settings(settings: Settings, per_second: float, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(rate_limit, "REGISTER_RATE", Rate(0.001, 5))
    monkeypatch.setattr(rate_limit, "USER_MESSAGE_RATE", Rate(0.001, 150))
    changes = {"max_requests_per_second": per_second, "trusted_proxies": parse_proxies("loopback")}
    return settings.model_copy(update=changes)


def token_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


async def statuses(http: aiohttp.ClientSession, count: int, path: str, **options: Any) -> Counter[int]:
    found: Counter[int] = Counter()
    for _ in range(count):
        async with http.get(path, **options) as response:
            found[response.status] += 1
    return found


# --- requests -----------------------------------------------------------------------


async def test_one_user_s_flood_is_refused_and_no_other_s(http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    flooder, other = await sign_in("1001"), await sign_in("1002")
    found = await statuses(http, 15, "/calls", headers=flooder)
    assert found == {200: 5, 429: 10}
    async with http.get("/calls", headers=flooder) as refused:
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.content_type == "application/problem+json"
        assert (await refused.json())["code"] == "too_many"
    assert await statuses(http, 3, "/calls", headers=other) == {200: 3}


async def test_pages_of_other_origins_can_read_the_refusal(http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    headers = await sign_in("1001") | {"Origin": "https://phone.example.com"}
    await statuses(http, 5, "/calls", headers=headers)
    async with http.get("/calls", headers=headers) as refused:
        assert refused.status == 429
        assert refused.headers["Access-Control-Allow-Origin"] == "https://phone.example.com"
    async with http.get("/calls", headers=headers | {"Origin": "https://evil.example"}) as refused:
        assert refused.status == 429 and "Access-Control-Allow-Origin" not in refused.headers


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer a.b.c"}, {"Origin": "https://evil.example"}])
async def test_a_stranger_s_flood_is_refused_and_no_other_address(
    http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    attacker = headers | {"X-Forwarded-For": "192.0.2.1"}
    found = await statuses(http, 15, "/config", headers=attacker)
    assert found[429] == 10
    assert await statuses(http, 3, "/config", headers={"X-Forwarded-For": "192.0.2.2"}) == {200: 3}


async def test_addresses_of_one_network_count_as_one(http: aiohttp.ClientSession) -> None:
    found: Counter[int] = Counter()
    for number in range(15):
        found += await statuses(http, 1, "/config", headers={"X-Forwarded-For": f"2001:db8::{number:x}"})
    assert found == {200: 5, 429: 10}
    assert await statuses(http, 1, "/config", headers={"X-Forwarded-For": "2001:db8:0:1::1"}) == {200: 1}


async def test_whoever_goes_on_is_disconnected(app: App) -> None:
    url = app.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(url[0], int(url[2]))
    writer.write(b"OPTIONS /calls HTTP/1.1\r\nHost: a\r\n\r\n" * 200)
    received = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert received.count(b"HTTP/1.1 429") == 21


@pytest.mark.parametrize("per_second", [2.0])
async def test_searching_is_limited_more_and_other_requests_go_on(http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    headers = await sign_in("9001")
    found = await statuses(http, 12, "/cdrs?number=1", headers=headers)
    assert found[429] >= 5 and found[200] >= 5
    assert await statuses(http, 5, "/calls", headers=headers) == {200: 5}


# --- what asks Asterisk ----------------------------------------------------------------


@pytest.mark.parametrize("per_second", [10_000.0])
async def test_a_flood_of_live_asks_asterisk_twice_a_second(
    pbx: FakeAri, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    headers = await sign_in("2002")
    async with http.get("/live", headers=headers):
        pass
    loop = asyncio.get_running_loop()
    before, began = pbx.count("channels.list"), loop.time()
    for _ in range(3):
        found = await asyncio.gather(*(statuses(http, 1, "/live", headers=headers) for _ in range(60)))
        assert sum(found, Counter()) == {200: 60}
    assert pbx.count("channels.list") - before <= 1 + 2 * (loop.time() - began)


async def test_the_channels_are_those_of_after_the_request(
    pbx: FakeAri, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    headers = await sign_in("2002")
    async with http.get("/live", headers=headers):
        pass
    before = pbx.count("channels.list")
    async with http.get("/live", headers=headers):
        assert pbx.count("channels.list") == before + 1


# --- exports ------------------------------------------------------------------------


async def test_one_export_for_each_user(
    http: aiohttp.ClientSession, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()

    async def slowly(response: aiohttp.web.StreamResponse, text: str) -> None:
        await gate.wait()
        await response.write(text.encode())

    monkeypatch.setattr(exports, "_write", slowly)
    mine, other = await sign_in("1001"), await sign_in("1002")
    running = await http.get("/cdrs.csv", headers=mine)
    async with http.get("/cdrs.csv", headers=mine) as refused:
        assert refused.status == 429
    others = await http.get("/cdrs.csv", headers=other)
    assert (running.status, others.status) == (200, 200)
    gate.set()
    assert (await running.text()).startswith("callId") and (await others.text()).startswith("callId")
    async with http.get("/cdrs.csv", headers=mine) as again:
        assert again.status == 200


async def test_an_export_ends_after_a_while(
    http: aiohttp.ClientSession, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(response: aiohttp.web.StreamResponse, text: str) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(exports, "_write", never)
    monkeypatch.setattr(exports, "EXPORT_TIMEOUT_S", 0.1)
    async with http.get("/cdrs.csv", headers=await sign_in("1001")) as cut:
        with pytest.raises(aiohttp.ClientError):
            await cut.read()


# --- WebSockets ---------------------------------------------------------------------


async def test_registering_again_and_again(page: OpenPage, sign_in: SignIn) -> None:
    register = {"type": "register", "user": "1001", "token": token_of(await sign_in("1001"))}
    first, second = await page(), await page()
    told: Counter[str] = Counter()
    for _ in range(4):
        await first.socket.send_json(register)
    await first.socket.send_json({"type": "ping", "id": 9})
    while (message := await first.told("registered", "people", "error", "pong"))["type"] != "pong":
        told[message.get("code", message["type"])] += 1
    assert told == {"registered": 4, "people": 1}, "the directory is sent once"
    assert (await second.ask("registered", **register))["type"] == "registered"
    refused = await second.ask("registered", **register)  # the rate is the user's, not the connection's
    assert refused["code"] == "too_many"
    other = register | {"user": "1002", "token": token_of(await sign_in("1002"))}
    assert (await (await page()).ask("registered", **other))["type"] == "registered"


async def test_messages_of_all_pages_of_a_user_together(page: OpenPage, sign_in: SignIn) -> None:
    register = {"type": "register", "user": "1001", "token": token_of(await sign_in("1001"))}
    pages = [await page() for _ in range(3)]
    for one in pages:
        await one.ask("registered", **register)
    kinds = []
    for one in pages:
        for number in range(80):  # as many as one connection may
            await one.socket.send_json({"type": "ping", "id": number})
        kinds.append((await one.told("error"))["code"] if one is pages[-1] else "")
    assert kinds[-1] == "too_many"
