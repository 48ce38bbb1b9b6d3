"""SIP passwords, and the credentials that the SIP edge asks for: who makes and sees them, and what ends them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import Accounts
from ari_bridge.accounts.sip_passwords import NO_CREDENTIAL, SipCredential
from frontend.app import App
from frontend.settings import Settings
from tests.fakes.kamailio import FakeKamailio
from tests.security.conftest import PASSWORD, SignIn
from tests.security.conftest import settings as signed_in_settings
from tests.security.servers import serving

TOKEN = "a-token-of-the-edge-that-nobody-guesses"
EDGE = {"Authorization": f"Bearer {TOKEN}"}

__all__ = ["signed_in_settings"]


@pytest.fixture
async def edge() -> AsyncIterator[FakeKamailio]:
    async with FakeKamailio() as edge:
        edge.token = TOKEN
        yield edge


@pytest.fixture
def settings(signed_in_settings: Settings, edge: FakeKamailio) -> Settings:
    changes = {"sip_edge_token": TOKEN, "sip_edge_rpc_url": edge.url, "max_requests_per_second": 2.0}
    return signed_in_settings.model_copy(update=changes)


async def ask(http: aiohttp.ClientSession, user: str, headers: dict[str, str] = EDGE) -> tuple[int, Any]:
    async with http.get(f"/sip-edge/credentials/{user}", headers=headers) as response:
        return response.status, await response.json()


async def make(http: aiohttp.ClientSession, user: dict[str, str], password: str = PASSWORD) -> tuple[int, Any]:
    async with http.post("/me/sip-password", json={"password": password}, headers=user) as response:
        return response.status, await response.json()


def ha1(user: str, realm: str, password: str) -> dict[str, str]:
    text = f"{user}:{realm}:{password}".encode()
    return {"user": user, "ha1": hashlib.md5(text).hexdigest(), "ha1Sha256": hashlib.sha256(text).hexdigest()}


async def test_the_edge_gets_what_checks_the_password_and_nobody_signs_in_with_it(
    http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    user = await sign_in("1001")
    assert (await ask(http, "1001"))[0] == 404, "nobody has one from the beginning"
    status, made = await make(http, user)
    assert status == 200
    assert await ask(http, "1001") == (200, ha1("1001", made["realm"], made["password"]))
    async with http.post("/session", json={"user": "1001", "password": made["password"]}) as response:
        assert response.status == 401
    _, again = await make(http, user)
    assert await ask(http, "1001") == (200, ha1("1001", again["realm"], again["password"])) != made
    async with http.get("/me", headers=user) as response:
        assert (await response.json())["sipPassword"] is True


async def test_no_other_token_shows_credentials(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    admin = await sign_in("9001")
    await make(http, admin)
    key, secret = await app.accounts.api_keys.create("all", ["users:manage"])
    for headers in (
        {},
        admin,
        {"Authorization": f"Bearer {key.id}_{secret}"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"bearer {TOKEN}x"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer \udcff"},
    ):
        status, told = await ask(http, "9001", headers)
        assert (status, told["code"]) == (401, "unauthorized") and "ha1" not in told, headers


async def test_the_edges_token_is_good_for_nothing_else(http: aiohttp.ClientSession) -> None:
    for path in ("/me", "/users", "/calls", "/live"):
        async with http.get(path, headers=EDGE) as response:
            assert response.status == 401, path


async def test_without_the_setting_nobody_may_ask(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        for line in ("Authorization: Bearer ", "Authorization: Bearer", "X: y"):
            answer = await server.send(f"GET /sip-edge/credentials/1001 HTTP/1.1\nHost: localhost\n{line}")
            assert answer.status == 401


async def test_the_edge_is_not_slowed_down_by_what_others_send(http: aiohttp.ClientSession) -> None:
    for _ in range(150):  # more than strangers may at once
        await ask(http, "1001", {})
    assert (await ask(http, "1001", {}))[0] == 429
    assert {(await ask(http, "1001"))[0] for _ in range(150)} == {404}


async def test_an_unknown_user_looks_like_one_without_a_sip_password(http: aiohttp.ClientSession) -> None:
    (one, known), (other, unknown) = await ask(http, "1001"), await ask(http, "nobody")
    assert one == other == 404
    without_ids = [{**told, "requestId": "", "instance": ""} for told in (known, unknown)]
    assert str(without_ids[0]).replace("1001", "NAME") == str(without_ids[1]).replace("nobody", "NAME")


@pytest.mark.parametrize("by", ["this server", "another process"])
@pytest.mark.parametrize("what", ["lock", "remove", "rename", "sip-password --remove"])
async def test_what_ends_a_user_ends_the_credentials(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, settings: Settings, what: str, by: str
) -> None:
    await make(http, await sign_in("1001"))
    assert (await ask(http, "1001"))[0] == 200
    accounts = app.accounts if by == "this server" else Accounts(settings.state_dir, settings.users_file)
    await accounts.open()
    match what:
        case "lock":
            await accounts.set_locked("1001", True)
        case "remove":
            await accounts.remove("1001")
        case "rename":
            await accounts.rename("1001", "1008")
        case _:
            await accounts.set_sip_credential("1001", NO_CREDENTIAL)
    if accounts is not app.accounts:
        await accounts.close()
        await app.accounts._try()  # what it does twice a second
    assert (await ask(http, "1001"))[0] == 404
    assert (await ask(http, "1008"))[0] == 404, "the digest has the old name in it"
    if what == "lock":
        await app.accounts.set_locked("1001", False)
        assert (await ask(http, "1001"))[0] == 200


async def test_a_password_of_another_realm_is_none(http: aiohttp.ClientSession, app: App, sign_in: SignIn) -> None:
    await app.accounts.set_sip_credential("1001", SipCredential.of("1001", "elsewhere", "x"))
    assert (await ask(http, "1001"))[0] == 404


async def test_a_stolen_token_makes_no_sip_password(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    user = await sign_in("1001")
    status, told = await make(http, user, "a wrong password, long enough")
    assert (status, told["code"]) == (401, "unauthorized")
    key, secret = await app.accounts.api_keys.create("all", ["users:manage"])
    status, told = await make(http, {"Authorization": f"Bearer {key.id}_{secret}"})
    assert status == 400
    assert (await ask(http, "1001"))[0] == 404


async def test_an_admin_makes_one_and_takes_it_away_and_the_audit_log_has_both_but_no_password(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    found = app.accounts.find("1001")
    assert found
    path, headers = f"/users/{found.id}/sip-password", {**await sign_in("9001"), "If-Match": "*"}
    async with http.post(path, headers=headers) as response:
        made = await response.json()
        assert response.headers["Cache-Control"] == "no-store"
    assert made["user"]["sipPassword"] is True
    assert await ask(http, "1001") == (200, ha1("1001", made["sip"]["realm"], made["sip"]["password"]))
    async with http.delete(path, headers=headers) as response:
        assert (await response.json())["sipPassword"] is False
    assert (await ask(http, "1001"))[0] == 404
    async with http.get("/audit", params={"action": "user.sip_password"}, headers=await sign_in("2003")) as response:
        entries = (await response.json())["entries"]
    told = sorted((one["actor"], one["object"], one["details"]["change"]) for one in entries)
    assert told == [("9001", "1001", "made"), ("9001", "1001", "removed")]
    assert made["sip"]["password"] not in str(entries)


async def test_nobody_makes_one_for_the_own_account_as_an_admin(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    found = app.accounts.find("9001")
    assert found
    headers = {**await sign_in("9001"), "If-Match": "*"}
    async with http.post(f"/users/{found.id}/sip-password", headers=headers) as response:
        assert (response.status, (await response.json())["code"]) == (409, "own_account")


# --- registrations --------------------------------------------------------------------------


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def registered(http: aiohttp.ClientSession, headers: dict[str, str]) -> Any:
    async with http.get("/sip-registrations", headers=headers) as response:
        assert response.status == 200
        return await response.json()


async def test_everybody_sees_their_own_phones_and_who_monitors_those_of_all(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, edge: FakeKamailio
) -> None:
    for user in ("1001", "1002"):
        await make(http, await sign_in(user))
        edge.register(user, f"sip:{user}@192.0.2.7")
    await until(app.sip_phones.users)
    seen = {
        name: [one["user"] for one in (await registered(http, await sign_in(name)))["registrations"]]
        for name in ("1001", "2001", "2002", "2003")
    }
    assert seen == {"1001": ["1001"], "2001": ["1001", "1002"], "2002": ["1001", "1002"], "2003": []}

    def state(user: str) -> str:
        return next(one.state for one in app.user_services.directory.people() if one.number == user)

    await until(lambda: state("1001") == state("1002") == "available")
    assert state("2001") == "offline"
    await edge.stop()
    await until(lambda: app.sip_phones.reason)
    away = await registered(http, await sign_in("1001"))
    assert away["known"] is False and "cannot be reached" in away["reason"] and away["readAt"]
    await edge.start()


async def test_phones_are_forgotten_whose_password_was_taken_away_while_the_server_was_down(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, edge: FakeKamailio
) -> None:
    await make(http, await sign_in("1001"))
    await app.accounts.set_sip_credential("1002", SipCredential.of("1002", "the-realm-of-before", "secret"))
    for user in ("1001", "1002", "2001"):
        edge.register(user, f"sip:{user}@192.0.2.7")
    await until(lambda: edge.contacts.keys() == {"1001"} and app.sip_phones.users() == {"1001"})


@pytest.mark.parametrize("what", ["lock", "remove", "rename", "password"])
async def test_the_edge_forgets_who_is_locked_or_has_another_password(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, edge: FakeKamailio, what: str
) -> None:
    user = await sign_in("1001")
    await make(http, user)
    await until(lambda: ("ul.dump",) in edge.requests)
    edge.register("1001", "sip:1001@192.0.2.7")
    match what:
        case "lock":
            await app.accounts.set_locked("1001", True)
        case "remove":
            await app.accounts.remove("1001")
        case "rename":
            await app.accounts.rename("1001", "1008")
        case "password":
            await make(http, user)
    await until(lambda: not edge.contacts and not edge.tables["ha1"] and not edge.tables["fresh"])
