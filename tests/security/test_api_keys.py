"""API keys that are stolen, revoked, expired, used from elsewhere, or asked for more than they may."""

import asyncio
import base64
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import Accounts
from ari_bridge.accounts.api_key import ApiKey
from frontend.app import App
from frontend.settings import Settings
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import PASSWORD, Page, SignIn

OpenPage = Callable[[], Awaitable[Page]]
PAGE = "https://phone.example.com"  # in CORS_ORIGIN


async def made(app: App, *scopes: str, **options: Any) -> tuple[str, str]:
    """The id and the secret of a new key."""
    key, secret = await app.accounts.api_keys.create("test", scopes, **options)
    return key.id, secret


def bearer(key: tuple[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {key[0]}_{key[1]}"}


def basic(key: tuple[str, str]) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(":".join(key).encode()).decode()}


async def status(http: aiohttp.ClientSession, headers: dict[str, str], path: str = "/calls") -> int:
    async with http.get(path, headers=headers) as response:
        return response.status


async def test_a_key_is_a_principal_at_every_gate(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, page: OpenPage, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    dials, watches = await made(app, "dial"), await made(app, "monitor:read", "calls:read")
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}, headers=basic(dials)) as response:
        assert response.status == 201, await response.text()
        call_id = (await response.json())["callId"]
    assert app.calls.get(call_id).user == dials[0]
    assert await status(http, bearer(dials), f"/call/{call_id}") == 200
    assert await status(http, bearer(watches), f"/call/{call_id}") == 200
    assert await status(http, bearer(await made(app, "dial")), f"/call/{call_id}") == 404
    assert await status(http, bearer(dials), "/live") == 403
    assert await status(http, bearer(watches), "/live") == 200
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}, headers=bearer(watches)) as response:
        assert response.status == 403
    async with http.delete(f"/call/{call_id}", headers=bearer(watches)) as response:
        assert response.status == 404  # may see it, and not command it
    async with http.delete(f"/call/{call_id}", headers=bearer(dials)) as response:
        assert response.ok
    both = await made(app, "dial", "receive")
    registered = await page()
    told = await registered.ask("registered", type="register", user=both[0], token="_".join(both))
    assert told["type"] == "registered"
    assert (await registered.ask("answer", type="offer", target="600", sdp=OFFER))["type"] == "answer"
    told = await (await page()).ask("registered", type="register", user="1001", token="_".join(both))
    assert (told["code"], told["field"]) == ("unauthorized", "token")


@pytest.mark.parametrize("what", ["no secret", "another's secret", "cut", "longer", "unknown", "the id", "empty"])
async def test_a_guessed_key_is_refused(app: App, http: aiohttp.ClientSession, what: str) -> None:
    key, other = await made(app, "calls:read"), await made(app, "calls:read")
    token = {
        "no secret": key[0],
        "another's secret": f"{key[0]}_{other[1]}",
        "cut": f"{key[0]}_{key[1][:-1]}",
        "longer": f"{key[0]}_{key[1]}a",
        "unknown": f"ab_000000000000_{key[1]}",
        "the id": f"{key[0]}_{key[0]}",
        "empty": "ab_",
    }[what]
    assert await status(http, {"Authorization": f"Bearer {token}"}) == 401
    name, _, secret = token.removeprefix("ab_").partition("_")
    assert await status(http, basic((f"ab_{name}", secret))) == 401


def test_secrets_are_compared_in_constant_time() -> None:
    source = inspect.getsource(ApiKey.generation_of)
    assert source.count("compare_digest") == 2 and "==" not in source.partition('"""')[2].partition('"""')[2]


@pytest.mark.parametrize("where", ["/calls?token={}", "/calls?key={}", "/calls?access_token={}", "/calls?apiKey={}"])
async def test_a_key_in_an_address_is_none(app: App, http: aiohttp.ClientSession, where: str) -> None:
    key = await made(app, "calls:read")
    assert await status(http, {}, where.format("_".join(key))) == 401
    async with http.ws_connect(f"{app.ws_url}?user={key[0]}&token={'_'.join(key)}") as socket:
        told = [(await socket.receive_json(timeout=10)) for _ in range(2)]
        assert any(each.get("code") == "unauthorized" for each in told), told


async def test_a_user_and_a_password_are_no_key(http: aiohttp.ClientSession) -> None:
    assert await status(http, basic(("1001", PASSWORD))) == 401
    for broken in ("Basic %%%", "Basic ", "Basic " + base64.b64encode(b"ab_").decode(), "Basic /w=="):
        assert await status(http, {"Authorization": broken}) == 401


async def test_only_from_its_addresses(app: App, http: aiohttp.ClientSession) -> None:
    here = await made(app, "calls:read", networks=["10.0.0.0/8", "127.0.0.0/8"])
    elsewhere = await made(app, "calls:read", networks=["10.0.0.0/8", "2001:db8::/32"])
    assert await status(http, bearer(here)) == 200
    assert await status(http, bearer(elsewhere)) == 401
    forged = {**bearer(elsewhere), "X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1"}
    assert await status(http, forged) == 401


async def test_a_page_uses_no_key_of_a_server_and_a_server_none_of_a_page(
    app: App, http: aiohttp.ClientSession
) -> None:
    server, browser = await made(app, "calls:read"), await made(app, "calls:read", origins=[PAGE])
    other = await made(app, "calls:read", origins=["https://other.example.com"])
    assert await status(http, bearer(server)) == 200
    assert await status(http, {**bearer(server), "Origin": PAGE}) == 401
    assert await status(http, bearer(browser)) == 401
    assert await status(http, {**bearer(browser), "Origin": PAGE}) == 200
    assert await status(http, {**bearer(other), "Origin": PAGE}) == 401
    # The origin of the key alone opens no door: CORS_ORIGIN lists the pages that may use this server at all.
    assert await status(http, {**bearer(other), "Origin": "https://other.example.com"}) == 403
    async with http.ws_connect(app.ws_url, headers={"Origin": PAGE}) as socket:
        await socket.send_json({"type": "register", "user": server[0], "token": "_".join(server)})
        while (told := await socket.receive_json(timeout=10))["type"] != "error":
            pass
        assert told["code"] == "unauthorized"


@pytest.mark.parametrize("what", ["revoked", "expired", "rotated", "overlap ends"])
async def test_the_end_of_a_key_ends_sockets_and_streams_within_a_second(
    app: App, settings: Settings, http: aiohttp.ClientSession, page: OpenPage, what: str
) -> None:
    ends_at = time.time() + 1.5 if what == "expired" else None
    key = await made(app, "dial", "receive", "calls:read", expires_at=ends_at)
    registered = await page()
    told = await registered.ask("registered", type="register", user=key[0], token="_".join(key))
    assert told["type"] == "registered"
    async with http.get("/events", headers=bearer(key)) as stream:
        assert stream.status == 200
        other = Accounts(settings.state_dir, settings.users_file)  # of another process, as `ari-bridge key` is
        await other.open()
        match what:
            case "revoked":
                await other.api_keys.revoke(key[0])
            case "rotated":
                await other.api_keys.rotate(key[0], 0)
            case "overlap ends":
                await other.api_keys.rotate(key[0], 1.0)
                assert await status(http, bearer(key)) == 200
        await other.close()
        async with asyncio.timeout(10):
            while (frame := await registered.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert frame.data == 4401
            await stream.content.read()
    assert await status(http, bearer(key)) == 401


async def test_a_session_of_a_key_is_of_no_use_without_it(
    app: App, pbx: FakeAri, page: OpenPage, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    key = await made(app, "dial", "receive")
    owner = await page()
    await owner.ask("registered", type="register", user=key[0], token="_".join(key))
    call_id = (await owner.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    thief = await page()
    for token in (None, "_".join(await made(app, "dial", "receive")), (await sign_in("1001"))["Authorization"][7:]):
        refused = await thief.ask("resumed", type="resume", session=owner.session, token=token)
        assert (refused["type"], refused["code"]) == ("error", "unauthorized")
    again = await (await page()).ask("resumed", type="resume", session=owner.session, token="_".join(key))
    assert again["type"] == "resumed"
    await app.accounts.api_keys.revoke(key[0])
    refused = await (await page()).ask("resumed", type="resume", session=owner.session, token="_".join(key))
    assert refused["code"] == "unauthorized"
    async with asyncio.timeout(5):  # nobody goes on talking by a key that was revoked
        while app.calls.get(call_id).state.live:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_nobody_hands_on_more_than_they_have(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    admin = await sign_in("9001")
    for user in ("1001", "2001", "2002", "2003"):
        assert await status(http, await sign_in(user), "/keys") == 403
    async with http.post("/keys", json={"label": "all", "scopes": ["calls:control"]}, headers=admin) as response:
        assert response.status == 201
        strong = await response.json()
    assert strong["createdBy"] == "9001" and await status(http, bearer((strong["id"], strong["secret"]))) == 200
    manager = bearer(await made(app, "keys:manage", "dial"))
    assert await status(http, bearer(await made(app, "dial")), "/keys") == 403
    async with http.post(
        "/keys", json={"label": "x", "scopes": ["dial", "calls:control"]}, headers=manager
    ) as response:
        assert response.status == 403
    async with http.post(f"/keys/{strong['id']}/rotate", headers=manager) as response:
        assert response.status == 403, "a manager of keys took over a stronger one"
    async with http.get(f"/keys/{strong['id']}", headers=manager) as response:
        assert "secret" not in await response.json()
    async with http.post("/keys", json={"label": "x", "scopes": ["dial"]}, headers=manager) as response:
        assert response.status == 201
    async with http.delete(f"/keys/{strong['id']}", headers=admin) as response:
        assert response.status == 204
    assert await status(http, bearer((strong["id"], strong["secret"]))) == 401
    for path in ("/keys/ab_000000000000", "/keys/%00"):
        assert await status(http, admin, path) == 404


async def test_a_key_is_no_person(app: App, http: aiohttp.ClientSession) -> None:
    key = bearer(await made(app, "dial", "receive"))
    passwords = {"oldPassword": "x", "newPassword": "four other words, all long"}
    async with http.post("/me/password", json=passwords, headers=key) as response:
        assert response.status == 400
    async with http.delete("/sessions", headers=key) as response:
        assert response.status == 400
    async with http.delete("/session", headers=key) as response:
        assert response.status == 400


async def test_a_key_dials_what_its_class_allows(app: App, http: aiohttp.ClientSession, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    key = bearer(await made(app, "dial"))
    async with http.post("/invite", json={"target": "+4990012345678", "sdp": OFFER}, headers=key) as response:
        assert response.status == 403 and (await response.json())["rule"]
