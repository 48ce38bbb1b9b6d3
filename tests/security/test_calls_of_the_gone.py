"""No call goes on of a user or an API key that has gone, whenever that was and whatever the user was called."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from ari_bridge.accounts import Accounts
from frontend.app import App
from frontend.settings import Settings
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.real.journals import remove_journal
from tests.security.conftest import PASSWORD


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[App]:
    app = App(settings)
    await app.start()
    try:
        async with asyncio.timeout(10):
            while not app.ari.connected:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield app
    finally:
        await app.close()


async def place(app: App, token: str) -> str:
    """The id of the call."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(app.url) as http:
        async with http.post("/invite", json={"target": "600", "sdp": OFFER}, headers=headers) as response:
            assert response.status == 201, await response.text()
            return str((await response.json())["callId"])


async def token_of(app: App, user: str) -> str:
    async with aiohttp.ClientSession(app.url) as http:
        async with http.post("/session", json={"user": user, "password": PASSWORD}) as response:
            return str((await response.json())["token"])


async def rename_and_lock(accounts: Accounts) -> None:
    await accounts.rename("1001", "1009")
    await accounts.set_locked("1009", True)


async def remove_and_add_another(accounts: Accounts) -> None:
    await accounts.remove("1001")
    await accounts.add("1001", "x")


GOES: dict[str, Callable[[Accounts], Awaitable[object]]] = {
    "locked": lambda accounts: accounts.set_locked("1001", True),
    "removed": lambda accounts: accounts.remove("1001"),
    "removed, and another has the name": remove_and_add_another,
    "renamed and locked": rename_and_lock,
}


@pytest.mark.parametrize("how", GOES)
async def test_who_goes_while_no_server_runs(settings: Settings, pbx: FakeAri, how: str) -> None:
    pbx.far_side = Answers()
    async with running(settings) as app:
        gone = await place(app, await token_of(app, "1001"))
        stays = await place(app, await token_of(app, "1002"))
    accounts = Accounts(settings.state_dir, settings.users_file)
    await accounts.open()
    await GOES[how](accounts)
    await accounts.close()
    try:
        async with running(settings) as app:
            async with asyncio.timeout(10):
                while app.calls.get(gone).state.live:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert app.calls.get(stays).state.live
    finally:
        remove_journal(settings.state_dir)


async def test_a_key_that_is_revoked_while_no_server_runs(settings: Settings, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    async with running(settings) as app:
        key, secret = await app.accounts.api_keys.create("test", ["dial"])
        other, its_secret = await app.accounts.api_keys.create("test", ["dial"])
        gone, stays = await place(app, f"{key.id}_{secret}"), await place(app, f"{other.id}_{its_secret}")
    accounts = Accounts(settings.state_dir, settings.users_file)
    await accounts.open()
    await accounts.api_keys.revoke(key.id)
    await accounts.close()
    try:
        async with running(settings) as app:
            async with asyncio.timeout(10):
                while app.calls.get(gone).state.live:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert app.calls.get(stays).state.live
    finally:
        remove_journal(settings.state_dir)


async def test_who_is_renamed_and_locked_while_one_runs(settings: Settings, pbx: FakeAri) -> None:
    pbx.far_side = Answers()
    try:
        async with running(settings) as app:
            gone = await place(app, await token_of(app, "1001"))
            await app.accounts.rename("1001", "1009")
            await app.accounts.rename("1002", "1001")
            stays = await place(app, await token_of(app, "1001"))
            await app.accounts.set_locked("1009", True)
            async with asyncio.timeout(10):
                while app.calls.get(gone).state.live:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert app.calls.get(stays).state.live
    finally:
        remove_journal(settings.state_dir)
