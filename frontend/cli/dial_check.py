"""`ari-bridge dial-check`: whether a user may dial a number, and which rule decides."""

import asyncio

import typer

from ari_bridge.accounts import AccountsUnavailable, InvalidUser
from ari_bridge.dial_permissions import DialPermissions, InvalidPermissions, OutgoingSwitch, PermissionsFile
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.errors import InvalidTarget
from ari_bridge.number_routing import Routes
from frontend.auth.dial_rights import AccountDialRights
from frontend.cli import logging as logs
from frontend.cli.user import accounts_of
from frontend.settings import InvalidSettings, Settings, load
from frontend.state_files import OUTGOING_FILE


def dial_check(user: str, number: str) -> None:
    """Show which rule of the dial permissions decides for a user and a number. Exit status 0 if it may be dialled."""
    logs.configure("error", "console")
    try:
        settings = load()
        file = PermissionsFile(settings.dial_permissions_file)
        file.check()
    except (InvalidSettings, InvalidPermissions, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    try:
        allowed = asyncio.run(_show(settings, file, user, number))
    except (AccountsUnavailable, InvalidUser, InvalidTarget, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    raise typer.Exit(int(not allowed))


async def _show(settings: Settings, file: PermissionsFile, user: str, number: str) -> bool:
    """Raises AccountsUnavailable, InvalidUser, InvalidTarget, OSError."""
    accounts = accounts_of(settings)
    if settings.enable_authentication:
        await accounts.open()
    # What the running server knows as well, besides phones of the PBX.
    services = {settings.voicemail_number, settings.preflight_number, *(each for each, _ in settings.phone_book)}
    listed = (services - {""}) | set(accounts.names() if settings.enable_authentication else ())
    rights = AccountDialRights(accounts, required=settings.enable_authentication)
    permissions = DialPermissions(settings.number_plan(), file, source=rights, is_listed=listed.__contains__)
    switch = OutgoingSwitch(settings.state_dir / OUTGOING_FILE)
    switch.load()
    gate = DialGate(permissions, Routes(rules=Routes.parse_rules(settings.dial_routes)), switch=switch)
    try:
        explained = gate.explain(user, number)
        is_known = permissions.is_known(user)
    finally:
        await accounts.close()
    decision, found = explained.decision, explained.decision.number
    typer.echo(f"number    {found.canonical}{f' ({found.dialled} is dialled)' if found.e164 else ''}")
    typer.echo(f"is        {found.number_class.value}: {found.why}")
    unknown = "" if is_known else ", who is no user here"
    typer.echo(f"user      {user}{unknown}, class of service {explained.class_of_service}")
    typer.echo(f"rule      {decision.rule}")
    typer.echo(f"decision  {'allowed' if decision.allowed else 'refused'}")
    if gate.is_stopped(decision):
        typer.echo("but now   refused: outgoing calls are stopped, see `ari-bridge calls list`")
        return False
    return decision.allowed
