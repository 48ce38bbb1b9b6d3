"""`ari-bridge key …`: the API keys of machines."""

import re
import time
from typing import Annotated

import typer

from ari_bridge.accounts import Accounts, ApiKey, InvalidUser, UserAdministration
from frontend.auth.grants import Grant
from frontend.cli.user import administer, run

key = typer.Typer(no_args_is_help=True, help="The API keys of servers and other machines.")

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@key.command("create")
def create_key(
    label: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help=f"Of {', '.join(Grant)}; may be repeated.")],
    address: Annotated[
        list[str] | None, typer.Option(help="An address or network that may use it; may be repeated. Default: all.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="An origin whose pages may use it, in place of servers; may be repeated.")
    ] = None,
    user: Annotated[
        list[str] | None, typer.Option(help="For whom it makes client tokens; may be repeated. Default: everybody.")
    ] = None,
    max_calls: Annotated[
        int | None, typer.Option(min=1, help="Concurrent calls, its guests' included. Default: in a page 10.")
    ] = None,
    class_of_service: Annotated[str, typer.Option("--class", help="Which numbers it may dial.")] = "",
    expires: Annotated[str, typer.Option(help="After how long it ends, such as 90d or 12h. Default: never.")] = "",
) -> None:
    """Make a key, and print it. It is shown now and never again."""

    async def create(administration: UserAdministration) -> None:
        administration.check_class(class_of_service)
        made, secret = await administration.accounts.api_keys.create(
            label,
            _scopes(scope),
            networks=address or (),
            origins=origin or (),
            users=user or (),
            max_calls=max_calls,
            class_of_service=class_of_service,
            expires_at=time.time() + seconds_of(expires, "expires") if expires else None,
        )
        typer.echo(f"{made.id}_{secret}")
        if made.for_browsers:
            typer.echo(
                "Whoever opens a page with this key can read it: give it no more than any visitor may.", err=True
            )

    administer(create)


@key.command("list")
def list_keys() -> None:
    """The keys: id, label, scopes, last use, and whether they are valid."""

    async def show(accounts: Accounts) -> None:
        for one in accounts.api_keys.all():
            typer.echo("\t".join([one.id, one.label, ",".join(one.scopes), _day(one.last_used_at), _state(one)]))

    run(show)


@key.command("show")
def show_key(key_id: str) -> None:
    """All about a key but its secret, which nobody knows."""

    async def show(accounts: Accounts) -> None:
        one = accounts.api_keys.find(key_id)
        if one is None:
            raise InvalidUser(f"there is no API key {key_id[:40]}")
        for name, value in {
            "id": one.id,
            "label": one.label,
            "scopes": " ".join(one.scopes),
            "addresses": " ".join(one.networks) or "all",
            "origins": " ".join(one.origins) or "none: for servers",
            "users": " ".join(one.users) or ("guests" if one.for_browsers else "all"),
            "calls at once": str(one.max_calls or "as the server's limits"),
            "class of service": one.class_of_service or "default",
            "created": f"{_day(one.created_at)}{f' by {one.created_by}' if one.created_by else ''}",
            "expires": _day(one.expires_at),
            "last used": _day(one.last_used_at),
            "state": _state(one),
        }.items():
            typer.echo(f"{name}: {value}")

    run(show)


@key.command("rotate")
def rotate_key(
    key_id: str,
    overlap: Annotated[str, typer.Option(help="How long the secret before stays valid, such as 24h or 0s.")] = "24h",
) -> None:
    """Make another secret of a key, and print it. Everything else of the key stays."""

    async def rotate(accounts: Accounts) -> None:
        made, secret = await accounts.api_keys.rotate(key_id, seconds_of(overlap, "overlap"))
        typer.echo(f"{made.id}_{secret}")

    run(rotate)


@key.command("revoke")
def revoke_key(key_id: str) -> None:
    """End a key for ever, with all that it has signed in."""
    run(lambda accounts: accounts.api_keys.revoke(key_id))


def seconds_of(text: str, option: str) -> float:
    """`90d`, `12h`, `30m`, `45s`. Raises InvalidUser."""
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not found:
        raise InvalidUser(f"--{option}: {text[:20]!r} is no duration such as 90d, 12h, 30m or 45s")
    return float(found[1]) * _SECONDS[found[2]]


def _scopes(names: list[str]) -> list[str]:
    """Raises InvalidUser."""
    for name in names:
        if name not in set(Grant):
            raise InvalidUser(f"there is no scope {name[:40]!r}, but {', '.join(Grant)}")
    return names


def _state(one: ApiKey) -> str:
    if one.revoked_at is not None:
        return "revoked"
    return "valid" if one.valid(time.time()) else "expired"


def _day(at: float | None) -> str:
    return "never" if at is None else time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))
