"""Security keys as the second factor: what they have signed opens once, for its user, page and challenge alone."""

from copy import copy
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from ari_bridge.accounts import SecondFactorExists
from ari_bridge.accounts.security_keys import NewSecurityKey
from frontend.app import App
from frontend.auth.relying_party import CHALLENGE_LIFETIME_S
from frontend.settings import Settings
from tests.authenticator import Authenticator
from tests.security.conftest import PASSWORD, SignIn
from tests.security.test_second_factor import challenge_of, enrolled, give, post

ORIGIN = "https://phone.example.com"
Headers = dict[str, str]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"webauthn_origins": (ORIGIN,)})


async def register(
    http: aiohttp.ClientSession, headers: Headers, made: Authenticator, name: str = "Blue", **proof: Any
) -> tuple[int, dict[str, Any]]:
    status, begun = await post(http, "/me/second-factor/keys", password=PASSWORD, headers=headers, **proof)
    if status != 200:
        return status, begun
    body = {"challenge": begun["challenge"], "credential": made.create(begun["options"]), "name": name}
    return await post(http, "/me/second-factor/keys/complete", **body, headers=headers)


@pytest.fixture
async def headers(sign_in: SignIn) -> Headers:
    """1001's."""
    return await sign_in("1001")


@pytest.fixture
async def key(http: aiohttp.ClientSession, headers: Headers) -> Authenticator:
    """1001's."""
    made = Authenticator(ORIGIN)
    status, done = await register(http, headers, made)
    assert status == 200 and len(done["recoveryCodes"]) == 10
    return made


async def asked(http: aiohttp.ClientSession, challenge: str) -> dict[str, Any]:
    status, found = await post(http, "/session/second-factor/key", challenge=challenge)
    assert status == 200
    options: dict[str, Any] = found["options"]
    return options


async def answer(http: aiohttp.ClientSession, challenge: str, credential: Any) -> tuple[int, dict[str, Any]]:
    return await post(http, "/session/second-factor/key/complete", challenge=challenge, credential=credential)


async def proof(http: aiohttp.ClientSession, headers: Headers, key: Authenticator) -> dict[str, Any]:
    status, begun = await post(http, "/me/second-factor/proof", headers=headers)
    assert status == 200
    return {"challenge": begun["challenge"], "credential": key.get(begun["options"])}


# --- what a key opens -----------------------------------------------------------------------


async def test_a_key_is_required_and_opens(key: Authenticator, http: aiohttp.ClientSession) -> None:
    status, problem = await post(http, "/session", user="1001", password=PASSWORD)
    assert (status, problem["code"]) == (401, "second_factor_required")
    assert problem["methods"] == ["security_key", "recovery_code"]
    options = await asked(http, problem["challenge"])
    assert options["rpId"] == "phone.example.com" and [each["id"] for each in options["allowCredentials"]] == [key.id]
    status, session = await answer(http, problem["challenge"], key.get(options))
    assert (status, session["user"]) == (200, "1001")


async def test_it_opens_after_a_restart_with_a_key_that_does_not_count(
    http: aiohttp.ClientSession, headers: Headers
) -> None:
    passkey = Authenticator(ORIGIN)
    assert (await register(http, headers, passkey))[0] == 200
    for _ in range(2):
        challenge = await challenge_of(http)
        assert (await answer(http, challenge, passkey.get(await asked(http, challenge), counts=False)))[0] == 200


async def test_what_was_signed_opens_once(key: Authenticator, http: aiohttp.ClientSession) -> None:
    first, second = await challenge_of(http), await challenge_of(http)
    signed = key.get(await asked(http, first))
    await asked(http, second)
    assert (await answer(http, first, signed))[0] == 200
    assert (await answer(http, first, signed))[0] == 401
    status, problem = await answer(http, second, signed)
    assert (status, problem["field"]) == (401, "credential")
    status, problem = await answer(http, second, signed)
    assert status == 401 and "Try again" in problem["detail"], "each challenge of a key is good for one answer"


async def test_another_user_s_key_is_of_no_use(
    key: Authenticator, http: aiohttp.ClientSession, sign_in: SignIn, app: App
) -> None:
    other = Authenticator(ORIGIN)
    assert (await register(http, await sign_in("1002"), other))[0] == 200
    challenge = await challenge_of(http)
    options = await asked(http, challenge)
    status, problem = await answer(http, challenge, other.get(options))
    assert status == 401 and "none of yours" in problem["detail"]
    disguised = copy(other)
    disguised.credential_id = key.credential_id
    assert (await answer(http, challenge, disguised.get(await asked(http, challenge))))[0] == 401
    theirs = await challenge_of(http, "1002")
    assert (await answer(http, theirs, other.get(options)))[0] == 401, "asked of 1001"
    assert (await answer(http, challenge, key.get(await asked(http, challenge))))[0] == 200


@pytest.mark.parametrize("origin", ["https://phone.example.com.evil.example", "http://phone.example.com", "null"])
async def test_what_another_page_got_signed_is_of_no_use(
    key: Authenticator, http: aiohttp.ClientSession, origin: str
) -> None:
    challenge = await challenge_of(http)
    key.origin = origin
    status, problem = await answer(http, challenge, key.get(await asked(http, challenge)))
    assert (status, problem["field"]) == (401, "credential")


async def test_what_was_signed_for_another_server_is_of_no_use(key: Authenticator, http: aiohttp.ClientSession) -> None:
    challenge = await challenge_of(http)
    assert (await answer(http, challenge, key.get(await asked(http, challenge), rp_id="evil.example")))[0] == 401


async def test_an_invented_challenge_is_of_no_use(key: Authenticator, http: aiohttp.ClientSession) -> None:
    challenge = await challenge_of(http)
    options = await asked(http, challenge) | {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
    assert (await answer(http, challenge, key.get(options)))[0] == 401
    assert (await answer(http, challenge, key.get(options)))[0] == 401


async def test_nothing_was_asked_so_nothing_is_taken(key: Authenticator, http: aiohttp.ClientSession) -> None:
    signed = key.get({"challenge": "", "rpId": "phone.example.com"})
    assert (await answer(http, await challenge_of(http), signed))[0] == 401


async def test_what_comes_too_late_is_not_taken(
    key: Authenticator, http: aiohttp.ClientSession, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenge = await challenge_of(http)
    signed = key.get(await asked(http, challenge))
    assert app.access
    challenges = app.access.steps._challenges
    clock = challenges._clock
    monkeypatch.setattr(challenges, "_clock", lambda: clock() + CHALLENGE_LIFETIME_S)
    status, problem = await answer(http, challenge, signed)
    assert status == 401 and "too long" in problem["detail"]
    assert (await answer(http, challenge, key.get(await asked(http, challenge))))[0] == 200


async def test_a_copy_of_a_key_is_noticed(key: Authenticator, http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    clone = copy(key)
    challenge = await challenge_of(http)
    assert (await answer(http, challenge, key.get(await asked(http, challenge))))[0] == 200
    challenge = await challenge_of(http)
    status, problem = await answer(http, challenge, clone.get(await asked(http, challenge)))
    assert status == 401 and "may have been copied" in problem["detail"]
    silent = clone.get(await asked(http, challenge), counts=False)
    assert (await answer(http, challenge, silent))[0] == 401
    auditor = await sign_in("2003")
    async with http.get("/audit", params={"action": "second_factor.refuse"}, headers=auditor) as response:
        found = (await response.json())["entries"]
    assert [entry["details"]["name"] for entry in found if "may be a copy" in entry["details"]["reason"]] == [
        "Blue"
    ] * 2


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature"])
async def test_rubbish_is_refused(key: Authenticator, http: aiohttp.ClientSession, part: str) -> None:
    challenge = await challenge_of(http)
    for rubbish in ("", "AAAA", "oWFh", "A" * 8000):
        signed = key.get(await asked(http, challenge))
        signed["response"][part] = rubbish
        assert (await answer(http, challenge, signed))[0] == 401


# --- setting up -----------------------------------------------------------------------------


async def test_it_is_set_up_with_the_password_only(http: aiohttp.ClientSession, headers: Headers) -> None:
    status, _ = await post(http, "/me/second-factor/keys", password="not the password", headers=headers)
    assert status == 401


async def test_who_has_a_key_adds_and_removes_nothing_without_it(
    key: Authenticator, http: aiohttp.ClientSession, headers: Headers
) -> None:
    thief = Authenticator(ORIGIN)
    assert (await register(http, headers, thief))[0] == 400
    assert (await register(http, headers, thief, key=await proof(http, headers, thief)))[0] == 400
    assert (await post(http, "/me/second-factor", password=PASSWORD, headers=headers))[0] == 400
    async with http.get("/me/second-factor", headers=headers) as response:
        (mine,) = (await response.json())["securityKeys"]
    path = f"/me/second-factor/keys/{mine['id']}/remove"
    assert (await post(http, path, password=PASSWORD, headers=headers))[0] == 400
    assert (await post(http, path, password=PASSWORD, code="000000", headers=headers))[0] == 400
    status, done = await register(http, headers, Authenticator(ORIGIN), "Second", key=await proof(http, headers, key))
    assert (status, done["recoveryCodes"]) == (200, []), "those of before stay good"
    assert (await post(http, path, password=PASSWORD, key=await proof(http, headers, key), headers=headers))[0] == 204
    challenge = await challenge_of(http)
    assert (await answer(http, challenge, key.get(await asked(http, challenge))))[0] == 401, "it was removed"


async def test_with_the_last_key_the_recovery_codes_go(
    key: Authenticator, http: aiohttp.ClientSession, headers: Headers, app: App
) -> None:
    user = app.accounts.find("1001")
    assert user
    (mine,) = await app.accounts.security_keys.of(user)
    path = f"/me/second-factor/keys/{mine.id}/remove"
    assert (await post(http, path, password=PASSWORD, key=await proof(http, headers, key), headers=headers))[0] == 204
    assert await app.accounts.second_factors.recovery_codes_left(user) == 0
    assert (await post(http, "/session", user="1001", password=PASSWORD))[0] == 200


async def test_a_proof_is_no_challenge_of_a_sign_in_nor_the_other_way_round(
    key: Authenticator, http: aiohttp.ClientSession, headers: Headers
) -> None:
    """With a token alone one would get a challenge as after a right password."""
    _, begun = await post(http, "/me/second-factor/proof", headers=headers)
    signed = key.get(begun["options"])
    assert (await answer(http, begun["challenge"], signed))[0] == 401
    assert (await post(http, "/session/second-factor/key", challenge=begun["challenge"]))[0] == 401
    challenge = await challenge_of(http)
    given = {"challenge": challenge, "credential": key.get(await asked(http, challenge))}
    status, _ = await post(http, "/me/second-factor/recovery-codes", password=PASSWORD, key=given, headers=headers)
    assert status == 400


async def test_another_user_s_proof_is_of_no_use(
    key: Authenticator, http: aiohttp.ClientSession, headers: Headers, sign_in: SignIn
) -> None:
    other, theirs = Authenticator(ORIGIN), await sign_in("1002")
    assert (await register(http, theirs, other))[0] == 200
    given = await proof(http, headers, key)
    status, _ = await post(http, "/me/second-factor/recovery-codes", password=PASSWORD, key=given, headers=theirs)
    assert status == 400


async def test_a_key_is_registered_once_for_this_server_and_this_challenge(
    key: Authenticator, http: aiohttp.ClientSession, sign_in: SignIn
) -> None:
    theirs = await sign_in("1002")
    assert (await register(http, theirs, key))[0] == 400, "it is 1001's"
    assert (await register(http, theirs, Authenticator("https://evil.example")))[0] == 400
    _, begun = await post(http, "/me/second-factor/keys", password=PASSWORD, headers=theirs)
    made = Authenticator(ORIGIN).create(begun["options"])
    for challenge in (begun["challenge"], "AAAA"):
        body = {"challenge": challenge, "credential": made, "name": "\n"}
        assert (await post(http, "/me/second-factor/keys/complete", **body, headers=theirs))[0] == 400
    body = {"challenge": begun["challenge"], "credential": made, "name": "Late"}
    status, _ = await post(http, "/me/second-factor/keys/complete", **body, headers=theirs)
    assert status == 400, "what was asked was answered"


async def test_with_a_stale_view_of_the_user_nothing_is_added(
    key: Authenticator, app: App, http: aiohttp.ClientSession, headers: Headers
) -> None:
    """Another server has seen that there is no second factor, just before there was one."""
    user = app.accounts.find("1001")
    assert user and user.second_factor
    made = NewSecurityKey(credential_id="AAAA", public_key="AAAA", sign_count=0)
    with pytest.raises(SecondFactorExists):
        await app.accounts.security_keys.add(replace(user, second_factor=False), made, "Stale")
    assert [each.credential_id for each in await app.accounts.security_keys.of(user)] == [key.id]


async def test_beside_an_app_either_opens_and_a_reset_removes_both(
    http: aiohttp.ClientSession, headers: Headers, sign_in: SignIn, app: App
) -> None:
    phone, key = await enrolled(http, headers), Authenticator(ORIGIN)
    assert (await register(http, headers, key))[0] == 400
    assert (await register(http, headers, key, code=phone.code()))[0] == 200
    status, problem = await post(http, "/session", user="1001", password=PASSWORD)
    assert problem["methods"] == ["totp", "security_key", "recovery_code"]
    assert (await give(http, problem["challenge"], phone.code(1)))[0] == 200
    challenge = await challenge_of(http)
    assert (await answer(http, challenge, key.get(await asked(http, challenge))))[0] == 200
    body = {"password": PASSWORD, "key": await proof(http, headers, key)}
    assert (await post(http, "/me/second-factor/remove", **body, headers=headers))[0] == 204
    status, problem = await post(http, "/session", user="1001", password=PASSWORD)
    assert problem["methods"] == ["security_key", "recovery_code"]
    user = app.accounts.find("1001")
    assert user and user.second_factor
    await app.accounts.second_factors.reset(user)
    assert await app.accounts.security_keys.of(user) == []
    assert (await post(http, "/session", user="1001", password=PASSWORD))[0] == 200


async def test_of_a_removed_user_no_key_is_kept(key: Authenticator, app: App) -> None:
    user = app.accounts.find("1001")
    assert user
    await app.accounts.remove("1001")
    assert await app.accounts.security_keys.of(user) == []


class TestRequired:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"require_second_factor": ("admin",), "webauthn_origins": (ORIGIN,)})

    async def test_a_role_is_content_with_a_key(self, app: App, http: aiohttp.ClientSession) -> None:
        status, problem = await post(http, "/session", user="9001", password=PASSWORD)
        assert (status, problem["methods"]) == (401, ["totp", "security_key"])
        challenge, key = problem["challenge"], Authenticator(ORIGIN)
        _, begun = await post(http, "/session/second-factor/enrolment/key", challenge=challenge)
        body = {"challenge": challenge, "credential": key.create(begun["options"]), "name": "Blue"}
        status, session = await post(http, "/session/second-factor/enrolment/key/complete", **body)
        assert status == 200 and len(session["recoveryCodes"]) == 10
        challenge = await challenge_of(http, "9001")
        assert (await answer(http, challenge, key.get(await asked(http, challenge))))[0] == 200


class TestOff:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"webauthn_origins": ()})

    async def test_without_the_setting_there_are_none(self, http: aiohttp.ClientSession, headers: Headers) -> None:
        status, problem = await register(http, headers, Authenticator(ORIGIN))
        assert status == 400 and "not available" in problem["detail"]
        async with http.get("/me/second-factor", headers=headers) as response:
            assert not (await response.json())["securityKeysAvailable"]
