"""Tokens that were stolen, forged, replayed, or signed by a key that has leaked."""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import jwt
import pytest
from structlog.testing import capture_logs

from ari_bridge.accounts import Accounts, sign_in_sessions, signing_keys
from frontend.app import App
from frontend.settings import Settings
from tests.fakes.accounts import claims_of
from tests.security.conftest import PASSWORD, Page

OpenPage = Callable[[], Awaitable[Page]]
Answer = tuple[int, dict[str, Any]]


async def sign_in(http: aiohttp.ClientSession, user: str = "1001", **options: Any) -> dict[str, Any]:
    async with http.post("/session", json={"user": user, "password": PASSWORD, **options}) as response:
        assert response.status == 200
        session: dict[str, Any] = await response.json()
        return session


async def refresh(http: aiohttp.ClientSession, token: str, attempt: str = "") -> Answer:
    headers = {"Idempotency-Key": attempt} if attempt else {}
    async with http.post("/session/refresh", json={"refreshToken": token}, headers=headers) as response:
        return response.status, await response.json()


async def status_with(http: aiohttp.ClientSession, token: str, path: str = "/calls") -> int:
    async with http.get(path, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status


def sid_of(token: str) -> str:
    return str(jwt.decode(token, options={"verify_signature": False})["sid"])


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_sessions, "REUSE_GRACE_S", 0.0)


# --- a refresh token that was stolen -----------------------------------------------------------


async def test_a_refresh_token_is_replaced_by_its_use(http: aiohttp.ClientSession) -> None:
    first = await sign_in(http)
    status, second = await refresh(http, first["refreshToken"])
    assert status == 200 and second["refreshToken"] != first["refreshToken"] and second["user"] == "1001"
    assert await status_with(http, second["token"]) == 200
    assert (await refresh(http, second["refreshToken"]))[0] == 200


@pytest.mark.parametrize("first_is", ["the thief", "the user"])
async def test_a_second_use_ends_the_session_of_both(
    http: aiohttp.ClientSession, page: OpenPage, no_grace: None, first_is: str
) -> None:
    stolen = await sign_in(http)
    open_page = await page()
    await open_page.ask("registered", type="register", user="1001", token=stolen["token"])
    status, gained = await refresh(http, stolen["refreshToken"])
    assert status == 200
    with capture_logs() as logs:
        assert (await refresh(http, stolen["refreshToken"]))[0] == 401
    assert [log["address"] for log in logs if "used twice" in log["event"]] == ["127.0.0.1"]
    assert (await refresh(http, gained["refreshToken"]))[0] == 401
    assert {await status_with(http, each["token"]) for each in (stolen, gained)} == {401}
    async with asyncio.timeout(10):
        while (frame := await open_page.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    assert frame.data == 4401


async def test_an_older_one_ends_the_session_within_the_grace_too(http: aiohttp.ClientSession) -> None:
    stolen = await sign_in(http)
    _, second = await refresh(http, stolen["refreshToken"])
    _, third = await refresh(http, second["refreshToken"])
    assert (await refresh(http, stolen["refreshToken"]))[0] == 401
    assert (await refresh(http, third["refreshToken"]))[0] == 401


async def test_a_lost_response_signs_nobody_out(http: aiohttp.ClientSession) -> None:
    """A page that reloads in the middle of a refresh, or two tabs at once: all get the same next token."""
    session = await sign_in(http)
    answers = await asyncio.gather(*(refresh(http, session["refreshToken"]) for _ in range(5)))
    assert {status for status, _ in answers} == {200}
    [successor] = {answer["refreshToken"] for _, answer in answers}
    assert (await refresh(http, successor))[0] == 200


async def test_the_same_attempt_may_be_repeated_after_the_grace_and_another_may_not(
    http: aiohttp.ClientSession, no_grace: None
) -> None:
    session = await sign_in(http)
    once, again = [await refresh(http, session["refreshToken"], "attempt-1") for _ in range(2)]
    assert (once[0], once[1]["refreshToken"]) == (again[0], again[1]["refreshToken"])
    assert (await refresh(http, session["refreshToken"], "attempt-2"))[0] == 401
    assert (await refresh(http, once[1]["refreshToken"]))[0] == 401


async def test_who_knows_only_the_id_of_a_session_cannot_end_it(http: aiohttp.ClientSession) -> None:
    session = await sign_in(http)
    id, family, secret = session["refreshToken"].split(".")
    for guess in (f"{id}.{secret}.{family}", f"{id}.0.0", id, f"{id}..", "é.é.é", "x" * 300, f"{id}.{family}"):
        assert (await refresh(http, guess))[0] in (400, 401)
    assert (await refresh(http, session["refreshToken"]))[0] == 200


async def test_the_database_has_nothing_to_refresh_with(http: aiohttp.ClientSession, settings: Settings) -> None:
    session = await sign_in(http)
    content = b"".join(file.read_bytes() for file in settings.state_dir.glob("accounts.db*"))
    assert session["refreshToken"].split(".")[0].encode() in content
    for part in session["refreshToken"].split(".")[1:]:
        assert part.encode() not in content


@pytest.mark.parametrize("ended", ["signed out", "everywhere", "locked", "too old", "idle"])
async def test_what_a_refresh_token_does_not_outlive(
    app: App, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    session = await sign_in(http)
    headers = {"Authorization": f"Bearer {session['token']}"}
    wall = time.time
    match ended:
        case "signed out":
            await http.delete("/session", headers=headers)
        case "everywhere":
            await http.delete("/sessions", headers=headers)
        case "locked":
            await app.accounts.set_locked("1001", True)
        case "too old":
            app.accounts.sessions.max_idle = 1e9
            monkeypatch.setattr(time, "time", lambda: wall() + 604800 + 1)
        case "idle":
            monkeypatch.setattr(time, "time", lambda: wall() + 86400 + 1)
    assert (await refresh(http, session["refreshToken"]))[0] == 401


async def test_one_user_has_a_bounded_number_of_sessions(
    app: App, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_sessions, "MAX_SESSIONS_PER_USER", 3)
    other = await sign_in(http, "1002")
    oldest, *newer = [await sign_in(http) for _ in range(4)]
    assert (await refresh(http, oldest["refreshToken"]))[0] == 401
    assert {(await refresh(http, session["refreshToken"]))[0] for session in [*newer, other]} == {200}


# --- signing out -----------------------------------------------------------------------------


async def test_signing_out_ends_this_session_within_a_second_and_no_other(
    http: aiohttp.ClientSession, page: OpenPage
) -> None:
    here, elsewhere = await sign_in(http), await sign_in(http)
    pages = {}
    for name, session in (("here", here), ("elsewhere", elsewhere)):
        pages[name] = await page()
        await pages[name].ask("registered", type="register", user="1001", token=session["token"])
    headers = {"Authorization": f"Bearer {here['token']}"}
    async with http.get("/events", headers=headers) as stream:
        async with http.delete("/session", headers=headers) as response:
            assert response.status == 204
        async with asyncio.timeout(10):
            while (frame := await pages["here"].socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert frame.data == 4401
            await stream.content.read()
    assert await status_with(http, here["token"]) == 401
    assert await status_with(http, elsewhere["token"]) == 200
    assert (await pages["elsewhere"].ask("pong", type="ping", id=1))["type"] == "pong"


async def test_another_server_of_the_database_knows_of_it_within_a_second(
    app: App, http: aiohttp.ClientSession, settings: Settings
) -> None:
    session = await sign_in(http)
    other = Accounts(settings.state_dir, settings.users_file)
    await other.open()
    claims = jwt.decode(session["token"], options={"verify_signature": False})
    await other.sessions.end(claims["sid"], claims["uid"], claims["exp"])
    await other.close()
    async with asyncio.timeout(10):
        while await status_with(http, session["token"]) != 401:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_session_that_ended_stays_ended_after_a_restart(app: App, http: aiohttp.ClientSession) -> None:
    session = await sign_in(http)
    await http.delete("/session", headers={"Authorization": f"Bearer {session['token']}"})
    await app.accounts.sessions.purge(time.time())
    restarted = Accounts(app._settings.state_dir, app._settings.users_file)
    await restarted.open()
    assert restarted.sessions.is_ended(sid_of(session["token"]))
    await restarted.sessions.purge(time.time() + 10**6)
    assert not await restarted.sessions.live([sid_of(session["token"])])
    await restarted.close()


# --- the cookie of our own pages ---------------------------------------------------------------


async def test_a_page_has_its_refresh_token_in_a_cookie_that_no_script_reads(http: aiohttp.ClientSession) -> None:
    async with http.post("/session", json={"user": "1001", "password": PASSWORD, "cookie": True}) as response:
        session, [cookie] = await response.json(), response.headers.getall("Set-Cookie")
    assert session["refreshToken"] is None
    assert {"HttpOnly", "Path=/session", "SameSite=Strict"} <= set(cookie.split("; "))
    value = cookie.partition(";")[0]
    body = {"session": sid_of(session["token"])}
    for headers, expected in (
        ({"Cookie": value, "Origin": "https://elsewhere.example"}, 403),
        ({}, 401),
        ({"Cookie": value}, 200),
    ):
        async with aiohttp.ClientSession(http._base_url) as browser:
            async with browser.post("/session/refresh", json=body, headers=headers) as response:
                assert response.status == expected
    async with aiohttp.ClientSession(http._base_url) as browser:  # the cookie alone names no session
        async with browser.post("/session/refresh", json={}, headers={"Cookie": value}) as response:
            assert response.status == 400
        async with browser.get("/calls", headers={"Cookie": value}) as response:
            assert response.status == 401


# --- tokens that were forged -------------------------------------------------------------------


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _headers(kid: str) -> list[dict[str, Any]]:
    return [
        {"alg": "none", "kid": kid},
        {"alg": "HS256", "kid": "../../dev/null"},
        {"alg": "HS256", "kid": "' OR 1=1 --"},
        {"alg": "HS256", "kid": ""},
        {"alg": "HS256", "kid": ["x"]},
        {"alg": "HS256", "kid": None},
        {"alg": "HS256"},
        {"alg": "HS256", "kid": kid, "jwk": {"kty": "oct", "k": ""}},
        {"alg": "HS256", "kid": kid, "jku": "https://elsewhere.example/keys"},
        {"alg": "RS256", "kid": kid},
        {"alg": "HS512", "kid": kid},
        {"alg": "hs256", "kid": kid},
    ]


@pytest.mark.parametrize("number", range(12))
async def test_a_header_chooses_neither_the_algorithm_nor_a_key_of_its_own(
    app: App, http: aiohttp.ClientSession, number: int
) -> None:
    assert app.access
    header = _headers(app.accounts.keys.current().kid)[number]
    body = f"{_part(header)}.{_part(claims_of(app.access, '9001'))}"
    for key in (b"", b"\0", header.get("kid") or ""):
        signature = base64.urlsafe_b64encode(_hmac(key, body)).rstrip(b"=").decode()
        for token in (f"{body}.", f"{body}.{signature}"):
            assert await status_with(http, token, "/stats") == 401


def _hmac(key: Any, body: str) -> bytes:
    algorithm = jwt.get_algorithm_by_name("HS256")
    return algorithm.sign(body.encode(), key if isinstance(key, bytes) else str(key).encode())


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_another_algorithm_with_our_key_is_refused(app: App, http: aiohttp.ClientSession, algorithm: str) -> None:
    assert app.access
    key = app.accounts.keys.current()
    claims = claims_of(app.access, "9001")
    forged = jwt.encode(claims, key.secret, algorithm=algorithm, headers={"kid": key.kid})
    assert await status_with(http, forged, "/stats") == 401


async def test_a_token_of_another_kind_is_no_access_token(app: App, http: aiohttp.ClientSession) -> None:
    assert app.access
    claims = claims_of(app.access, "9001")
    del claims["aud"]
    assert await status_with(http, app.access.issuer.signer.sign(claims, "somebody else"), "/stats") == 401


# --- keys --------------------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_keys, "ACTIVATION_S", 0.0)


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


async def test_a_rotation_signs_nobody_out_and_in_the_end_the_old_key_is_gone(
    app: App, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, at_once: None
) -> None:
    before = await sign_in(http)
    new = await app.accounts.keys.rotate()
    after = await sign_in(http)
    assert kid_of(after["token"]) == new.kid != kid_of(before["token"])
    assert {await status_with(http, each["token"]) for each in (before, after)} == {200}
    _, refreshed = await refresh(http, before["refreshToken"])
    assert kid_of(refreshed["token"]) == new.kid
    later = time.time() + signing_keys.MAX_TOKEN_LIFETIME_S + 600
    assert app.accounts.keys.find(kid_of(before["token"]), later) is None
    await app.accounts.keys.purge(later)
    await app.accounts.keys.read()
    assert [key.kid for key in app.accounts.keys.all()] == [new.kid]


async def test_a_key_that_has_leaked_signs_for_nobody_any_more_and_pages_go_on(
    app: App, http: aiohttp.ClientSession
) -> None:
    assert app.access
    session, leaked = await sign_in(http), app.accounts.keys.current()
    forged = jwt.encode(claims_of(app.access, "9001"), leaked.secret, headers={"kid": leaked.kid})
    assert await status_with(http, forged, "/stats") == 200
    await app.accounts.keys.revoke(leaked.kid)
    assert await status_with(http, forged, "/stats") == 401
    assert await status_with(http, session["token"]) == 401
    status, refreshed = await refresh(http, session["refreshToken"])
    assert status == 200 and await status_with(http, refreshed["token"]) == 200


# --- clocks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [-119, 119])
async def test_a_clock_of_the_server_that_steps_by_two_minutes_ends_nothing(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    session = await sign_in(http)
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + step)
    assert await status_with(http, session["token"]) == 200
    status, second = await refresh(http, session["refreshToken"])
    assert status == 200 and await status_with(http, second["token"]) == 200
    monkeypatch.setattr(time, "time", wall)
    assert await status_with(http, second["token"]) == 200
    assert (await refresh(http, second["refreshToken"]))[0] == 200
