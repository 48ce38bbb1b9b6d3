"""`ari-bridge sip …`: does a SIP server answer, and does a call through it work? With all that was sent and came."""

import asyncio
import os
import re
import ssl
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from ari_bridge.diagnostics.rtp_port import RATE_HZ, SAMPLES, RtpPort, offer, tone
from ari_bridge.diagnostics.sip_client import Answered, NoAnswer, SipClient
from ari_bridge.diagnostics.sip_digest import Credentials, UnknownChallenge
from ari_bridge.diagnostics.sip_message import BadMessage, Response
from ari_bridge.diagnostics.sip_transport import SipUnreachable, TransportName, connect
from ari_bridge.errors import InvalidSdp
from ari_bridge.media.sdp import rtp_address
from ari_bridge.net import host_port

# Exit statuses, for scripts.
GOOD, REFUSED, NOT_HEARD, NO_ANSWER = 0, 1, 2, 3

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+))(?::([0-9]{1,5}))?")

sip = typer.Typer(no_args_is_help=True, help="Ask a SIP server, and show what was sent and what came.")

Host = Annotated[str, typer.Argument(metavar="HOST[:PORT]", help="The server; [ADDRESS]:PORT with IPv6.")]
Transport = Annotated[TransportName, typer.Option(help="How: udp, tcp or tls.")]
User = Annotated[str, typer.Option(help="Answer a challenge as this user; the password is in PASSWORD, or the file.")]
PasswordFile = Annotated[Path | None, typer.Option(help="A file with the SIP password.")]
Ca = Annotated[Path | None, typer.Option(help="With tls: trust what this file (PEM) has signed.")]
Insecure = Annotated[bool, typer.Option(help="With tls: accept any certificate.")]


@sip.command("options")
def options(
    host: Host,
    transport: Transport = "udp",
    user: User = "",
    password_file: PasswordFile = None,
    ca: Ca = None,
    insecure: Insecure = False,
    seconds: Annotated[float, typer.Option(min=0.1, max=120, help="How long to wait for the answer.")] = 5.0,
) -> None:
    """Ask a SIP server whether it is there.

    Exit status: 0 it answered with 2xx, 1 with something else, 3 not at all.
    """
    asker = _Asker(host, transport, user, password_file, ca, insecure)
    raise typer.Exit(asker.run(asker.options(seconds)))


@sip.command("invite")
def invite(
    host: Host,
    number: Annotated[str, typer.Argument(help="What to call.")],
    transport: Transport = "udp",
    user: User = "",
    password_file: PasswordFile = None,
    ca: Ca = None,
    insecure: Insecure = False,
    ring: Annotated[float, typer.Option(min=0.1, max=300, help="How long to wait for the answer.")] = 30.0,
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="How long to stay after the answer.")] = 3.0,
    play_tone: Annotated[int, typer.Option(min=0, max=3900, help="Send a tone of this many Hz; 0: silence.")] = 0,
    expect_tone: Annotated[float | None, typer.Option(help="Fail unless a tone of this many Hz is heard.")] = None,
) -> None:
    """Call a number by SIP with PCMU, and tell what is heard.

    Exit status: 0 accepted (and the tone heard), 1 refused, 2 the tone was not heard, 3 no answer.
    """
    asker = _Asker(host, transport, user, password_file, ca, insecure)
    raise typer.Exit(asker.run(asker.invite(number, ring, seconds, play_tone, expect_tone)))


class _Asker:
    def __init__(
        self,
        host: str,
        transport: TransportName,
        user: str,
        password_file: Path | None,
        ca: Path | None,
        insecure: bool,
    ) -> None:
        self._host, self._port = _address(host, 5061 if transport == "tls" else 5060)
        self._transport = transport
        self._credentials = _credentials(user, password_file)
        self._tls = _trust(ca, insecure) if transport == "tls" else None
        self._began = time.monotonic()

    def run(self, asked: Coroutine[Any, Any, int]) -> int:
        self._began = time.monotonic()
        try:
            return asyncio.run(asked)
        except (NoAnswer, SipUnreachable) as error:
            self._say(f"No answer: {error}.")
            return NO_ANSWER
        except (BadMessage, UnknownChallenge) as error:
            self._say(f"The server's answer cannot be used: {error}.")
            return REFUSED

    async def options(self, seconds: float) -> int:
        client, way = await self._client(seconds)
        try:
            return self._verdict(await client.options(seconds))
        finally:
            await way.close()

    async def invite(self, number: str, ring: float, seconds: float, play_tone: int, expect_tone: float | None) -> int:
        client, way = await self._client(ring)
        ear = _Ear()
        port = await RtpPort.open(way.local[0], ear.hear)
        try:
            found = await client.invite(number, offer(port.address), ring)
            if isinstance(found, Response):
                return self._verdict(found)
            try:
                return await self._stay(client, port, ear, found, seconds, play_tone, expect_tone)
            finally:
                await client.bye()
        finally:
            await port.close()
            await way.close()

    async def _stay(
        self,
        client: SipClient,
        port: RtpPort,
        ear: "_Ear",
        found: Answered,
        seconds: float,
        play_tone: int,
        expect_tone: float | None,
    ) -> int:
        try:
            remote = rtp_address(found.sdp)
        except (InvalidSdp, ValueError, IndexError) as error:
            self._say(f"Accepted, but its SDP cannot be used: {error}")
            return NOT_HEARD
        self._say(f"Accepted; sound goes to {remote}.")
        port.send_to(remote, *([tone(play_tone)] if play_tone else []))
        serving = asyncio.create_task(client.serve())
        try:
            if expect_tone is not None:
                return await self._expect(ear, expect_tone, seconds)
            await asyncio.wait({serving}, timeout=seconds)
        finally:
            serving.cancel()
            [ended] = await asyncio.gather(serving, return_exceptions=True)
        if client.ended.is_set():
            self._say("The other side has hung up.")
        self._say(f"{port.received} packets of sound came. Heard {ear.tell()}.")
        if isinstance(ended, SipUnreachable):
            raise ended
        return GOOD

    async def _expect(self, ear: "_Ear", hz: float, seconds: float) -> int:
        if ear.audio is None:
            self._say(f"Tones can be recognised with the extra `client` only: {ear.missing}")
            return NOT_HEARD
        from ari_bridge_client.audio import ToneNotHeard

        try:
            self._say(f"Heard {await ear.audio.wait_for_tone(hz, seconds)}.")
        except ToneNotHeard as error:
            self._say(str(error))
            return NOT_HEARD
        return GOOD

    async def _client(self, seconds: float) -> tuple[SipClient, Any]:
        try:
            async with asyncio.timeout(seconds):
                way = await connect(self._host, self._port, self._transport, tls=self._tls)
        except TimeoutError:
            raise SipUnreachable(f"no connection within {seconds:g} s") from None
        client = SipClient(way, host_port(self._host, self._port), self._show, self._credentials)
        return client, way

    def _verdict(self, response: Response) -> int:
        self._say(f"{response.status} {_printable(response.reason)}")
        return GOOD if response.status < 300 else REFUSED

    def _show(self, arrow: str, raw: bytes) -> None:
        text = raw.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n")
        # Whoever shows this to others must not give them something to try passwords against.
        text = re.sub(r'(\bresponse=")[0-9a-f]+', r"\1(hidden)", text)
        first, *others = text.split("\n")
        self._say(f"{arrow} {_printable(first)}")
        for line in others:
            typer.echo(f"{'':13}{_printable(line)}".rstrip())

    def _say(self, text: str) -> None:
        typer.echo(f"{time.monotonic() - self._began:8.3f} s  {text}")


class _Ear:
    """What is heard. `audio`: None without the extra that recognises tones; `missing` says why."""

    def __init__(self) -> None:
        # Imported here: numpy is part of an optional extra that the server does not need.
        self.missing = ""
        self.audio: Any = None
        try:
            import numpy

            from ari_bridge_client.audio import ReceivedAudio

            self._table = numpy.array(SAMPLES, dtype=numpy.int16)
            self._read = numpy.frombuffer
            self.audio = ReceivedAudio()
        except ImportError as error:  # MediaMissing is one
            self.missing = str(error)

    def hear(self, mulaw: bytes) -> None:
        if self.audio is not None:
            self.audio.feed(self._table[self._read(mulaw, dtype="u1")], RATE_HZ)

    def tell(self) -> str:
        return str(self.audio.analyze()) if self.audio is not None else "what, nobody knows: the extra is missing"


def _address(text: str, port: int) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(text)
    if not found or (found[3] and not 0 < int(found[3]) < 65536):
        raise typer.BadParameter(f"{text[:80]!r} is no HOST[:PORT]")
    return found[1] or found[2], int(found[3] or port)


def _credentials(user: str, password_file: Path | None) -> Credentials | None:
    if not user:
        return None
    try:
        # Neither is an option: every process of the machine may read a command line.
        password = password_file.read_text().strip() if password_file else os.environ.get("PASSWORD", "")
    except (OSError, UnicodeError) as error:
        raise typer.BadParameter(f"--password-file: {error}") from None
    if not password:
        raise typer.BadParameter("--user needs the SIP password: --password-file FILE, or PASSWORD in the environment")
    return Credentials(user, password)


def _trust(ca: Path | None, insecure: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise typer.BadParameter(f"--ca: {error}") from None
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _printable(text: str) -> str:
    """What a stranger has sent does nothing to the terminal."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
