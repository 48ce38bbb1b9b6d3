"""rtpengine's NG protocol over UDP: a cookie, a space, a bencoded dictionary; the answer has the same cookie.

Source: rtpengine, docs/ng_control_protocol.md. A request is sent again while its answer is
missing: rtpengine remembers answers by cookie, so nothing is done twice.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any

import structlog

from ari_bridge.errors import PeerError, PeerRefused, PeerTimeout, PeerUnreachable
from ari_bridge.media import bencode
from ari_bridge.media.bencode import MalformedBencode, Value

PEER = "rtpengine"
RESEND = (0.15, 0.35, 1.0)
"""Seconds after which a request is sent again, and again."""
IN_FLIGHT = 1000

Observer = Callable[[str, float, str], None]
"""Told of each command: its name, seconds, and ok, refused, timeout or unreachable."""

log = structlog.get_logger(__name__)


class NgClient(asyncio.DatagramProtocol):
    """`timeout`: seconds for a command with all its repetitions."""

    def __init__(self, host: str, port: int, *, timeout: float, observer: Observer | None = None) -> None:
        self._address = (host, port)
        self._timeout = timeout
        self._observer = observer or (lambda command, seconds, result: None)
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[bytes, asyncio.Future[dict[str, Value]]] = {}

    async def open(self) -> None:
        """Raises PeerUnreachable where the address cannot be resolved. Whether rtpengine is there, a command tells."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_datagram_endpoint(lambda: self, remote_addr=self._address)
        except OSError as error:
            raise PeerUnreachable(PEER, "open", str(error)) from error

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self._fail_all("the client is closed")

    async def command(self, command: str, **arguments: Value) -> dict[str, Value]:
        """The answer's dictionary; arguments by NG's names. Raises PeerRefused, PeerTimeout, PeerUnreachable."""
        began = time.perf_counter()
        result = "ok"
        try:
            return await self._command(command, arguments)
        except PeerError as error:
            result = "refused" if isinstance(error, PeerRefused) else "unreachable"
            if isinstance(error, PeerTimeout):
                result = "timeout"
            raise
        finally:
            self._observer(command, time.perf_counter() - began, result)

    async def _command(self, command: str, arguments: dict[str, Value]) -> dict[str, Value]:
        if self._transport is None:
            raise PeerUnreachable(PEER, command, "not connected")
        if len(self._waiting) >= IN_FLIGHT:
            raise PeerUnreachable(PEER, command, f"{IN_FLIGHT} commands wait for an answer already")
        cookie = secrets.token_hex(8).encode()
        datagram = cookie + b" " + bencode.encode({"command": command, **arguments})
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[dict[str, Value]] = loop.create_future()
        self._waiting[cookie] = answer
        resends = [loop.call_later(after, self._send, datagram) for after in RESEND if after < self._timeout]
        try:
            self._send(datagram)
            async with asyncio.timeout(self._timeout):
                fields = await answer
        except TimeoutError as error:
            raise PeerTimeout(PEER, command, self._timeout) from error
        except _Unreachable as error:
            raise PeerUnreachable(PEER, command, str(error)) from error
        finally:
            del self._waiting[cookie]
            for resend in resends:
                resend.cancel()
        if fields.get("result") in (b"ok", b"pong"):
            return fields
        reason = fields.get("error-reason", b"no reason given")
        raise PeerRefused(
            PEER, command, reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        )

    def _send(self, datagram: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(datagram)

    def _fail_all(self, reason: str) -> None:
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(_Unreachable(reason))

    # --- asyncio.DatagramProtocol ---------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        cookie, _, body = data.partition(b" ")
        answer = self._waiting.get(cookie)
        if answer is None or answer.done():
            return  # the answer to a repetition, or one that came too late
        try:
            fields = bencode.decode(body)
        except MalformedBencode as error:
            log.warning("an answer of rtpengine was dropped", reason=str(error))
            return
        if isinstance(fields, dict):
            answer.set_result(fields)
        else:
            log.warning("an answer of rtpengine was dropped", reason="not a dictionary")

    def error_received(self, exc: Exception) -> None:
        """ICMP says that nobody listens there: all that waits has failed, now and not after the timeout."""
        self._fail_all(f"nobody listens at {self._address[0]}:{self._address[1]} ({exc})")


class _Unreachable(Exception):
    pass
