"""`ari-bridge user …`: the users who may sign in."""

import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from ari_bridge.accounts import (
    ROLES,
    Accounts,
    AccountsUnavailable,
    Identities,
    Identity,
    InvalidUser,
    UnknownUser,
    User,
    UserAdministration,
)
from ari_bridge.audit import Audit
from ari_bridge.dial_permissions import PermissionsFile
from frontend.cli.audit import audited, settings_or_exit
from frontend.settings import Settings, load

user = typer.Typer(no_args_is_help=True, help="The users who may sign in.")

Generate = Annotated[bool, typer.Option("--generate", help="Make a password and print it.")]
MustChange = Annotated[
    bool, typer.Option("--must-change/--no-must-change", help="Ask the user for another password at the next sign-in.")
]


@user.command("add")
def add_user(
    name: str,
    generate: Generate = False,
    must_change: MustChange = True,
    role: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(ROLES)}; may be repeated.")] = None,
    display_name: Annotated[str, typer.Option(help="Who the user is, for people.")] = "",
) -> None:
    """Add a user, or change the password of one, and the roles and display name if they are given."""
    password = _password(generate)

    async def add(administration: UserAdministration) -> None:
        accounts = administration.accounts
        if accounts.find(name):
            if password is not None:
                accounts.check_password(password, name)
            await accounts.update(name, roles=role or None, display_name=display_name or None)  # refused: all of it
            made = await administration.reset_password(name, password=password, must_change=must_change)
        else:
            made = await administration.create(
                name,
                password=password,
                roles=role or ("user",),
                display_name=display_name,
                must_change=must_change,
            )
        if generate:
            typer.echo(made.password)

    administer(add)
    asked = ", and is asked for another password then" if must_change else ""
    typer.echo(f"{name} may sign in now{asked}.", err=True)


@user.command("password")
def set_password(name: str, generate: Generate = False, must_change: MustChange = True) -> None:
    """Change a user's password. All that the user has signed in to ends."""
    password = _password(generate)

    async def change(administration: UserAdministration) -> None:
        made = await administration.reset_password(name, password=password, must_change=must_change)
        if generate:
            typer.echo(made.password)

    administer(change)


@user.command("sip-password")
def set_sip_password(
    name: str, remove: Annotated[bool, typer.Option("--remove", help="Take the SIP password away.")] = False
) -> None:
    """Make a SIP password for a user's phones, and print it this once. The one before is of no use any more."""

    async def change(administration: UserAdministration) -> None:
        if remove:
            await administration.remove_sip_password(name)
            typer.echo(f"{name} has no SIP password any more.", err=True)
            return
        made = await administration.new_sip_password(name)
        typer.echo(made.password)
        typer.echo(f"For the SIP user {name}, realm {made.user.sip_realm}. It is not shown again.", err=True)

    administer(change)


@user.command("remove")
def remove_user(name: str) -> None:
    """Remove a user: sign-ins and forwards end, and who has the name later sees nothing of it."""
    run(lambda accounts: accounts.remove(name))


@user.command("reset-second-factor")
def reset_second_factor(name: str) -> None:
    """Remove the second factor of a user who has lost it. All that the user has signed in to ends."""

    async def reset(accounts: Accounts) -> None:
        found = accounts.find(name)
        if found is None:
            raise UnknownUser(name)
        await accounts.second_factors.reset(found)

    run(reset)


@user.command("lock")
def lock_user(name: str) -> None:
    """End all that a user has signed in to, and let the user in no more."""
    run(lambda accounts: accounts.set_locked(name, True))


@user.command("unlock")
def unlock_user(name: str) -> None:
    """Let a locked user in again."""
    run(lambda accounts: accounts.set_locked(name, False))


@user.command("rename")
def rename_user(name: str, new: str) -> None:
    """Give a user another name. What was kept under the old one is not the user's any more."""

    async def rename(accounts: Accounts) -> None:
        before = accounts.find(name)
        await accounts.rename(name, new)
        if before and before.sip_ha1:
            typer.echo(f"The SIP password ended with the old name: `ari-bridge user sip-password {new}`.", err=True)

    run(rename)


@user.command("role")
def set_roles(name: str, roles: Annotated[list[str], typer.Argument(help=f"Of {', '.join(ROLES)}.")]) -> None:
    """Give a user these roles, in place of those before."""
    run(lambda accounts: accounts.set_roles(name, roles))


@user.command("class")
def set_class_of_service(
    name: str, class_of_service: Annotated[str, typer.Argument(help='"": that of the roles.')]
) -> None:
    """Give a user a class of service: which numbers may be dialled."""

    async def change(administration: UserAdministration) -> None:
        administration.check_class(class_of_service)
        await administration.accounts.set_class_of_service(name, class_of_service)

    administer(change)


@user.command("display-name")
def set_display_name(name: str, display_name: Annotated[str, typer.Argument(help='"": none.')]) -> None:
    """Say who a user is, for people: the directory of the pages shows it."""
    run(lambda accounts: accounts.update(name, display_name=display_name))


Issuer = Annotated[str, typer.Option("--issuer", help="The provider, if it is not OIDC_ISSUER.")]


@user.command("link")
def link_identity(
    name: str,
    subject: Annotated[str, typer.Argument(help="`sub`, the provider's id of the person.")],
    issuer: Issuer = "",
) -> None:
    """Let somebody who signs in at the provider of single sign-on be this user."""
    run(lambda accounts: Identities(accounts).link(name, _identity(issuer, subject)))


@user.command("unlink")
def unlink_identity(subject: str, issuer: Issuer = "") -> None:
    """Undo it. All that the user has signed in to ends."""
    run(lambda accounts: Identities(accounts).unlink(_identity(issuer, subject)))


@user.command("list")
def list_users(
    details: Annotated[bool, typer.Option("--details", help="With roles, and whether they are locked.")] = False,
) -> None:
    """The users."""

    async def show(accounts: Accounts) -> None:
        for one in accounts.all():
            more = f"\t{','.join(one.roles)}\t{_state(one)}" if details else ""
            typer.echo(f"{one.name}{more}".rstrip("\t"))

    run(show)


def _state(one: User) -> str:
    if one.locked:
        return "locked"
    return "must change the password" if one.must_change_password else ""


def accounts_of(settings: Settings, audit: Audit | None = None) -> Accounts:
    """The accounts that the settings name; not opened."""
    return Accounts(
        settings.state_dir,
        settings.users_file,
        url=settings.accounts_database_url,
        min_password=settings.min_password_length,
        token_secret_file=settings.token_secret_file,
        audit=audit,
    )


def run(act: Callable[[Accounts], Awaitable[object]]) -> None:
    """Does it, or says why not and ends with status 1 (2: the settings are wrong)."""
    administer(lambda administration: act(administration.accounts))


def administer(act: Callable[[UserAdministration], Awaitable[object]]) -> None:
    """As `run`."""
    settings = settings_or_exit()
    classes = PermissionsFile(settings.dial_permissions_file)

    async def do() -> None:
        async with audited(settings) as audit:
            accounts = accounts_of(settings, audit)
            try:
                await accounts.open()
                await act(UserAdministration(accounts, lambda: classes.current().classes, settings.sip_realm))
            finally:
                await accounts.close()

    try:
        asyncio.run(do())
    except (InvalidUser, AccountsUnavailable, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _identity(issuer: str, subject: str) -> Identity:
    """Raises InvalidUser."""
    issuer = issuer or load().oidc_issuer
    if not issuer:
        raise InvalidUser("name the provider: --issuer URL, or set OIDC_ISSUER", "issuer")
    return Identity(issuer, subject)


def _password(generate: bool) -> str | None:
    """None: one is made."""
    if generate:
        return None
    return getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
