"""Users for tests: real accounts, in a folder of the test's own."""

import time
from pathlib import Path
from typing import Any

import jwt

from ari_bridge.accounts import Accounts
from ari_bridge.accounts.users_file import UsersFile
from frontend.app import App
from frontend.auth.authenticator import Authenticator

SECRET = "only for this test, and long enough"


def accounts_of(folder: Path, passwords: dict[str, str]) -> Accounts:
    """Users by name, with their passwords; not opened yet."""
    file = UsersFile(folder / "users")
    for name, password in passwords.items():
        file.add(name, password)
    return Accounts(folder, folder / "users")


def claims_of(access: Authenticator, user: str) -> dict[str, Any]:
    """Those of a token that the user may have now."""
    found = access.accounts.find(user)
    assert found
    session = access.session_of(found, int(time.time()))
    claims: dict[str, Any] = jwt.decode(session.token, options={"verify_signature": False})
    return claims


def forge(app: App, user: str, **claims: Any) -> str:
    """A token of the server's own with these claims; a claim that is None is left out."""
    assert app.access
    wanted = claims_of(app.access, user) | claims
    return app.access.sign({name: value for name, value in wanted.items() if value is not None})


def an_authenticator(
    folder: Path, passwords: dict[str, str], *, required: bool = True, lifetime: int = 3600
) -> Authenticator:
    """As `accounts_of`; its accounts are opened by the first sign-in."""
    accounts = accounts_of(folder, passwords)
    return Authenticator(required=required, accounts=accounts, secret=SECRET, lifetime=lifetime)
