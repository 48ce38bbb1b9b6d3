"""`ari-bridge calls …`: what an operator does on the server's own machine, without a password.

It speaks to the running server by the control socket in STATE_DIR, which the service's user and root may open.
"""

import asyncio
import getpass
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import aiohttp
import msgspec
import typer

from ari_bridge.dial_permissions import OutgoingStop, OutgoingSwitch, SwitchNotSaved
from ari_bridge.fsm.call import Direction, PartyState
from frontend.api.routes.call_queries import CallPage
from frontend.api.routes.operator import EndCallsBody, EndedCalls, OutgoingBody, OutgoingData
from frontend.cli import logging as logs
from frontend.http.control_socket import NAME, socket_path
from frontend.settings import InvalidSettings, Settings, load
from frontend.state_files import OUTGOING_FILE

TIMEOUT_S = 10.0

calls = typer.Typer(no_args_is_help=True, help="Calls that go on; end them, and stop outgoing calls.")
T = TypeVar("T")


class NoServer(Exception):
    """No server runs with this STATE_DIR."""


class Refused(Exception):
    """The server has refused it; the text is its own."""


@calls.command("list")
def list_calls() -> None:
    """Show all calls that go on: id, user, direction, state, minutes, and who else is in it."""
    page: CallPage = _run(lambda ask: ask("GET", "/calls?live=true&limit=200", None, CallPage))
    for call in page.calls:
        minutes, seconds = divmod(int(time.time() - call.created_at), 60)
        state = "left" if call.left else call.state.value
        others = [call.target if call.direction is Direction.OUTBOUND else call.caller]
        others += [party.number for party in call.parties if party.state is not PartyState.GONE]
        columns = (call.call_id, call.user or "-", call.direction.value, state, f"{minutes}:{seconds:02}")
        typer.echo("\t".join((*columns, ", ".join(others))))
    outgoing: OutgoingData = _run(lambda ask: ask("GET", "/outgoing", None, OutgoingData))
    _tell_switch(outgoing)


@calls.command("end")
def end_calls(
    call_id: Annotated[str | None, typer.Argument(help="The id of one call.")] = None,
    user: Annotated[str | None, typer.Option(help="All calls of this user.")] = None,
    tenant: Annotated[str | None, typer.Option(help="All calls of this tenant's users.")] = None,
) -> None:
    """End one call, or all of a user or a tenant, forwarded ones too. `ari-bridge user lock` ends calls as well."""
    body = EndCallsBody(call_id, user, tenant)
    ended: EndedCalls = _run(lambda ask: ask("POST", "/calls/end", body, EndedCalls))
    if not ended.calls and not ended.forwards:
        typer.echo(
            f"No call of {user or tenant} is to be ended. Names are written as `ari-bridge calls list` has them."
        )
        return
    _tell_ended(ended)


@calls.command("stop-outgoing")
def stop_outgoing(
    reason: Annotated[str, typer.Option(help="Shown to other operators.")] = "",
    keep_calls: Annotated[bool, typer.Option("--keep-calls", help="Calls that go outside already go on.")] = False,
) -> None:
    """Stop all outgoing calls at once, until they are allowed again. Internal and emergency numbers can be called."""
    body = OutgoingBody(False, not keep_calls, reason)
    stop = OutgoingStop(time.time(), f"{getpass.getuser()} on this machine", reason)
    outgoing = _run(lambda ask: ask("PUT", "/outgoing", body, OutgoingData), otherwise=stop)
    if outgoing and outgoing.ended:
        _tell_ended(outgoing.ended)
    if outgoing:
        _tell_switch(outgoing)


@calls.command("allow-outgoing")
def allow_outgoing() -> None:
    """Allow outgoing calls again."""
    outgoing = _run(lambda ask: ask("PUT", "/outgoing", OutgoingBody(True), OutgoingData), otherwise=None)
    if outgoing:
        _tell_switch(outgoing)


def _tell_ended(ended: EndedCalls) -> None:
    forwards = f" and {ended.forwards} forwarded" if ended.forwards else ""
    typer.echo(f"{len(ended.calls)} calls{forwards} are being ended.")


def _tell_switch(outgoing: OutgoingData) -> None:
    if outgoing.allowed:
        typer.echo("Outgoing calls are allowed.")
        return
    since = time.strftime(" since %Y-%m-%d %H:%M:%SZ", time.gmtime(outgoing.at)) if outgoing.at else ""
    reason = f": {outgoing.reason}" if outgoing.reason else ""
    typer.echo(f"Outgoing calls are stopped{since}{f' by {outgoing.by}' if outgoing.by else ''}{reason}.")


# --- the server -------------------------------------------------------------------------

Ask = Callable[[str, str, msgspec.Struct | None, type[T]], Awaitable[T]]
_UNSET: Any = object()


def _run(act: Callable[[Any], Awaitable[T]], *, otherwise: OutgoingStop | None = _UNSET) -> T:
    """What the server answers. `otherwise`: what is stored of the switch if no server runs.

    Ends the command with status 1 if it cannot be done, with 2 if the settings are wrong.
    """
    logs.configure("error", "console")
    try:
        settings = load()
    except InvalidSettings as error:
        typer.echo(f"The settings are wrong:\n{error}", err=True)
        raise typer.Exit(2) from None
    try:
        return asyncio.run(_with_server(settings.state_dir, act))
    except NoServer as error:
        if otherwise is _UNSET:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        _store(settings, otherwise)
        raise typer.Exit(0) from None
    except (Refused, OSError, aiohttp.ClientError, TimeoutError) as error:
        typer.echo(str(error) or "The server does not respond.", err=True)
        raise typer.Exit(1) from None


def _store(settings: Settings, stop: OutgoingStop | None) -> None:
    try:
        asyncio.run(OutgoingSwitch(settings.state_dir / OUTGOING_FILE).set(stop))
    except SwitchNotSaved as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    word = "stopped" if stop else "allowed"
    typer.echo(f"No server runs. Outgoing calls are {word} from its next start on; calls that go on in Asterisk do so.")


async def _with_server(state_dir: Path, act: Callable[[Any], Awaitable[T]]) -> T:
    """Raises NoServer, Refused, OSError, aiohttp.ClientError, TimeoutError."""
    try:
        with socket_path(state_dir) as path:
            connector = aiohttp.UnixConnector(path)
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            async with aiohttp.ClientSession("http://localhost", connector=connector, timeout=timeout) as http:

                async def ask(method: str, path: str, body: msgspec.Struct | None, shape: type[Any]) -> Any:
                    data = None if body is None else msgspec.json.encode(body)
                    async with http.request(method, path, data=data) as response:
                        raw = await response.read()
                    if response.status >= 400:
                        raise Refused(str(msgspec.json.decode(raw).get("detail", response.status)))
                    return msgspec.json.decode(raw, type=shape)

                return await act(ask)
    except (FileNotFoundError, aiohttp.ClientConnectorError) as error:
        if isinstance(error.__cause__ or error, PermissionError) or getattr(error, "errno", 0) == 13:
            text = f"{state_dir / NAME} may not be opened: run this as the service's user, or as root."
            raise OSError(text) from None
        raise NoServer(f"No server runs with STATE_DIR={state_dir}.") from None
