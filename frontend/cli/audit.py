"""`ari-bridge audit …`: reads and verifies the audit log; and what other commands record their actions with."""

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from ari_bridge.audit import (
    MAX_PAGE_ENTRIES,
    Action,
    Actor,
    ActorKind,
    AuditLog,
    AuditQuery,
    AuditUnavailable,
    Entry,
    Head,
    Result,
    acting,
)
from ari_bridge.cursor import Cursor
from frontend.cli import logging as logs
from frontend.settings import InvalidSettings, Settings, load

audit = typer.Typer(no_args_is_help=True, help="Who did what, from where, with which result: docs/AUDIT.md.")

MAX_SHOWN_BREAKS = 20

Actor_ = Annotated[str | None, typer.Option("--actor", help="Name or id of who did it.")]
Action_ = Annotated[Action | None, typer.Option("--action", help="For example user.lock.", metavar="ACTION")]
Object_ = Annotated[str | None, typer.Option("--object", help="What it was done to.")]
Result_ = Annotated[Result | None, typer.Option("--result")]
Since = Annotated[datetime | None, typer.Option("--since", help="UTC, for example 2026-09-21T08:00:00.")]
Until = Annotated[datetime | None, typer.Option("--until", help="UTC; not included.")]


@audit.command("list")
def list_entries(
    actor: Actor_ = None,
    action: Action_ = None,
    object: Object_ = None,
    result: Result_ = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE_ENTRIES)] = 50,
) -> None:
    """Show entries, newest first."""
    query = AuditQuery(_unix(since), _unix(until), actor, action, object, result, limit=limit)

    async def show(log: AuditLog) -> None:
        for entry in (await log.page(query)).entries:
            typer.echo(_line(entry))

    _run(show)


@audit.command("verify")
def verify(
    known: Annotated[
        str | None, typer.Option(help="NUMBER:HASH as an earlier run has printed it: that entry must be unchanged.")
    ] = None,
) -> None:
    """Read the whole log, and find what was changed, deleted or cut off. Status 1: the chain is broken."""
    try:
        head = Head.parse(known) if known else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--known") from None
    broken = False

    async def check(log: AuditLog) -> None:
        nonlocal broken
        chain, breaks = await log.verify(head)
        broken = bool(breaks)
        for one in breaks[:MAX_SHOWN_BREAKS]:
            typer.echo(str(one))
        if len(breaks) > MAX_SHOWN_BREAKS:
            typer.echo(f"and {len(breaks) - MAX_SHOWN_BREAKS} more")
        typer.echo(f"{chain.entries} entries, {'the chain is BROKEN' if broken else 'the chain is whole'}")
        typer.echo(f"last entry  {chain.last}")

    _run(check)
    raise typer.Exit(int(broken))


@audit.command("export")
def export(
    actor: Actor_ = None,
    action: Action_ = None,
    object: Object_ = None,
    result: Result_ = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Write entries as lines of JSON, newest first. The export is an entry itself."""
    query = AuditQuery(_unix(since), _unix(until), actor, action, object, result, limit=MAX_PAGE_ENTRIES)

    async def write(log: AuditLog) -> None:
        with acting(_shell_user()):
            log.record(Action.AUDIT_EXPORT, "ndjson")
        before: int | None = None
        while True:
            page = await log.page(replace(query, before=before))
            for entry in page.entries:
                sys.stdout.write(msgspec.json.encode(entry).decode() + "\n")
            if page.next_cursor is None:
                return
            before = int(Cursor.parse(page.next_cursor).id)

    _run(write)


# --- for other commands ----------------------------------------------------------


def settings_or_exit() -> Settings:
    """The settings, or status 2 and what is wrong with them. Logs warnings from now on."""
    logs.configure("warning", "console")
    try:
        return load()
    except InvalidSettings as error:
        typer.echo(f"The settings are wrong:\n{error}", err=True)
        raise typer.Exit(2) from None


@asynccontextmanager
async def audited(settings: Settings) -> AsyncIterator[AuditLog]:
    """The audit log, for what somebody with a shell does; written at the end."""
    log = _log_of(settings)
    try:
        with acting(_shell_user()):
            yield log
    finally:
        try:
            await log.flush()
        except AuditUnavailable as error:
            typer.echo(f"{error}. What was done is missing there.", err=True)
        await log.close()


def _shell_user() -> Actor:
    """Whoever runs the command, as the operating system knows them; by sudo, whoever ran that."""
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in a container
        name = str(os.getuid())
    return Actor(ActorKind.CLI, name=name, address=os.environ.get("SSH_CONNECTION", "").partition(" ")[0])


# --- reading ---------------------------------------------------------------------


def _log_of(settings: Settings) -> AuditLog:
    return AuditLog(settings.state_dir, url=settings.audit_database_url, days=settings.audit_days)


def _run(act: Callable[[AuditLog], Awaitable[None]]) -> None:
    """Does it, or says why not and ends with status 2."""
    settings = settings_or_exit()

    async def run() -> None:
        log = _log_of(settings)
        try:
            await act(log)
        finally:
            await log.close()

    try:
        asyncio.run(run())
    except (AuditUnavailable, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _unix(time: datetime | None) -> float | None:
    return time.replace(tzinfo=UTC).timestamp() if time else None


def _line(entry: Entry) -> str:
    at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    who = f"{entry.actor_kind}:{entry.actor or entry.actor_id or '-'}"
    where = f" from {entry.address}" if entry.address else ""
    details = " ".join(f"{name}={_short(value)}" for name, value in entry.details.items())
    return f"{entry.number}  {at}  {who}{where}  {entry.action} {entry.object}  {entry.result}  {details}".rstrip()


def _short(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
