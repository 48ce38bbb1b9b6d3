"""How SIP messages travel: by UDP, TCP or TLS to one server, each with what it takes to read them."""

import asyncio
import ssl
from typing import Literal, Protocol

from ari_bridge.diagnostics.sip_message import StreamReader

MAX_WAITING = 256
"""Messages that were received and not looked at; further ones are lost, as they are on a network."""
_PIECE_BYTES = 16 * 1024

TransportName = Literal["udp", "tcp", "tls"]


class SipUnreachable(Exception):
    """Nothing can be sent to the server, or received from it; the text says why."""


class Transport(Protocol):
    """A way to one server.

    Attributes:
        name: As Via names it.
        reliable: Whether nothing that was sent has to be sent again.
        local: IP address and port of this side.
    """

    name: str
    reliable: bool
    local: tuple[str, int]

    def send(self, message: bytes) -> None: ...

    async def receive(self) -> bytes:
        """The next message, or what came instead. Raises SipUnreachable, BadMessage."""

    async def close(self) -> None: ...


async def connect(host: str, port: int, name: TransportName, *, tls: ssl.SSLContext | None = None) -> Transport:
    """`tls`: what is trusted, with `name` tls. Raises SipUnreachable; wants a deadline around it."""
    try:
        if name == "udp":
            loop = asyncio.get_running_loop()
            _, protocol = await loop.create_datagram_endpoint(_Datagrams, remote_addr=(host, port))
            return protocol
        context = (tls or ssl.create_default_context()) if name == "tls" else None
        reader, writer = await asyncio.open_connection(host, port, ssl=context)
        return _Stream(reader, writer, name)
    except (OSError, UnicodeError) as error:
        raise SipUnreachable(f"{name}:{host}:{port}: {error or type(error).__name__}") from error


class _Datagrams(asyncio.DatagramProtocol):
    name, reliable = "UDP", False

    def __init__(self) -> None:
        self._received: asyncio.Queue[bytes | OSError] = asyncio.Queue(MAX_WAITING)
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.local: tuple[str, int] = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._keep(data)

    def error_received(self, exc: Exception) -> None:
        """ICMP says that nobody is there."""
        self._keep(exc if isinstance(exc, OSError) else OSError(str(exc)))

    def _keep(self, received: bytes | OSError) -> None:
        if not self._received.full():
            self._received.put_nowait(received)

    def send(self, message: bytes) -> None:
        self._transport.sendto(message)

    async def receive(self) -> bytes:
        received = await self._received.get()
        if isinstance(received, OSError):
            raise SipUnreachable(str(received)) from received
        return received

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    async def close(self) -> None:
        self._transport.close()
        await self._closed.wait()


class _Stream:
    reliable = True

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        self.name = name.upper()
        self.local: tuple[str, int] = writer.get_extra_info("sockname")[:2]
        self._reader = reader
        self._writer = writer
        self._messages = StreamReader()
        self._ready: list[bytes] = []

    def send(self, message: bytes) -> None:
        self._writer.write(message)

    async def receive(self) -> bytes:
        while not self._ready:
            try:
                data = await self._reader.read(_PIECE_BYTES)
            except OSError as error:
                raise SipUnreachable(str(error)) from error
            if not data:
                raise SipUnreachable("the server has closed the connection")
            self._ready = self._messages.feed(data)
        return self._ready.pop(0)

    async def close(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            pass
