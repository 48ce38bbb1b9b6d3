"""A password that somebody else has chosen opens nothing: it is good for choosing another one, once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import Accounts, passwords
from frontend.app import App
from frontend.auth import challenges
from frontend.settings import Settings
from tests.offers import OFFER
from tests.security.conftest import PASSWORD, Page

OpenPage = Callable[[], Awaitable[Page]]
OWN = "my own words, and long"


@pytest.fixture
async def reset(app: App) -> None:
    """An administrator has chosen 1001's password."""
    await app.accounts.set_password("1001", passwords.hash_password(PASSWORD), must_change=True)


async def post(http: aiohttp.ClientSession, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    async with http.post(path, json=body) as response:
        return response.status, await response.json()


async def challenge_of(http: aiohttp.ClientSession, user: str = "1001", password: str = PASSWORD) -> str:
    status, problem = await post(http, "/session", user=user, password=password)
    assert (status, problem["code"]) == (401, "password_change_required") and "token" not in problem
    return str(problem["challenge"])


async def choose(http: aiohttp.ClientSession, challenge: str, new: str = OWN) -> tuple[int, dict[str, Any]]:
    return await post(http, "/session/password", challenge=challenge, newPassword=new)


async def test_the_challenge_is_no_token(reset: None, http: aiohttp.ClientSession, page: OpenPage) -> None:
    challenge = await challenge_of(http)
    headers = {"Authorization": f"Bearer {challenge}"}
    for path in ("/cdrs", "/calls", "/me/preferences", "/events"):
        async with http.get(path, headers=headers) as response:
            assert response.status == 401, path
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}, headers=headers) as response:
        assert response.status == 401
    async with http.post("/session/refresh", json={"refreshToken": challenge}) as response:
        assert response.status == 401
    stranger = await page()
    refused = await stranger.ask("registered", type="register", user="1001", token=challenge)
    assert (refused["type"], refused["code"]) == ("error", "unauthorized")


async def test_a_password_of_one_s_own_opens_the_phone_and_the_other_one_is_gone(
    reset: None, http: aiohttp.ClientSession, page: OpenPage
) -> None:
    status, session = await choose(http, await challenge_of(http))
    assert status == 200
    own = await page()
    assert (await own.ask("registered", type="register", user="1001", token=session["token"]))["type"] == "registered"
    assert (await post(http, "/session", user="1001", password=PASSWORD))[0] == 401
    assert (await post(http, "/session", user="1001", password=OWN))[0] == 200


async def test_a_challenge_is_good_once_and_for_its_user_alone(
    reset: None, app: App, http: aiohttp.ClientSession
) -> None:
    await app.accounts.set_password("1002", passwords.hash_password(PASSWORD), must_change=True)
    mine, other = await challenge_of(http), await challenge_of(http, "1002")
    at_once = await asyncio.gather(*(choose(http, mine, f"{OWN} {number}") for number in range(4)))
    assert sorted(status for status, _ in at_once) == [200, 401, 401, 401]
    assert {answer["user"] for status, answer in at_once if status == 200} == {"1001"}
    assert (await choose(http, mine))[0] == 401
    assert (await choose(http, other))[1]["user"] == "1002"


@pytest.mark.parametrize("what", ["locked", "removed", "another password", "too late", "unknown", "too often"])
async def test_a_challenge_ends(
    reset: None, app: App, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    if what == "too late":
        monkeypatch.setattr(challenges, "LIFETIME_S", 0.0)
    challenge = await challenge_of(http)
    match what:
        case "locked":
            await app.accounts.set_locked("1001", True)
        case "removed":
            await app.accounts.remove("1001")
        case "another password":
            await app.accounts.set_password("1001", passwords.hash_password("of an admin, again"), must_change=True)
        case "unknown":
            challenge = "x" * 43
        case "too often":
            for _ in range(challenges.MAX_ATTEMPTS):
                assert (await choose(http, challenge, "short"))[0] == 400
    status, problem = await choose(http, challenge)
    assert (status, problem["code"]) == (401, "unauthorized")
    assert not app.accounts.verify("1001", OWN)


@pytest.mark.parametrize("weak", ["short", PASSWORD, "password12345", "1001100110011001"])
async def test_a_weak_one_is_refused_and_does_not_use_the_challenge_up(
    reset: None, http: aiohttp.ClientSession, weak: str
) -> None:
    challenge = await challenge_of(http)
    status, problem = await choose(http, challenge, weak)
    assert (status, problem["code"], problem["field"]) == (400, "invalid_request", "newPassword")
    assert (await choose(http, challenge))[0] == 200


async def test_what_is_open_ends_when_an_administrator_resets_the_password(
    app: App, settings: Settings, http: aiohttp.ClientSession, sign_in: Callable[[str], Awaitable[dict[str, str]]]
) -> None:
    headers = await sign_in("1001")
    other = Accounts(settings.state_dir, settings.users_file)  # of another process, as `ari-bridge user` is
    await other.open()
    await other.set_password("1001", passwords.hash_password(PASSWORD), must_change=True)
    await other.close()
    async with asyncio.timeout(10):
        while app.accounts.find("1001").must_change_password is False:  # type: ignore[union-attr]  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    async with http.get("/cdrs", headers=headers) as response:
        assert response.status == 401
