"""Passwords to tokens, tokens to users."""

import os
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from ari_bridge.accounts import Accounts, InvalidUser, passwords
from ari_bridge.accounts.users_file import UsersFile
from frontend.auth.authenticator import Authenticator, AuthSession, Unauthorized, token_secret
from tests.fakes.accounts import SECRET, accounts_of, claims_of

PASSWORDS = {"1001": "right", "1002": "other"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("accounts")
    accounts_of(folder, PASSWORDS)
    return folder


@pytest.fixture
async def accounts(folder: Path) -> AsyncIterator[Accounts]:
    accounts = Accounts(folder, folder / "users", token_secret_file=folder / "secret")
    await accounts.open()
    yield accounts
    await accounts.close()


@pytest.fixture
def access(accounts: Accounts) -> Authenticator:
    return Authenticator(required=True, accounts=accounts)


def _given(claims: dict[str, object]) -> dict[str, object]:
    """Without those that are None."""
    return {name: value for name, value in claims.items() if value is not None}


def asked(token: str | None) -> web.Request:
    return make_mocked_request("GET", "/", {} if token is None else {"Authorization": f"Bearer {token}"})


async def test_a_password_becomes_a_token_of_that_user_only(access: Authenticator) -> None:
    session = await access.sign_in("1001", "right", "127.0.0.1")
    assert access.principal_of(session.token).name == "1001"
    assert access.authenticate(asked(session.token)).name == "1001"
    assert access.identify("1001", session.token).name == "1001"
    with pytest.raises(Unauthorized, match="another user"):
        access.identify("1002", session.token)


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(access: Authenticator) -> None:
    told = set()
    for user, password in (("1001", "wrong"), ("nobody", "right")):
        with pytest.raises(Unauthorized) as caught:
            await access.sign_in(user, password, "127.0.0.1")
        told.add(str(caught.value))
    assert len(told) == 1


@pytest.mark.parametrize("token", [None, "", "x", "a.b.c"])
def test_what_is_no_token(access: Authenticator, token: str | None) -> None:
    with pytest.raises(Unauthorized):
        access.principal_of(token)


@pytest.mark.parametrize(
    ("claims", "secret", "algorithm"),
    [
        ({"exp": 1}, SECRET, "HS256"),
        ({"exp": None}, SECRET, "HS256"),
        ({"sub": None}, SECRET, "HS256"),
        ({"uid": "usr_0"}, SECRET, "HS256"),
        ({"uid": None}, SECRET, "HS256"),
        ({"gen": 0}, SECRET, "HS256"),
        ({"gen": 2}, SECRET, "HS256"),
        ({}, "a different secret, also long enough", "HS256"),
        ({}, "", "none"),
    ],
)
def test_forged_and_expired_tokens(
    access: Authenticator, claims: dict[str, object], secret: str, algorithm: str
) -> None:
    with pytest.raises(Unauthorized):
        access.principal_of(jwt.encode(_given(claims_of(access, "1001") | claims), secret, algorithm=algorithm))


def test_without_sign_in_everybody_is_who_they_say(accounts: Accounts) -> None:
    access = Authenticator(required=False, accounts=accounts)
    assert access.identify("anybody", None).name == "anybody"
    assert access.authenticate(asked(None)).name is None and access.authenticate(asked(None)).unrestricted
    with pytest.raises(InvalidUser):
        access.identify("a&b", None)


def test_the_secret_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret = token_secret(path)
    assert len(secret) >= 32
    path.chmod(0o644)
    assert token_secret(path) == secret
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_the_users_file_holds_hashes_and_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "users"
    UsersFile(path).add("1001", "hunter2")
    assert "hunter2" not in path.read_text()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert [entry.name for entry in UsersFile(path).read()] == ["1001"]


def test_a_broken_users_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("# users\n1001:plain\n")
    with pytest.raises(InvalidUser, match="line 2"):
        UsersFile(path).read()


# --- clocks that differ, and step -----------------------------------------------------------


def token(access: Authenticator, **claims: object) -> str:
    return jwt.encode(_given(claims_of(access, "1001") | claims), SECRET, algorithm="HS256")


@pytest.mark.parametrize("name", ["iat", "nbf", "exp"])
@pytest.mark.parametrize("seconds", [1, 119])
def test_clocks_may_differ_by_two_minutes(access: Authenticator, name: str, seconds: int) -> None:
    now = time.time()
    claims = {"exp": now + 3600, name: now - seconds if name == "exp" else now + seconds}
    assert access.principal_of(token(access, **claims)).name == "1001"


def test_a_clock_that_was_set_back_signs_nobody_out(access: Authenticator) -> None:
    assert access.principal_of(token(access, iat=time.time() + 86400, exp=time.time() + 90000)).name == "1001"


def test_after_that_a_token_has_ended(access: Authenticator) -> None:
    for claims in ({"exp": time.time() - 122}, {"exp": time.time() + 99, "nbf": time.time() + 122}):
        with pytest.raises(Unauthorized):
            access.principal_of(token(access, **claims))


# --- what ends it ---------------------------------------------------------------------------


async def signed_in(access: Authenticator) -> AuthSession:
    return await access.sign_in("1001", "right", "127.0.0.1")


async def ends_by(tmp_path: Path, what: str) -> None:
    accounts = accounts_of(tmp_path, PASSWORDS)
    await accounts.open()
    access = Authenticator(required=True, accounts=accounts)
    session = await signed_in(access)
    principal = access.principal_of(session.token)
    match what:
        case "password":
            await accounts.set_password("1001", passwords.hash_password("another one"))
        case "lock":
            await accounts.set_locked("1001", True)
        case "remove":
            await accounts.remove("1001")
        case "another of the name":
            await accounts.remove("1001")
            await accounts.add("1001", passwords.hash_password("right"))
        case "rename":
            await accounts.rename("1001", "1099")
        case "everywhere":
            await accounts.end_sessions("1001")
    assert not access.holds(principal)
    with pytest.raises(Unauthorized):
        access.principal_of(session.token)
    with pytest.raises(Unauthorized):
        await access.refresh(str(session.refresh_token), attempt="", address="")
    await accounts.close()


@pytest.mark.parametrize("what", ["password", "lock", "remove", "another of the name", "rename", "everywhere"])
async def test_what_ends_a_token_at_once(tmp_path: Path, what: str) -> None:
    await ends_by(tmp_path, what)


async def test_a_locked_user_cannot_sign_in_until_unlocked(tmp_path: Path) -> None:
    accounts = accounts_of(tmp_path, PASSWORDS)
    access = Authenticator(required=True, accounts=accounts)
    await accounts.open()
    await accounts.set_locked("1001", True)
    with pytest.raises(Unauthorized):
        await signed_in(access)
    await accounts.set_locked("1001", False)
    assert access.principal_of((await signed_in(access)).token).name == "1001"
    await accounts.close()


async def test_the_password_is_changed_by_its_user(tmp_path: Path) -> None:
    accounts = accounts_of(tmp_path, PASSWORDS)
    access = Authenticator(required=True, accounts=accounts)
    session = await signed_in(access)
    principal = access.principal_of(session.token)
    new = "four other words, all long"
    with pytest.raises(Unauthorized):
        await access.change_password(principal, "wrong", new)
    for weak in ("short", "right", "password1234", "1001100110011001"):
        with pytest.raises(InvalidUser) as refused:
            await access.change_password(principal, "right", weak)
        assert refused.value.field == "newPassword"
    changed = await access.change_password(principal, "right", new)
    assert access.principal_of(changed.token).name == "1001"
    with pytest.raises(Unauthorized):
        access.principal_of(session.token)
    with pytest.raises(Unauthorized):
        await signed_in(access)
    assert (await access.sign_in("1001", new, "127.0.0.1")).user == "1001"
    await accounts.close()
