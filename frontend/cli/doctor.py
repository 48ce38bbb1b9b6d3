"""`ari-bridge doctor`: what is wrong with this set-up, and what to do."""

import asyncio
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ari_bridge.accounts import AccountsUnavailable, InvalidUser, User
from ari_bridge.diagnostics.checks import Finding, Result, Subject
from ari_bridge.diagnostics.doctor import examine
from frontend.cli import logging as logs
from frontend.cli.reconcile import reconcile
from frontend.cli.user import accounts_of
from frontend.settings import InvalidSettings, Settings, load

_LOOKS = {Result.OK: "green", Result.WARNING: "yellow", Result.FAILED: "red", Result.SKIPPED: "dim"}


def doctor(
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    compare: Annotated[
        bool, typer.Option("--reconcile", help="Show instead which calls a start would find again, and remove what.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="With --reconcile: remove what belongs to no call.")] = False,
    end: Annotated[
        str, typer.Option("--end", metavar="CALL", help="With --reconcile: hang up this call, whoever's it is.")
    ] = "",
) -> None:
    """Check what calls need: Asterisk, rtpengine, TLS files, disk. Exit status 0 when nothing has failed."""
    logs.configure("error", "console")
    try:
        settings = load()
    except InvalidSettings as error:
        typer.echo(f"The settings are wrong:\n{error}", err=True)
        raise typer.Exit(2) from None
    if compare:
        raise typer.Exit(reconcile(settings, apply=apply, end=end))
    findings = asyncio.run(_examine(settings))
    if json:
        typer.echo(msgspec.json.encode(findings).decode())
    else:
        _show(findings)
    raise typer.Exit(int(any(finding.result is Result.FAILED for finding in findings)))


async def _examine(settings: Settings) -> list[Finding]:
    users = await _users(settings)
    realms = [user.sip_realm for user in users if user.sip_realm]
    subject = Subject(
        ari_url=settings.ari_url,
        ari_user=settings.ari_user,
        ari_password=settings.ari_password,
        ari_app=settings.ari_app,
        rtpengine_ng=settings.rtpengine_ng,
        dial_context="" if settings.target_sip_server else settings.dial_context,
        users=tuple(user.name for user in users),
        authentication=settings.enable_authentication,
        http_host=settings.http_host,
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        max_connections=settings.max_connections,
        databases=tuple((f"{name}_DATABASE_URL", url) for name, url in _databases(settings)),
        recording_s3_endpoint=settings.recording_s3_endpoint,
        sip_edge_token=settings.sip_edge_token,
        sip_edge_rpc_url=settings.sip_edge_rpc_url,
        sip_edge_ring=settings.sip_edge_ring,
        sip_realm=settings.sip_realm,
        sip_passwords=realms.count(settings.sip_realm),
        sip_passwords_elsewhere=len(realms) - realms.count(settings.sip_realm),
    )
    return await examine(subject)


def _databases(settings: Settings) -> list[tuple[str, str]]:
    return [
        ("ACCOUNTS", settings.accounts_database_url),
        ("CDR", settings.cdr_database_url),
        ("AUDIT", settings.audit_database_url),
    ]


async def _users(settings: Settings) -> list[User]:
    """Who may sign in; none if the database cannot be read: then the server says why at its start."""
    if not settings.enable_authentication:
        return []
    accounts = accounts_of(settings)
    try:
        await accounts.open()
        return [user for user in accounts.all() if user.active]
    except (AccountsUnavailable, InvalidUser, OSError):
        return []
    finally:
        await accounts.close()


def _show(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("check", "", "seen"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        look = _LOOKS[finding.result]
        table.add_row(finding.check, f"[{look}]{finding.result.value}[/]", escape(finding.seen))
        if finding.cure:
            table.add_row("", "", f"[{look}]→ {escape(finding.cure)}[/]")
    Console(soft_wrap=False).print(table)
