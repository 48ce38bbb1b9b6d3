"""`ari-bridge doctor --reconcile`: what a start of the server would adopt, end and remove."""

import asyncio
import time
from dataclasses import dataclass, field

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ari_bridge.ari.client import Ari
from ari_bridge.call_store import StoreRefused, has_call, live_calls
from ari_bridge.engine.ports import Backends
from ari_bridge.engine.reconciler import GRACE_S, application_channels, reap, take_snapshot
from ari_bridge.errors import PeerError, PeerRefused
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.inventory import Finding, Ownership, classify
from ari_bridge.fsm.recovery import recover
from ari_bridge.fsm.strangers import find_strangers
from ari_bridge.ids import stem_of
from ari_bridge.media.pool import Pool
from frontend.presence.registrar import WebSocketRegistrar
from frontend.settings import Settings

FAILED = 1


@dataclass
class Report:
    """`calls`: each record, and what would become of it. `orphans`: what would be removed. `findings`: all of ours."""

    calls: list[tuple[Call, Call]] = field(default_factory=list)
    orphans: list[Finding] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    removed: list[Finding] = field(default_factory=list)
    ended: list[Finding] = field(default_factory=list)  # the resources of the call to end
    refused: list[Finding] = field(default_factory=list)  # the ones that could not be removed


def reconcile(settings: Settings, *, apply: bool, end: str = "") -> int:
    """Print what a start would adopt, end and remove; return the exit status.

    Args:
        settings: Those of the server.
        apply: Remove the resources that belong to no call.
        end: The id of a call to hang up, even if the call store does not know it; "" for none.
    """
    try:
        report = asyncio.run(_reconcile(settings, apply, end))
    except (PeerError, StoreRefused) as error:
        typer.echo(f"Nothing could be compared: {error}", err=True)
        return FAILED
    if end:
        return _show_end(report, end)
    _show(report, apply)
    return FAILED if apply and len(report.removed) < len(report.orphans) else 0


async def _reconcile(settings: Settings, apply: bool, end: str) -> Report:
    """Raises PeerError, StoreRefused."""
    ari = Ari(
        settings.ari_url, settings.ari_user, settings.ari_password, settings.ari_app, timeout=settings.ari_timeout
    )
    media = Pool(settings.rtpengine_ng, app=settings.ari_app, timeout=settings.rtpengine_timeout)
    peers = Backends(ari, media, WebSocketRegistrar())
    try:
        await ari.open()
        await media.start()
        report = await _compare(peers, settings)
        if end:
            report.ended = [one for one in report.findings if one.call_id == end]
            report.refused = [one for one in report.ended if not await reap(peers, one)]
            return report
        if report.orphans:
            await asyncio.sleep(GRACE_S)  # resources that are just being created or released are not orphans
            again = await _compare(peers, settings)
            report.orphans = [one for one in again.orphans if one in report.orphans]
        if apply:
            report.removed = [one for one in report.orphans if await reap(peers, one)]
        return report
    finally:
        await media.close()
        await ari.close()


async def _compare(peers: Backends, settings: Settings) -> Report:
    seen = await take_snapshot(peers)
    records = {call.id: call for call in live_calls(settings.state_dir)}
    try:
        ours = application_channels(await peers.ari.application(), seen)
    except PeerRefused:  # no server has run since the PBX's start: it does not know our application
        ours = []
    stems = {stem_of(call_id) for call_id in records}
    unknown = find_strangers(
        seen, peers.ari.app, lambda stem: stem in stems or has_call(settings.state_dir, stem), time.time()
    )
    after = [(record, recover(record, seen, time.time())[0]) for record in [*records.values(), *unknown]]
    findings = classify(seen, ours, {call.id: call for _, call in after}, frozenset(records), peers.ari.app)
    return Report(after, [one for one in findings if one.ownership is Ownership.ORPHAN], findings)


def _show_end(report: Report, end: str) -> int:
    if not report.ended:
        typer.echo(f"There are no resources of a call {end}.", err=True)
        return FAILED
    for finding in report.ended:
        done = "could not be removed" if finding in report.refused else "removed"
        typer.echo(f"{finding.kind.value} {finding.name}: {done}")
    return FAILED if report.refused else 0


def _show(report: Report, apply: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("what", "name", "at a start of the server"):
        table.add_column(heading, overflow="fold")
    for record, call in report.calls:
        parties = f"{call.id}  {call.caller or '?'} → {call.target}"
        if call.outcome:
            fate = f"[yellow]closed: {call.outcome.value}[/] {escape(call.cause.text if call.cause else '')}"
        elif call.ownerless:
            fate = f"[yellow]kept, without an owner[/]: there is no record of it. `--reconcile --end {call.id}` ends it"
        else:
            media = "its page is asked for new media" if call.media_lost else "untouched"
            fate = f"[green]goes on[/] ({record.state.value} → {call.state.value}; {media})"
        table.add_row("call", escape(parties), fate)
    for finding in report.orphans:
        done = "[green]removed[/]" if finding in report.removed else "[red]not removed[/]"
        table.add_row(finding.kind.value, escape(finding.name), done if apply else "[yellow]removed[/]")
    console = Console(soft_wrap=False)
    if report.calls or report.orphans:
        console.print(table)
    else:
        console.print("There are no resources of this application: no call, channel, bridge or media session.")
    if report.orphans and not apply:
        console.print("Nothing was touched. --apply removes what belongs to no call.")
