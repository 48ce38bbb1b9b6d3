"""`ari-bridge call TARGET`: a headless WebRTC phone that says what happens, and whether it hears what it should."""

import asyncio
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from frontend.client.connection import ClientError, sign_in

if TYPE_CHECKING:
    from frontend.client.phone import PhoneCall

STATS_EVERY = 2.0  # seconds

# Exit statuses, for scripts.
HEARD, NOT_ACCEPTED, NOT_HEARD, NOT_CALLED = 0, 1, 2, 3


def call(
    target: Annotated[str, typer.Argument(help="The number to call.")],
    url: Annotated[str, typer.Option(help="The server's WebSocket.")] = "ws://127.0.0.1:3000/ws",
    user: Annotated[str | None, typer.Option(help="Sign in as this user; the password is read from PASSWORD.")] = None,
    token: Annotated[str | None, typer.Option(help="A token, in place of user and password.")] = None,
    insecure: Annotated[bool, typer.Option(help="Take any TLS certificate.")] = False,
    play: Annotated[Path | None, typer.Option(help="A sound file to play.")] = None,
    record: Annotated[Path | None, typer.Option(help="Write what is heard to this WAV file.")] = None,
    expect_tone: Annotated[float | None, typer.Option(help="Fail unless a tone of so many Hz is heard.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long to stay after the answer.")] = 5.0,
    ring: Annotated[float, typer.Option(min=1, help="How long to wait for the answer.")] = 60.0,
) -> None:
    """Call a number; print states and media figures as they come.

    Exit status: 0 accepted (and the tone heard), 1 not accepted, 2 the tone was not heard, 3 no call could be made.
    """
    raise typer.Exit(asyncio.run(_call(target, url, user, token, insecure, play, record, expect_tone, seconds, ring)))


async def _call(
    target: str,
    url: str,
    user: str | None,
    token: str | None,
    insecure: bool,
    play: Path | None,
    record: Path | None,
    expect_tone: float | None,
    seconds: float,
    ring: float,
) -> int:
    # Here, not above: aiortc and numpy are an extra, and no weight for the server to carry.
    try:
        from frontend.client.phone import Phone
        from frontend.client.tones import File, Silence
    except ImportError as error:
        typer.echo(f"`ari-bridge call` needs {error.name}: install ari-bridge[phone].", err=True)
        return NOT_CALLED
    tls = _any_certificate() if insecure else None
    began = time.monotonic()

    def say(text: str) -> None:
        typer.echo(f"{time.monotonic() - began:7.3f} s  {text}")

    try:
        source = File(play) if play else Silence()
        if user and not token and (password := os.environ.get("PASSWORD")):
            token = await sign_in(url, user, password, tls=tls)
        async with Phone(url, user, token, tls=tls) as phone:
            began = time.monotonic()
            placed = await phone.call(target, source)
            say(f"SDP answer, call {placed.id}")
            if record:
                placed.heard.record(record)
            teller = asyncio.create_task(_tell(placed, say))
            try:
                return await _follow(placed, expect_tone, seconds, ring, say)
            finally:
                await placed.hangup()
                teller.cancel()
                await asyncio.gather(teller, return_exceptions=True)
                say(str(placed))
    except (ClientError, OSError) as error:
        typer.echo(f"The call could not be made: {error}", err=True)
        return NOT_CALLED


async def _follow(
    placed: "PhoneCall", expect_tone: float | None, seconds: float, ring: float, say: Callable[[str], None]
) -> int:
    from frontend.client.tones import ToneNotHeard

    try:
        await placed.wait("accepted", ring)
    except ClientError as error:
        typer.echo(f"Not accepted: {error}", err=True)
        return NOT_ACCEPTED
    if expect_tone is None:
        try:
            await placed.wait("ended", seconds)
        except ClientError:
            pass  # it still stands: we end it
        return HEARD
    try:
        say(f"heard {await placed.heard.wait_for_tone(expect_tone, seconds)}")
    except ToneNotHeard as error:
        typer.echo(str(error), err=True)
        return NOT_HEARD
    return HEARD


async def _tell(placed: "PhoneCall", say: Callable[[str], None]) -> None:
    """Each state as it comes; media figures now and then."""
    told = 0
    figures_at = time.monotonic()
    while True:
        for state in placed.history[told:]:
            say(state)
        told = len(placed.history)
        if "accepted" in placed.history and time.monotonic() - figures_at > STATS_EVERY:
            figures_at = time.monotonic()
            stats = await placed.stats()
            say(
                f"{stats['codec']}: {stats.get('sent', 0)} packets sent, {stats.get('received', 0)} received, "
                f"{stats.get('lost', 0)} lost, jitter {stats.get('jitter', 0) * 1000:.1f} ms; "
                f"hears {placed.heard.sound()}"
            )
        await asyncio.sleep(0.02)


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
