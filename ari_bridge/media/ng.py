"""rtpengine's NG protocol over UDP: a cookie, a space, a bencoded dictionary; the answer has the same cookie.

Source: rtpengine, docs/ng_control_protocol.md. A request is sent again while its answer is
missing: rtpengine remembers responses by cookie, so no command is executed twice.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from ari_bridge.errors import PeerError, PeerRefused, PeerTimeout, PeerUnreachable
from ari_bridge.media import bencode
from ari_bridge.media.bencode import MalformedBencode, Value
from ari_bridge.media.node_address import NodeAddress

PEER = "rtpengine"
RESEND_DELAYS_S = (0.15, 0.35, 1.0)
"""Seconds after which a request is sent again, and again."""
MAX_IN_FLIGHT = 1000
MAX_DATAGRAM_BYTES = 65507
"""Bytes of the largest UDP datagram. Sending a larger one would look like trouble of the whole connection."""

Observer = Callable[[str, float, str], None]
"""Told of each command: its name, seconds, and ok, refused, timeout or unreachable."""

log = structlog.get_logger(__name__)


class NgClient(asyncio.DatagramProtocol):
    """`timeout`: seconds for a command with all its repetitions.

    `on_refused` is called when the machine says that its port is closed. `heard_at`: the event loop's time of the
    last datagram that came, were it a late one; 0 before the first.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout: float,
        observer: Observer | None = None,
        on_refused: Callable[[str], None] | None = None,
    ) -> None:
        self.heard_at = 0.0
        self._address = (host, port)
        self._peer = f"{PEER} {NodeAddress(host, port)}"
        self._timeout = timeout
        self._observer = observer or (lambda command, seconds, result: None)
        self._on_refused = on_refused or (lambda reason: None)
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[bytes, asyncio.Future[dict[str, Value]]] = {}

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def open(self) -> None:
        """Raises PeerUnreachable if the address cannot be resolved. Only a command shows whether rtpengine is there."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_datagram_endpoint(lambda: self, remote_addr=self._address)
        except (OSError, UnicodeError) as error:  # UnicodeError: no host can have such a name
            raise PeerUnreachable(self._peer, "open", str(error)) from error

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self.fail_all("the client is closed")

    async def ping(self, seconds: float) -> float:
        """Seconds until the response. Raises as `command`; the observer is not called."""
        began = time.perf_counter()
        await self._command("ping", {}, seconds)
        return time.perf_counter() - began

    async def command(self, command: str, **arguments: Value) -> dict[str, Value]:
        """The answer's dictionary; arguments by NG's names. Raises PeerRefused, PeerTimeout, PeerUnreachable."""
        return await self.ask(command, arguments, self._timeout)

    async def ask(self, command: str, arguments: Mapping[str, Value], within: float) -> dict[str, Value]:
        """As `command`, with `within` seconds instead of the client's own timeout."""
        began = time.perf_counter()
        result = "ok"
        try:
            if len(self._waiting) >= MAX_IN_FLIGHT:
                raise PeerUnreachable(self._peer, command, f"{MAX_IN_FLIGHT} commands wait for an answer already")
            return await self._command(command, arguments, within)
        except PeerError as error:
            result = "refused" if isinstance(error, PeerRefused) else "unreachable"
            if isinstance(error, PeerTimeout):
                result = "timeout"
            raise
        finally:
            self._observer(command, time.perf_counter() - began, result)

    async def _command(self, command: str, arguments: Mapping[str, Value], seconds: float) -> dict[str, Value]:
        if self._transport is None:
            raise PeerUnreachable(self._peer, command, "not connected")
        cookie = secrets.token_hex(8).encode()
        datagram = cookie + b" " + bencode.encode({"command": command, **arguments})
        if len(datagram) > MAX_DATAGRAM_BYTES:
            raise PeerRefused(self._peer, command, f"{len(datagram)} bytes do not fit into one datagram")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[dict[str, Value]] = loop.create_future()
        self._waiting[cookie] = answer
        resends = [loop.call_later(after, self._send, datagram) for after in RESEND_DELAYS_S if after < seconds]
        try:
            self._send(datagram)
            async with asyncio.timeout(seconds):
                fields = await answer
        except TimeoutError as error:
            raise PeerTimeout(self._peer, command, seconds) from error
        except _Unreachable as error:
            raise PeerUnreachable(self._peer, command, str(error)) from error
        finally:
            del self._waiting[cookie]
            for resend in resends:
                resend.cancel()
        if fields.get("result") in (b"ok", b"pong"):
            return fields
        reason = fields.get("error-reason", b"no reason given")
        raise PeerRefused(
            self._peer, command, reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        )

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(datagram)

    def fail_all(self, reason: str) -> None:
        """All commands under way fail now, with PeerUnreachable."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(_Unreachable(reason))

    # --- asyncio.DatagramProtocol ---------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """`open` may be called again."""
        if exc is not None:
            self._transport = None
            self.fail_all(f"the socket broke: {exc}")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        cookie, _, body = data.partition(b" ")
        answer = self._waiting.get(cookie)
        if answer is None or answer.done():
            return  # the answer to a repetition, or one that came too late
        try:
            fields = bencode.decode(body)
        except MalformedBencode as error:
            log.warning("dropped an invalid response from rtpengine", reason=str(error))
            return
        if isinstance(fields, dict):
            answer.set_result(fields)
        else:
            log.warning("dropped an invalid response from rtpengine", reason="not a dictionary")

    def error_received(self, exc: Exception) -> None:
        """ICMP reports a closed port or no route: every pending command has failed."""
        if isinstance(exc, ConnectionRefusedError):
            reason = f"no process listens at {NodeAddress(*self._address)} ({exc})"
            self._on_refused(reason)
        else:
            reason = str(exc)
        self.fail_all(reason)


class _Unreachable(Exception):
    pass
