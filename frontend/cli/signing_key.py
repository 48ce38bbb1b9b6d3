"""`ari-bridge signing-key …`: the keys that sign tokens."""

import time

import typer

from ari_bridge.accounts import Accounts
from ari_bridge.accounts.signing_keys import SigningKey
from frontend.cli.user import run

signing_key = typer.Typer(no_args_is_help=True, help="The keys that sign tokens.")


@signing_key.command("list")
def list_keys() -> None:
    """The keys, the one that signs first; never their secrets."""

    async def show(accounts: Accounts) -> None:
        for key in accounts.keys.all():
            typer.echo(f"{key.kid}\tcreated {_utc(key.created_at)}\t{_use(key)}")

    run(show)


@signing_key.command("rotate")
def rotate() -> None:
    """Sign with a new key. Nobody is signed out: the key before verifies until its last token has expired."""

    async def change(accounts: Accounts) -> None:
        typer.echo((await accounts.keys.rotate()).kid)

    run(change)


@signing_key.command("revoke")
def revoke(kid: str) -> None:
    """End all tokens of a key at once, because it has leaked. Sign-ins go on: pages refresh their tokens."""
    run(lambda accounts: accounts.keys.revoke(kid))


def _use(key: SigningKey) -> str:
    return "signs" if key.retires_at is None else f"verifies until {_utc(key.retires_at)}"


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
