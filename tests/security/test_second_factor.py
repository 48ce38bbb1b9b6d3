"""The second factor: with the password alone one gets nowhere, and a code is good once."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pyotp
import pytest

from ari_bridge.accounts import Accounts, passwords, totp
from frontend.app import App
from frontend.settings import Settings
from tests.offers import OFFER
from tests.security.conftest import PASSWORD, Page, SignIn

OpenPage = Callable[[], Awaitable[Page]]


async def post(http: aiohttp.ClientSession, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    headers = body.pop("headers", {})
    async with http.post(path, json=body, headers=headers) as response:
        return response.status, await response.json() if response.status != 204 else {}


@dataclass
class Phone:
    """An authenticator app, and what its user keeps on paper."""

    secret: str
    recovery_codes: list[str]

    def code(self, steps: int = 0) -> str:
        """Of now, or of so many steps later."""
        return pyotp.TOTP(self.secret).generate_otp(int(time.time()) // totp.STEP_S + steps)

    @property
    def wrong(self) -> str:
        taken = {self.code(steps) for steps in range(-3, 4)}
        return next(f"{number:06d}" for number in range(10) if f"{number:06d}" not in taken)


async def enrolled(http: aiohttp.ClientSession, headers: dict[str, str]) -> Phone:
    """An app that was set up with the code of the step before, so that this step's can be used."""
    status, begun = await post(http, "/me/second-factor", password=PASSWORD, headers=headers)
    assert status == 200
    phone = Phone(begun["secret"], [])
    body = {"challenge": begun["challenge"], "code": phone.code(-1)}
    status, done = await post(http, "/me/second-factor/complete", **body, headers=headers)
    assert status == 200 and len(done["recoveryCodes"]) == 10
    return Phone(begun["secret"], done["recoveryCodes"])


@pytest.fixture
async def phone(http: aiohttp.ClientSession, sign_in: SignIn) -> Phone:
    """1001's."""
    return await enrolled(http, await sign_in("1001"))


async def challenge_of(http: aiohttp.ClientSession, user: str = "1001") -> str:
    status, problem = await post(http, "/session", user=user, password=PASSWORD)
    assert (status, problem["code"]) == (401, "second_factor_required") and "token" not in problem
    return str(problem["challenge"])


async def give(http: aiohttp.ClientSession, challenge: str, code: str) -> tuple[int, dict[str, Any]]:
    return await post(http, "/session/second-factor", challenge=challenge, code=code)


# --- what the password alone opens: nothing -------------------------------------------------


async def test_the_challenge_is_no_token_and_no_other_step_takes_it(
    phone: Phone, http: aiohttp.ClientSession, page: OpenPage
) -> None:
    challenge = await challenge_of(http)
    headers = {"Authorization": f"Bearer {challenge}"}
    for path in ("/cdrs", "/calls", "/me/second-factor", "/events"):
        async with http.get(path, headers=headers) as response:
            assert response.status == 401, path
    assert (await post(http, "/invite", target="600", sdp=OFFER, headers=headers))[0] == 401
    assert (await post(http, "/session/password", challenge=challenge, newPassword="my own words, and long"))[0] == 401
    assert (await post(http, "/session/second-factor/enrolment", challenge=challenge))[0] == 401
    body = {"challenge": challenge, "code": phone.code()}
    assert (await post(http, "/session/second-factor/enrolment/complete", **body))[0] == 401
    stranger = await page()
    refused = await stranger.ask("registered", type="register", user="1001", token=challenge)
    assert (refused["type"], refused["code"]) == ("error", "unauthorized")


async def test_a_reset_password_is_not_changed_without_the_second_factor(
    phone: Phone, app: App, http: aiohttp.ClientSession
) -> None:
    await app.accounts.set_password("1001", passwords.hash_password(PASSWORD), must_change=True)
    status, problem = await give(http, await challenge_of(http), phone.code())
    assert (status, problem["code"]) == (401, "password_change_required")
    body = {"challenge": problem["challenge"], "newPassword": "my own words, and long"}
    status, session = await post(http, "/session/password", **body)
    assert (status, session["user"]) == (200, "1001")


# --- codes ----------------------------------------------------------------------------------


async def test_a_code_opens_the_phone_once_also_with_another_challenge(
    phone: Phone, http: aiohttp.ClientSession, page: OpenPage
) -> None:
    code, first, second = phone.code(), await challenge_of(http), await challenge_of(http)
    status, session = await give(http, first, f"{code[:3]} {code[3:]}")
    assert status == 200
    own = await page()
    assert (await own.ask("registered", type="register", user="1001", token=session["token"]))["type"] == "registered"
    assert (await give(http, first, phone.code(1)))[0] == 401, "the challenge was used"
    assert (await give(http, second, code))[0] == 401, "the code was used"
    assert (await give(http, second, phone.code(1)))[0] == 200


async def test_of_many_at_once_with_one_code_one_is_let_in(phone: Phone, http: aiohttp.ClientSession) -> None:
    code, challenges = phone.code(), [await challenge_of(http) for _ in range(4)]
    told = await asyncio.gather(*(give(http, challenge, code) for challenge in challenges))
    assert sorted(status for status, _ in told) == [200, 401, 401, 401]


async def test_a_code_that_was_used_is_not_taken_after_a_restart(
    phone: Phone, settings: Settings, http: aiohttp.ClientSession
) -> None:
    code = phone.code()
    assert (await give(http, await challenge_of(http), code))[0] == 200
    accounts = Accounts(settings.state_dir, settings.users_file)
    await accounts.open()
    user = accounts.find("1001")
    assert user
    factor = await accounts.second_factors.of(user)
    assert factor and not await accounts.second_factors.use_step(factor, factor.last_step)
    await accounts.close()


@pytest.mark.parametrize("steps", [-3, 3, None])
async def test_a_code_of_another_time_or_none_is_refused(
    phone: Phone, http: aiohttp.ClientSession, steps: int | None
) -> None:
    code = phone.wrong if steps is None else phone.code(steps)
    assert (await give(http, await challenge_of(http), code))[0] == 401


async def test_another_user_s_code_and_challenge_are_of_no_use(
    phone: Phone, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    other = await enrolled(http, await sign_in("1002"))
    mine, theirs = await challenge_of(http), await challenge_of(http, "1002")
    assert (await give(http, mine, other.code()))[0] == 401
    assert (await give(http, mine, other.recovery_codes[0]))[0] == 401
    status, session = await give(http, theirs, other.code())
    assert (status, session["user"]) == (200, "1002")


async def test_guesses_are_slowed_down_until_they_are_hopeless_and_the_owner_gets_in(
    phone: Phone, http: aiohttp.ClientSession
) -> None:
    challenge = await challenge_of(http)
    assert [(await give(http, challenge, phone.wrong))[0] for _ in range(6)] == [401] * 6
    status, problem = await give(http, challenge, phone.code())
    assert (status, problem["code"]) == (429, "too_many") and problem["retryAfter"] > 20
    assert (await give(http, await challenge_of(http), phone.code()))[0] == 429, "another challenge is another try"
    assert (await give(http, await challenge_of(http), phone.recovery_codes[0]))[0] == 200


# --- recovery codes -------------------------------------------------------------------------


async def test_a_recovery_code_is_good_once_and_stored_hashed(
    phone: Phone, app: App, settings: Settings, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    code = phone.recovery_codes[0]
    assert (await give(http, await challenge_of(http), code.lower().replace("-", " ")))[0] == 200
    assert (await give(http, await challenge_of(http), code))[0] == 401
    stored = (settings.state_dir / "accounts.db").read_bytes()
    for suffix in ("-wal",):
        path = settings.state_dir / f"accounts.db{suffix}"
        stored += path.read_bytes() if path.exists() else b""
    for secret in (*phone.recovery_codes, *(code.replace("-", "") for code in phone.recovery_codes), phone.secret):
        assert secret.encode() not in stored
    key = settings.state_dir / totp.KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600


async def test_new_ones_end_those_before(phone: Phone, http: aiohttp.ClientSession) -> None:
    status, session = await give(http, await challenge_of(http), phone.recovery_codes[0])
    headers = {"Authorization": f"Bearer {session['token']}"}
    body = {"password": PASSWORD, "code": phone.recovery_codes[1]}
    status, made = await post(http, "/me/second-factor/recovery-codes", **body, headers=headers)
    assert status == 200
    assert (await give(http, await challenge_of(http), phone.recovery_codes[2]))[0] == 401
    assert (await give(http, await challenge_of(http), made["recoveryCodes"][0]))[0] == 200


# --- setting it up, and removing it ---------------------------------------------------------


async def test_a_stolen_token_sets_up_and_removes_nothing(
    phone: Phone, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    headers = await sign_in("1002")
    assert (await post(http, "/me/second-factor", password="wrong", headers=headers))[0] == 401
    status, session = await give(http, await challenge_of(http), phone.code())
    mine = {"Authorization": f"Bearer {session['token']}"}
    for body in ({"password": "wrong", "code": phone.code(1)}, {"password": PASSWORD, "code": phone.wrong}):
        assert (await post(http, "/me/second-factor/remove", **body, headers=mine))[0] in (400, 401)
    assert (await post(http, "/session", user="1001", password=PASSWORD))[1]["code"] == "second_factor_required"
    body = {"password": PASSWORD, "code": phone.code(1)}
    assert (await post(http, "/me/second-factor/remove", **body, headers=mine))[0] == 204
    assert (await post(http, "/session", user="1001", password=PASSWORD))[0] == 200


async def test_an_app_is_set_up_by_its_own_user_and_with_a_right_code(
    http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    mine, other = await sign_in("1001"), await sign_in("1002")
    _, begun = await post(http, "/me/second-factor", password=PASSWORD, headers=mine)
    phone = Phone(begun["secret"], [])
    for headers, code in ((other, phone.code()), (mine, phone.wrong)):
        body = {"challenge": begun["challenge"], "code": code}
        assert (await post(http, "/me/second-factor/complete", **body, headers=headers))[0] == 400
    body = {"challenge": begun["challenge"], "code": phone.code()}
    assert (await post(http, "/session/second-factor/enrolment/complete", **body))[0] == 401
    assert (await post(http, "/me/second-factor/complete", **body, headers=mine))[0] == 200
    assert (await post(http, "/me/second-factor/complete", **body, headers=mine))[0] == 400
    async with http.get("/me/second-factor", headers=mine) as response:
        shown = await response.json()
    assert shown["enabled"] and shown["recoveryCodes"] == 10 and "secret" not in shown


async def test_an_administrator_resets_it_and_what_was_open_ends(
    phone: Phone, app: App, settings: Settings, http: aiohttp.ClientSession
) -> None:
    _, session = await give(http, await challenge_of(http), phone.code())
    challenge = await challenge_of(http)
    user = app.accounts.find("1001")
    assert user
    await app.accounts.second_factors.reset(user)
    async with http.get("/cdrs", headers={"Authorization": f"Bearer {session['token']}"}) as response:
        assert response.status == 401
    assert (await give(http, challenge, phone.code(1)))[0] == 401
    assert (await post(http, "/session", user="1001", password=PASSWORD))[0] == 200


async def test_an_admin_resets_it_over_http_as_it_was_seen_and_never_the_own(
    phone: Phone, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    admin = await sign_in("9001")

    async def user_of(name: str) -> dict[str, Any]:
        async with http.get("/users", params={"search": name}, headers=admin) as response:
            [user] = (await response.json())["users"]
            return dict(user)

    async def reset(user: dict[str, Any], revision: int, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        path, seen = f"/users/{user['id']}/second-factor", {"If-Match": f'"{revision}"'}
        async with http.delete(path, headers=headers | seen) as response:
            return response.status, await response.json()

    user, own = await user_of("1001"), await user_of("9001")
    assert user["secondFactor"] and not own["secondFactor"]
    status, problem = await reset(user, user["revision"] - 1, admin)
    assert (status, problem["code"]) == (412, "changed_meanwhile")
    status, problem = await reset(own, own["revision"], admin)
    assert (status, problem["code"]) == (409, "own_account")
    await challenge_of(http)
    status, changed = await reset(user, user["revision"], admin)
    assert status == 200 and not changed["secondFactor"]
    assert (await post(http, "/session", user="1001", password=PASSWORD))[0] == 200


async def test_of_a_removed_user_nothing_is_kept(phone: Phone, app: App, settings: Settings) -> None:
    await app.accounts.remove("1001")
    with sqlite3.connect(settings.state_dir / "accounts.db") as database:
        for table in ("second_factors", "recovery_codes"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    database.close()


async def test_without_the_key_recovery_codes_open_and_nothing_else(
    phone: Phone, app: App, settings: Settings, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.access
    monkeypatch.setattr(app.access.steps._second_factor, "_key", totp.SecretKey(settings.state_dir / "lost"))
    assert (await give(http, await challenge_of(http), phone.code()))[0] == 503
    assert (await give(http, await challenge_of(http), phone.recovery_codes[0]))[0] == 200


# --- where a role needs it ------------------------------------------------------------------


class TestRequired:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"require_second_factor": ("admin",)})

    async def test_who_has_none_sets_it_up_and_gets_no_session_before(
        self, app: App, http: aiohttp.ClientSession, sign_in: SignIn
    ) -> None:
        await sign_in("1001")
        status, problem = await post(http, "/session", user="9001", password=PASSWORD)
        assert (status, problem["code"]) == (401, "second_factor_enrolment_required")
        challenge = problem["challenge"]
        body = {"challenge": challenge, "code": "000000"}
        assert (await post(http, "/session/second-factor/enrolment/complete", **body))[0] == 401
        assert (await give(http, challenge, "000000"))[0] == 401
        _, begun = await post(http, "/session/second-factor/enrolment", challenge=challenge)
        phone = Phone(begun["secret"], [])
        body = {"challenge": begun["challenge"], "code": phone.wrong}
        assert (await post(http, "/session/second-factor/enrolment/complete", **body))[0] == 401
        body["code"] = phone.code()
        status, session = await post(http, "/session/second-factor/enrolment/complete", **body)
        assert status == 200 and len(session["recoveryCodes"]) == 10
        async with http.get("/stats", headers={"Authorization": f"Bearer {session['token']}"}) as response:
            assert response.status == 200
        assert (await give(http, await challenge_of(http, "9001"), phone.code(1)))[0] == 200
