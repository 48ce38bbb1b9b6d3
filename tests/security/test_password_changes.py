"""New passwords: hashed in turn with all sign-ins, never over an administrator's reset, and again after an outage."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import Accounts, AccountsUnavailable, passwords
from frontend.app import App
from frontend.auth import sign_ins
from frontend.settings import Settings
from tests.security.conftest import PASSWORD, SignIn
from tests.security.test_first_password import OWN, challenge_of, choose, post, reset

__all__ = ["reset"]

RESET = "of an administrator, just now"


def counted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """What the function of `passwords` is called with from now on: a password each."""
    calls: list[str] = []
    original: Callable[..., Any] = getattr(passwords, name)

    def counting(*args: Any) -> Any:
        calls.append(args[-1])
        return original(*args)

    monkeypatch.setattr(passwords, name, counting)
    return calls


async def test_the_old_password_again_and_again_costs_the_server_little(
    reset: None, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = await challenge_of(http)
    verified = counted(monkeypatch, "verify")
    told = [(await choose(http, challenge, PASSWORD))[0] for _ in range(20)]
    assert (told[0], told[-1]) == (400, 401)
    assert len(verified) <= 4


async def test_while_one_is_hashed_no_other_is_with_the_same_challenge(
    reset: None, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = await challenge_of(http)
    hashing, go_on = threading.Event(), threading.Event()
    hash_password = passwords.hash_password

    def slow(password: str) -> str:
        hashing.set()
        go_on.wait(20)
        return hash_password(password)

    monkeypatch.setattr(passwords, "hash_password", slow)
    first = asyncio.create_task(choose(http, challenge))
    try:
        assert await asyncio.to_thread(hashing.wait, 10)
        async with asyncio.timeout(10):
            assert (await choose(http, challenge, f"{OWN} too"))[0] == 401
    finally:
        go_on.set()
    assert (await first)[0] == 200


@pytest.mark.parametrize("step", ["at the sign-in", "signed in"])
async def test_a_new_password_waits_for_its_turn_among_the_sign_ins(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    assert app.access
    headers = await sign_in("1001")
    challenge = ""
    if step == "at the sign-in":
        await app.accounts.set_password("1001", passwords.hash_password(PASSWORD), must_change=True)
        challenge = await challenge_of(http)
    else:  # its old password has been looked at
        monkeypatch.setattr(app.access._sign_ins, "check", right)
    turns = app.access._sign_ins._turns
    hashed = counted(monkeypatch, "hash_password")
    body = {"oldPassword": PASSWORD, "newPassword": OWN}
    with monkeypatch.context() as impatient:
        impatient.setattr(sign_ins, "SIGN_IN_TIMEOUT_S", 0.01)
        async with turns.turn("192.0.2.1", 1), turns.turn("192.0.2.2", 1):
            if challenge:
                status, problem = await choose(http, challenge)
            else:
                async with http.post("/me/password", json=body, headers=headers) as response:
                    status, problem = response.status, await response.json()
    assert (status, problem["code"], hashed) == (429, "too_many", [])
    if challenge:
        assert (await choose(http, challenge))[0] == 200, "the challenge was used up for nothing"


async def right(*_: Any) -> bool:
    return True


async def test_the_password_is_chosen_once_the_database_is_back(
    reset: None, app: App, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unavailable(*_: Any, **__: Any) -> Any:
        raise AccountsUnavailable("it is away")

    challenge = await challenge_of(http)
    with monkeypatch.context() as away:
        away.setattr(app.accounts, "set_password", unavailable)
        assert (await choose(http, challenge))[0] == 503
    assert (await choose(http, challenge))[0] == 200


# --- an administrator resets the password meanwhile -----------------------------------------


async def stored(settings: Settings, password: str) -> bool:
    """Whether it is 1001's, for a process that starts now, and has to be changed."""
    accounts = Accounts(settings.state_dir, settings.users_file)
    await accounts.open()
    user = accounts.find("1001")
    is_it = accounts.verify("1001", password) and user is not None and user.must_change_password
    await accounts.close()
    return is_it


@pytest.fixture
async def reset_before_it_is_stored(
    app: App, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Has another process reset 1001's password just before the next change of it is stored here."""

    def arrange() -> None:
        original = app.accounts.set_password

        async def set_password(name: str, hashed: str, **options: Any) -> Any:
            monkeypatch.setattr(app.accounts, "set_password", original)
            other = Accounts(settings.state_dir, settings.users_file)
            await other.open()
            await other.set_password(name, passwords.hash_password(RESET), must_change=True)
            await other.close()
            return await original(name, hashed, **options)

        monkeypatch.setattr(app.accounts, "set_password", set_password)

    return arrange


async def test_a_reset_is_not_overwritten_at_the_sign_in(
    reset: None, settings: Settings, http: aiohttp.ClientSession, reset_before_it_is_stored: Callable[[], None]
) -> None:
    challenge = await challenge_of(http)
    reset_before_it_is_stored()
    assert (await choose(http, challenge))[0] == 401
    assert await stored(settings, RESET)


async def test_a_reset_is_not_overwritten_by_a_user_who_is_signed_in(
    app: App,
    http: aiohttp.ClientSession,
    sign_in: SignIn,
    settings: Settings,
    reset_before_it_is_stored: Callable[[], None],
) -> None:
    headers = await sign_in("1001")
    reset_before_it_is_stored()
    body = {"oldPassword": PASSWORD, "newPassword": OWN}
    async with http.post("/me/password", json=body, headers=headers) as response:
        assert response.status == 401, await response.text()
    assert await stored(settings, RESET)


@pytest.mark.parametrize("what", ["sign-in", "second factor"])
async def test_the_password_of_before_a_reset_opens_no_next_step(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    assert app.access
    headers = await sign_in("1001")
    check = app.access._sign_ins.check

    async def reset_after(user: str, password: str, address: str) -> bool:
        found = await check(user, password, address)
        await app.accounts.set_password("1001", passwords.hash_password(RESET), must_change=True)
        return found

    monkeypatch.setattr(app.access._sign_ins, "check", reset_after)
    if what == "sign-in":
        status, problem = await post(http, "/session", user="1001", password=PASSWORD)
    else:
        async with http.post("/me/second-factor", json={"password": PASSWORD}, headers=headers) as response:
            status, problem = response.status, await response.json()
    assert (status, problem["code"]) == (401, "unauthorized") and "challenge" not in problem
