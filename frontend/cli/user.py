"""`ari-bridge user …`: the users who may sign in."""

import asyncio
import getpass
import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from ari_bridge.accounts import ROLES, Accounts, AccountsUnavailable, InvalidUser, passwords
from ari_bridge.audit import Action, Audit
from frontend.cli.audit import audited, settings_or_exit
from frontend.settings import Settings

user = typer.Typer(no_args_is_help=True, help="The users who may sign in.")

Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it.")]
MustChange = Annotated[bool, typer.Option("--must-change", help="The page asks for another one at the first sign-in.")]


@user.command("add")
def add_user(
    name: str,
    generate: Generate = False,
    must_change: MustChange = False,
    role: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(ROLES)}; may be repeated.")] = None,
) -> None:
    """Add a user, or change the password of one."""
    password = _password(generate)

    async def add(accounts: Accounts, audit: Audit) -> None:
        hashed = _hash(accounts, name, password)
        if before := accounts.find(name):
            await accounts.set_password(name, hashed, must_change=must_change)
            audit.record(Action.USER_PASSWORD, name)
            if role:
                changed = await accounts.set_roles(name, role)
                audit.record(Action.USER_ROLES, name, old=before.roles, new=changed.roles)
        else:
            added = await accounts.add(name, hashed, roles=role or ("user",), must_change_password=must_change)
            audit.record(Action.USER_CREATE, name, id=added.id, roles=added.roles)

    _run(add)
    if generate:
        typer.echo(password)
    typer.echo(f"{name} may sign in now.", err=True)


@user.command("password")
def set_password(name: str, generate: Generate = False, must_change: MustChange = False) -> None:
    """Change a user's password. All that the user has signed in to ends."""
    password = _password(generate)

    async def change(accounts: Accounts, audit: Audit) -> None:
        await accounts.set_password(name, _hash(accounts, name, password), must_change=must_change)
        audit.record(Action.USER_PASSWORD, name)

    _run(change)
    if generate:
        typer.echo(password)


@user.command("remove")
def remove_user(name: str) -> None:
    """Remove a user: sign-ins and forwards end, and who has the name later sees nothing of it."""

    async def act(accounts: Accounts, audit: Audit) -> None:
        await accounts.remove(name)
        audit.record(Action.USER_REMOVE, name)

    _run(act)


@user.command("lock")
def lock_user(name: str) -> None:
    """End all that a user has signed in to, and let the user in no more."""

    async def act(accounts: Accounts, audit: Audit) -> None:
        await accounts.set_locked(name, True)
        audit.record(Action.USER_LOCK, name)

    _run(act)


@user.command("unlock")
def unlock_user(name: str) -> None:
    """Let a locked user in again."""

    async def act(accounts: Accounts, audit: Audit) -> None:
        await accounts.set_locked(name, False)
        audit.record(Action.USER_UNLOCK, name)

    _run(act)


@user.command("rename")
def rename_user(name: str, new: str) -> None:
    """Give a user another name. What was kept under the old one is not the user's any more."""

    async def act(accounts: Accounts, audit: Audit) -> None:
        await accounts.rename(name, new)
        audit.record(Action.USER_RENAME, name, new=new)

    _run(act)


@user.command("role")
def set_roles(name: str, roles: Annotated[list[str], typer.Argument(help=f"Of {', '.join(ROLES)}.")]) -> None:
    """Give a user these roles, in place of those before."""

    async def act(accounts: Accounts, audit: Audit) -> None:
        before = accounts.find(name)
        await accounts.set_roles(name, roles)
        audit.record(Action.USER_ROLES, name, old=before.roles if before else (), new=roles)

    _run(act)


@user.command("class")
def set_class_of_service(
    name: str, class_of_service: Annotated[str, typer.Argument(help='"": that of the roles.')]
) -> None:
    """Give a user a class of service: which numbers may be dialled."""

    async def act(accounts: Accounts, audit: Audit) -> None:
        before = accounts.find(name)
        await accounts.set_class_of_service(name, class_of_service)
        audit.record(Action.USER_CLASS, name, old=before.class_of_service if before else "", new=class_of_service)

    _run(act)


@user.command("list")
def list_users(
    details: Annotated[bool, typer.Option("--details", help="With roles, and whether they are locked.")] = False,
) -> None:
    """The users."""

    async def show(accounts: Accounts, audit: Audit) -> None:
        for one in accounts.all():
            more = f"\t{','.join(one.roles)}\t{'locked' if one.locked else ''}" if details else ""
            typer.echo(f"{one.name}{more}".rstrip("\t"))

    _run(show)


def accounts_of(settings: Settings) -> Accounts:
    """The accounts that the settings name; not opened."""
    return Accounts(
        settings.state_dir,
        settings.users_file,
        url=settings.accounts_database_url,
        min_password=settings.min_password_length,
    )


def _run(act: Callable[[Accounts, Audit], Awaitable[object]]) -> None:
    """Does it, or says why not and ends with status 1 (2: the settings are wrong)."""
    settings = settings_or_exit()

    async def run() -> None:
        accounts = accounts_of(settings)
        async with audited(settings) as audit:
            try:
                await accounts.open()
                await act(accounts, audit)
            finally:
                await accounts.close()

    try:
        asyncio.run(run())
    except (InvalidUser, AccountsUnavailable, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _password(generate: bool) -> str:
    if generate:
        return secrets.token_urlsafe(12)
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


def _hash(accounts: Accounts, name: str, password: str) -> str:
    """Raises InvalidUser."""
    accounts.check_password(password, name)
    return passwords.hash_password(password)
