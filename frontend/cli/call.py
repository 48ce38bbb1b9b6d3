"""`ari-bridge call TARGET`: a headless WebRTC phone that prints call events and media stats, and detects a tone."""

import asyncio
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ari_bridge_client import Call, Client, ClientError, MediaMissing
from ari_bridge_client.events import CallEvent, Early, Ended, Failed

STATS_INTERVAL_S = 2.0

# Exit statuses, for scripts.
HEARD, NOT_ACCEPTED, NOT_HEARD, NOT_CALLED = 0, 1, 2, 3


def call(
    target: Annotated[str, typer.Argument(help="The number to call.")],
    url: Annotated[str, typer.Option(help="The server's WebSocket.")] = "ws://127.0.0.1:3000/ws",
    user: Annotated[
        str | None, typer.Option(help="Sign in as this user; PASSWORD has the password, or TOKEN a token.")
    ] = None,
    insecure: Annotated[bool, typer.Option(help="Accept any TLS certificate.")] = False,
    play: Annotated[Path | None, typer.Option(help="A sound file to play.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write what is heard to this WAV file.")] = None,
    expect_tone: Annotated[float | None, typer.Option(help="Fail unless a tone of this many Hz is heard.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to stay after the answer.")] = 5.0,
    ring: Annotated[float, typer.Option(min=1, help="How long to wait for the answer.")] = 60.0,
) -> None:
    """Call a number; print states and media stats as they come.

    Exit status: 0 accepted (and the tone heard), 1 not accepted, 2 the tone was not heard, 3 no call could be made.
    """
    raise typer.Exit(asyncio.run(_call(target, url, user, insecure, play, record, expect_tone, seconds, ring)))


async def _call(
    target: str,
    url: str,
    user: str | None,
    insecure: bool,
    play: Path | None,
    record: Path | None,
    expect_tone: float | None,
    seconds: float,
    ring: float,
) -> int:
    # Imported here: aiortc and numpy are an optional extra that the server does not need.
    try:
        from ari_bridge_client.audio import File, Silence
    except MediaMissing as error:
        typer.echo(f"`ari-bridge call` needs media: {error}", err=True)
        return NOT_CALLED
    tls = _any_certificate() if insecure else None
    began = time.monotonic()

    def say(text: str) -> None:
        typer.echo(f"{time.monotonic() - began:7.3f} s  {text}")

    try:
        source = File(play) if play else Silence()
        # Neither is an option: every process of the machine may read a command line.
        token = os.environ.get("TOKEN") if user else None
        password = os.environ.get("PASSWORD") if user and not token else None
        async with Client(url, user=user, password=password, token=token, tls=tls) as client:
            began = time.monotonic()
            placed = await client.call(target, source)
            say(f"SDP answer, call {placed.id}")
            if record:
                placed.received_audio.record(record)
            reporting = asyncio.gather(_print_events(placed, say), _print_stats(placed, say))
            try:
                return await _follow(placed, expect_tone, seconds, ring, say)
            finally:
                await placed.hangup()
                reporting.cancel()
                await asyncio.gather(reporting, return_exceptions=True)
                say(str(placed))
    except (ClientError, OSError) as error:
        typer.echo(f"The call could not be made: {error}", err=True)
        return NOT_CALLED


async def _follow(
    placed: Call, expect_tone: float | None, seconds: float, ring: float, say: Callable[[str], None]
) -> int:
    from ari_bridge_client.audio import ToneNotHeard

    try:
        await placed.wait_for("accepted", ring)
    except ClientError as error:
        typer.echo(f"Not accepted: {error}", err=True)
        return NOT_ACCEPTED
    if expect_tone is None:
        try:
            await placed.wait_for("ended", seconds)
        except ClientError:
            pass  # it is still up: we end it
        return HEARD
    try:
        say(f"heard {await placed.received_audio.wait_for_tone(expect_tone, seconds)}")
    except ToneNotHeard as error:
        typer.echo(str(error), err=True)
        return NOT_HEARD
    return HEARD


async def _print_events(placed: Call, say: Callable[[str], None]) -> None:
    """Each event as it comes, except the last one: `_call` prints how the call ended."""
    async for event in placed.events():
        if not isinstance(event, Ended | Failed):
            say(_words(event))


def _words(event: CallEvent) -> str:
    if isinstance(event, Early):
        return "sound before the answer"
    values = [str(getattr(event, name)) for name in event.__dataclass_fields__ if name not in ("name", "at")]
    return " ".join([event.name.replace("_", " "), *filter(None, values)])


async def _print_stats(placed: Call, say: Callable[[str], None]) -> None:
    """Media stats every STATS_INTERVAL_S, once the call is accepted."""
    while True:
        await asyncio.sleep(STATS_INTERVAL_S)
        if "accepted" in placed.state_history:
            stats = await placed.get_stats()
            say(
                f"{stats.codec}: {stats.packets_sent} packets sent, {stats.packets_received} received, "
                f"{stats.packets_lost} lost, "
                f"jitter {(stats.jitter or 0) * 1000:.1f} ms; hears {placed.received_audio.analyze()}"
            )


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
