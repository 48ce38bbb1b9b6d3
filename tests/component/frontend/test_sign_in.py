"""Signing in over HTTP: who guesses is slowed down, and nobody else."""

import asyncio
import resource
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher

from ari_bridge.accounts import passwords
from frontend.app import App
from frontend.auth.proxies import parse_proxies
from frontend.auth.sign_ins import MAX_CONCURRENT_CHECKS, SignIns, TooManyAttempts
from frontend.settings import Settings

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
USERS = [str(number) for number in range(1001, 1016)]
SignIn = Callable[..., Coroutine[Any, Any, int]]


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", QUICK)  # or each would be hashed anew at its first sign-in


@asynccontextmanager
async def server(settings: Settings, **changes: Any) -> AsyncIterator[SignIn]:
    """`sign_in(user, password, client="ADDRESS", proxied="ADDRESS")`: the status of the answer. The password is the
    name, reversed; `client` is who connects, `proxied` whom it asks for.
    """
    hashed = [f"{name}:{QUICK.hash(name[::-1])}\n" for name in USERS]
    settings.users_file.write_text("".join(hashed))
    app = App(settings.model_copy(update={"enable_authentication": True, **changes}))
    await app.start()

    async def sign_in(user: str, password: str, *, client: str = "127.0.0.1", proxied: str = "") -> int:
        connector = aiohttp.TCPConnector(local_addr=(client, 0))
        headers = {"X-Forwarded-For": proxied} if proxied else {}
        async with aiohttp.ClientSession(app.url, connector=connector) as http:
            async with http.post("/session", json={"user": user, "password": password}, headers=headers) as response:
                return response.status

    try:
        yield sign_in
    finally:
        await app.close()


async def test_ten_wrong_ones_behind_one_proxy_shut_out_neither_the_company_nor_the_user(settings: Settings) -> None:
    async with server(settings) as sign_in:
        assert [await sign_in("1001", "wrong") for _ in range(10)] == [401] * 10
        assert [await sign_in(name, name[::-1]) for name in USERS] == [200] * 15


async def test_wrong_ones_from_anywhere_do_not_shut_out_a_name(settings: Settings) -> None:
    async with server(settings) as sign_in:
        tries = [await sign_in("1001", "wrong", client=f"127.0.0.{2 + number % 12}") for number in range(40)]
        assert tries == [401] * 40
        assert await sign_in("1001", "1001"[::-1], client="127.0.0.99") == 200


@pytest.mark.parametrize("names", [USERS, ["1001"] * 15], ids=["fifteen people", "one with fifteen devices"])
async def test_fifteen_right_ones_at_once_are_all_taken(settings: Settings, names: list[str]) -> None:
    async with server(settings) as sign_in:
        assert await asyncio.gather(*(sign_in(name, name[::-1]) for name in names)) == [200] * 15


async def test_a_hundred_right_ones_at_once_beside_somebody_who_guesses(settings: Settings) -> None:
    async with server(settings) as sign_in:
        guesses = [asyncio.create_task(sign_in("1001", f"{n}", client="127.0.0.50")) for n in range(60)]
        assert set(await asyncio.gather(*(sign_in(name, name[::-1]) for name in USERS * 7))) == {200}
        assert set(await asyncio.gather(*guesses)) == {401, 429}


async def test_a_trusted_proxy_tells_who_asks(settings: Settings) -> None:
    async with server(settings, trusted_proxies=parse_proxies("loopback")) as sign_in:
        guesses = await asyncio.gather(*(sign_in("1001", "wrong", proxied="198.51.100.1") for _ in range(30)))
        assert set(guesses) == {401, 429}
        begun = time.monotonic()
        forged = "198.51.100.1, 198.51.100.2"  # the proxy adds the second: the client wrote the first
        assert await sign_in("1001", "1001"[::-1], proxied=forged) == 200
        assert time.monotonic() - begun < 1, "it waited for somebody else's turn"


async def test_who_is_no_trusted_proxy_cannot_take_another_address_for_each_guess(settings: Settings) -> None:
    async with server(settings) as sign_in:
        tries = [sign_in("1001", "wrong", proxied=f"198.51.100.{number}") for number in range(30)]
        assert 429 in await asyncio.gather(*tries)


async def test_names_of_a_megabyte_leave_nothing(settings: Settings) -> None:
    async with server(settings) as sign_in:
        await sign_in("x", "x")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(100):
            assert await sign_in(f"{number}" + "A" * 1_000_000, "x") == 413
            assert await sign_in(f"{number}" + "A" * 10_000, "x") == 401
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


async def test_a_database_that_cannot_be_read_is_no_fault_of_who_asks_and_not_shown(settings: Settings) -> None:
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    (settings.state_dir / "accounts.db").write_text("no database, but somebody's " * 400)
    async with server(settings) as sign_in:
        assert await sign_in("1001", "1001"[::-1]) == 503


async def test_few_passwords_are_looked_at_at_once_and_the_queue_has_a_bound() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def verify(name: str, password: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return True

    sign_ins = SignIns(verify)
    asked = [sign_ins.check(f"user{number}", "x", f"192.0.2.{number % 20}") for number in range(400)]
    told = await asyncio.gather(*asked, return_exceptions=True)
    assert most == MAX_CONCURRENT_CHECKS
    assert told.count(True) >= 256 and sum(isinstance(one, TooManyAttempts) for one in told) >= 100
