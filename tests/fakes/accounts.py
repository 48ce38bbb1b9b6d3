"""Users for tests: real accounts, in a folder of the test's own."""

import time
from pathlib import Path
from typing import Any

from ari_bridge.accounts import Accounts
from ari_bridge.accounts.users_file import UsersFile
from frontend.app import App
from frontend.auth.authenticator import Authenticator
from frontend.auth.token_lifetimes import TokenLifetimes

SECRET = "only for this test, and long enough"


def accounts_of(folder: Path, passwords: dict[str, str]) -> Accounts:
    """Users by name, with their passwords; not opened yet."""
    file = UsersFile(folder / "users")
    for name, password in passwords.items():
        file.add(name, password)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "secret").write_text(SECRET)  # as an earlier version has it: taken over as the first signing key
    return Accounts(folder, folder / "users", token_secret_file=folder / "secret")


def claims_of(access: Authenticator, user: str) -> dict[str, Any]:
    """Those of a token that the user may have now."""
    found = access.accounts.find(user)
    assert found
    now = int(time.time())
    return {
        "iss": "ari-bridge",
        "aud": "ari-bridge",
        "sub": found.name,
        "uid": found.id,
        "gen": found.generation,
        "sid": "0123456789abcdef",
        "iat": now,
        "exp": now + 3600,
        "auth_time": now,
    }


def forge(app: App, user: str, **claims: Any) -> str:
    """A token of the server's own with these claims; a claim that is None is left out."""
    assert app.access
    wanted = claims_of(app.access, user) | claims
    return app.access.issuer.signer.sign({name: value for name, value in wanted.items() if value is not None})


def an_authenticator(
    folder: Path, passwords: dict[str, str], *, required: bool = True, lifetime: int = 3600
) -> Authenticator:
    """As `accounts_of`; its accounts are opened by the first sign-in."""
    accounts = accounts_of(folder, passwords)
    return Authenticator(required=required, accounts=accounts, lifetimes=TokenLifetimes(access=lifetime))
