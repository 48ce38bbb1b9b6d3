"""Passwords to tokens, tokens to users."""

import os
import stat
import time
from pathlib import Path

import jwt
import pytest

from frontend.auth.authenticator import MAX_RENEWAL_AGE_S, Authenticator, AuthSession, Unauthorized, token_secret
from frontend.auth.users import InvalidUser, Users

SECRET = "only for this test, and long enough"


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Users:
    users = Users(tmp_path_factory.mktemp("users") / "users")
    users.add("1001", "right")
    users.add("1002", "other")
    return users


@pytest.fixture
def access(users: Users) -> Authenticator:
    return Authenticator(required=True, users=users, secret=SECRET, lifetime=3600)


async def test_a_password_becomes_a_token_of_that_user_only(access: Authenticator) -> None:
    session = await access.sign_in("1001", "right", "127.0.0.1")
    assert access.user_of(session.token) == "1001"
    assert access.authenticate(f"Bearer {session.token}") == "1001"
    assert access.identify("1001", session.token) == "1001"
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
        access.user_of(token)


@pytest.mark.parametrize(
    ("claims", "secret", "algorithm"),
    [
        ({"sub": "1001", "exp": 1}, SECRET, "HS256"),
        ({"sub": "1001"}, SECRET, "HS256"),
        ({"exp": 99999999999}, SECRET, "HS256"),
        ({"sub": "1001", "exp": 99999999999}, "a different secret, also long enough", "HS256"),
        ({"sub": "1001", "exp": 99999999999}, "", "none"),
    ],
)
def test_forged_and_expired_tokens(
    access: Authenticator, claims: dict[str, object], secret: str, algorithm: str
) -> None:
    with pytest.raises(Unauthorized):
        access.user_of(jwt.encode(claims, secret, algorithm=algorithm))


def test_without_sign_in_everybody_is_who_they_say(users: Users) -> None:
    access = Authenticator(required=False, users=users, secret="", lifetime=60)
    assert access.identify("anybody", None) == "anybody"
    assert access.authenticate(None) is None
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
    Users(path).add("1001", "hunter2")
    assert "hunter2" not in path.read_text()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert Users(path).names() == ["1001"]


def test_a_broken_users_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("# users\n1001:plain\n")
    with pytest.raises(InvalidUser, match="line 2"):
        Users(path).names()


# --- clocks that differ, and step -----------------------------------------------------------


def token(**claims: object) -> str:
    return jwt.encode({"sub": "1001", **claims}, SECRET, algorithm="HS256")


@pytest.mark.parametrize("name", ["iat", "nbf", "exp"])
@pytest.mark.parametrize("seconds", [1, 119])
def test_clocks_may_differ_by_two_minutes(access: Authenticator, name: str, seconds: int) -> None:
    now = time.time()
    claims = {"exp": now + 3600, name: now - seconds if name == "exp" else now + seconds}
    assert access.user_of(token(**claims)) == "1001"


def test_a_clock_that_was_set_back_signs_nobody_out(access: Authenticator) -> None:
    assert access.user_of(token(iat=time.time() + 86400, exp=time.time() + 90000)) == "1001"


def test_after_that_a_token_has_ended(access: Authenticator) -> None:
    for claims in ({"exp": time.time() - 122}, {"exp": time.time() + 99, "nbf": time.time() + 122}):
        with pytest.raises(Unauthorized):
            access.user_of(token(**claims))


# --- another token for one that holds ----------------------------------------------------------


async def signed_in(access: Authenticator) -> AuthSession:
    return await access.sign_in("1001", "right", "127.0.0.1")


async def test_a_token_is_renewed_by_a_token(access: Authenticator) -> None:
    session = await signed_in(access)
    renewed = access.renew(f"Bearer {session.token}")
    assert renewed.token != session.token and access.user_of(renewed.token) == "1001"
    assert access.renew(f"Bearer {renewed.token}").user == "1001"


async def test_not_for_ever(access: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await signed_in(access)
    claims = jwt.decode(session.token, SECRET, algorithms=["HS256"])
    for changed in ({"auth_time": int(time.time() - MAX_RENEWAL_AGE_S - 1)}, {"auth_time": None}, {"pwd": "x"}):
        with pytest.raises(Unauthorized):
            access.renew(f"Bearer {jwt.encode({**claims, **changed}, SECRET, algorithm='HS256')}")
    for nothing in (None, "", "Bearer ", "Bearer x"):
        with pytest.raises(Unauthorized):
            access.renew(nothing)


async def test_nor_after_the_password_was_changed(tmp_path: Path) -> None:
    users = Users(tmp_path / "users")
    users.add("1001", "right")
    access = Authenticator(required=True, users=users, secret=SECRET, lifetime=3600)
    session = await signed_in(access)
    users.add("1001", "another one")
    assert access.user_of(session.token) == "1001"
    with pytest.raises(Unauthorized, match="another one since"):
        access.renew(f"Bearer {session.token}")
    (tmp_path / "users").write_text("")
    with pytest.raises(Unauthorized):
        access.renew(f"Bearer {session.token}")
