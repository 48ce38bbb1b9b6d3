"""Nobody replaces the second factor of somebody else: not with a token, the password, or a challenge from before."""

import asyncio
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import Accounts, AccountsUnavailable, SecondFactorExists, User, UserChanged, passwords
from frontend.app import App
from frontend.settings import Settings
from tests.security.conftest import PASSWORD, SignIn
from tests.security.test_api_keys import bearer, made
from tests.security.test_client_tokens import ALL, token, with_token
from tests.security.test_second_factor import Phone, challenge_of, enrolled, give, phone, post

__all__ = ["phone"]

BEGIN, COMPLETE = "/me/second-factor", "/me/second-factor/complete"
SIP_PASSWORD = "/me/sip-password"
ENROLMENT = "/session/second-factor/enrolment"


def found(app: App, name: str = "1001") -> User:
    user = app.accounts.find(name)
    assert user
    return user


async def begun(http: aiohttp.ClientSession, headers: dict[str, str]) -> dict[str, Any]:
    """The challenge, and a right code of the app that it would set up."""
    status, answer = await post(http, BEGIN, password=PASSWORD, headers=headers)
    assert status == 200
    return {"challenge": answer["challenge"], "code": Phone(answer["secret"], []).code(-1)}


async def signs_in(http: aiohttp.ClientSession, phone: Phone, user: str = "1001") -> None:
    assert (await give(http, await challenge_of(http, user), phone.code()))[0] == 200
    assert (await give(http, await challenge_of(http, user), phone.recovery_codes[0]))[0] == 200


async def test_a_token_and_the_password_do_not_replace_it(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    stolen = await sign_in("1001")
    phone = await enrolled(http, await sign_in("1001"))
    status, problem = await post(http, BEGIN, password=PASSWORD, headers=stolen)
    assert (status, problem["code"]) == (400, "invalid_request") and "Remove it first" in problem["detail"]
    await signs_in(http, phone)


async def test_nor_do_they_make_a_sip_password(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    stolen = await sign_in("1001")
    phone = await enrolled(http, await sign_in("1001"))
    for code in ("", phone.wrong):
        status, problem = await post(http, SIP_PASSWORD, password=PASSWORD, code=code, headers=stolen)
        assert (status, problem["code"]) == (400, "invalid_request")
    assert not found(app).sip_ha1
    assert (await post(http, SIP_PASSWORD, password=PASSWORD, code=phone.code(), headers=stolen))[0] == 200
    assert found(app).sip_ha1


async def test_nor_does_a_challenge_from_before_it_was_set_up(http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    stolen = await sign_in("1001")
    before = await begun(http, stolen)
    phone = await enrolled(http, await sign_in("1001"))
    assert (await post(http, COMPLETE, **before, headers=stolen))[0] == 400
    await signs_in(http, phone)


async def test_of_two_set_up_at_once_one_stands(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    headers = await sign_in("1001")
    both = [await begun(http, headers) for _ in range(2)]
    told = await asyncio.gather(*(post(http, COMPLETE, **one, headers=headers) for one in both))
    assert sorted(status for status, _ in told) == [200, 400]


async def test_nor_does_another_server_that_has_not_heard_of_it(
    phone: Phone, app: App, http: aiohttp.ClientSession, settings: Settings
) -> None:
    known = found(app)
    with pytest.raises(SecondFactorExists):
        await app.accounts.second_factors.add(known, "sealed", 1)
    await app.accounts.second_factors.remove(known)
    await app.accounts.set_password("1001", passwords.hash_password(PASSWORD))
    for late in (app.accounts.second_factors.new_recovery_codes, app.accounts.second_factors.remove):
        with pytest.raises(UserChanged):
            await late(known)
    with pytest.raises(UserChanged):
        await app.accounts.second_factors.add(known, "sealed", 1)


@pytest.mark.parametrize("program", ["client token", "API key"])
async def test_a_program_reads_and_changes_nothing_of_it(
    phone: Phone, app: App, http: aiohttp.ClientSession, program: str
) -> None:
    key = await made(app, *ALL)
    headers = with_token(await token(http, key, user="1001")) if program == "client token" else bearer(key)
    confirmation = {"password": PASSWORD, "code": phone.code()}
    for path, body in {
        BEGIN: {"password": PASSWORD},
        COMPLETE: {"challenge": "x" * 43, "code": "000000"},
        f"{BEGIN}/recovery-codes": confirmation,
        f"{BEGIN}/remove": confirmation,
    }.items():
        status, problem = await post(http, path, **body, headers=headers)
        assert (status, problem.get("field")) == (400, "user"), path
    async with http.get(BEGIN, headers=headers) as response:
        assert response.status == 400
    await signs_in(http, phone)


async def test_a_program_sets_none_up(app: App, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    headers = with_token(await token(http, await made(app, *ALL), user="1001"))
    assert (await post(http, BEGIN, password=PASSWORD, headers=headers))[0] == 400
    of_owner = await begun(http, await sign_in("1001"))
    assert (await post(http, COMPLETE, **of_owner, headers=headers))[0] == 400
    assert not found(app).second_factor


async def test_a_password_is_not_chosen_with_a_challenge_from_before(app: App, http: aiohttp.ClientSession) -> None:
    await app.accounts.set_password("1001", passwords.hash_password(PASSWORD), must_change=True)
    _, problem = await post(http, "/session", user="1001", password=PASSWORD)
    await app.accounts.second_factors.add(found(app), "sealed", 1)
    body = {"challenge": problem["challenge"], "newPassword": "my own words, and long"}
    assert (await post(http, "/session/password", **body))[0] == 401
    assert app.accounts.verify("1001", PASSWORD)


class TestRequired:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"require_second_factor": ("user",)})

    @staticmethod
    async def enrolment(http: aiohttp.ClientSession) -> tuple[dict[str, str], Phone]:
        _, problem = await post(http, "/session", user="1001", password=PASSWORD)
        _, answer = await post(http, ENROLMENT, challenge=problem["challenge"])
        phone = Phone(answer["secret"], [])
        return {"challenge": answer["challenge"], "code": phone.code(-1)}, phone

    async def test_a_sign_in_from_before_the_owner_s_is_of_no_use(self, app: App, http: aiohttp.ClientSession) -> None:
        before, _ = await self.enrolment(http)
        body, phone = await self.enrolment(http)
        status, session = await post(http, f"{ENROLMENT}/complete", **body)
        assert status == 200
        assert (await post(http, f"{ENROLMENT}/complete", **before))[0] == 401
        assert (await post(http, ENROLMENT, challenge=before["challenge"]))[0] == 401
        await signs_in(http, Phone(phone.secret, session["recoveryCodes"]))

    async def test_of_two_at_once_one_gets_in(self, app: App, http: aiohttp.ClientSession) -> None:
        both = [(await self.enrolment(http))[0] for _ in range(2)]
        told = await asyncio.gather(*(post(http, f"{ENROLMENT}/complete", **body) for body in both))
        assert sorted(status for status, _ in told) == [200, 401]

    async def test_it_is_completed_once_the_database_is_back(
        self, app: App, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        body, phone = await self.enrolment(http)
        with monkeypatch.context() as away:
            away.setattr(app.accounts.second_factors, "add", unavailable)
            assert (await post(http, f"{ENROLMENT}/complete", **body))[0] == 503
        status, session = await post(http, f"{ENROLMENT}/complete", **body)
        assert status == 200
        await signs_in(http, Phone(phone.secret, session["recoveryCodes"]))


async def unavailable(*_: Any) -> Any:
    raise AccountsUnavailable("it is away")


async def test_a_code_is_given_again_once_the_database_is_back(
    phone: Phone, app: App, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = await challenge_of(http)
    with monkeypatch.context() as away:
        away.setattr(app.accounts.second_factors, "use_step", unavailable)
        assert (await give(http, challenge, phone.code()))[0] == 503
    assert (await give(http, challenge, phone.code()))[0] == 200


async def test_whoever_reads_it_or_guesses_makes_no_server_read_the_users_anew(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, settings: Settings
) -> None:
    headers = await sign_in("1001")
    phone = await enrolled(http, headers)
    challenge = await challenge_of(http)
    other = Accounts(settings.state_dir, settings.users_file)
    await other.open()
    before = await other._database.revision()
    async with http.get(BEGIN, headers=headers) as response:
        assert response.status == 200
    assert (await give(http, challenge, phone.wrong))[0] == 401
    assert (await give(http, challenge, "AAAA-AAAA-AAAA-AAAA"))[0] == 401
    factor = await other.second_factors.of(found(app))
    assert factor and await other.second_factors.use_step(factor, factor.last_step + 1)
    assert await other.second_factors.use_recovery_code(found(app), phone.recovery_codes[0])
    assert await other._database.revision() == before
    await other.close()
