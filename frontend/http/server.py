"""The HTTP server: limits of requests, and the problem that is returned if a request cannot be parsed.

aiohttp answers such a request with the bytes it stumbled over, cookies and tokens among them, and logs them.
"""

import asyncio
import secrets
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler
from msgspec.structs import replace

from ari_bridge import metrics
from frontend.http.connection_table import Connection, ConnectionTable, Holder, HolderKind
from frontend.http.problems import MEDIA_TYPE, Problem, problem, problem_response
from frontend.http.request_ids import HEADER
from frontend.http.response_headers import COMMON_HEADERS

MAX_HEADER_BYTES = 32 * 1024
"""The longest header, and the longest address. Beside other applications on the same host a browser brings along all
their cookies: some kilobytes are usual.
"""
MAX_HEADERS = 256
MAX_HEAD_BYTES = 64 * 1024
"""All headers of a request together."""
HEAD_TIMEOUT_S = 10.0
"""From the connection, or from the first byte of a later request, until all headers of the request are there."""
KEEP_ALIVE_S = 75.0
"""How long a connection may be idle between two requests."""
LINGER_S = 5.0
"""How long the rest of a body is read that nobody wants, so that the client gets to read the response."""
STALL_TIMEOUT_S = 30.0
"""A client that takes nothing of a response, a stream or its messages for this long is cut off."""
READ_BUFFER_BYTES = 32 * 1024
"""What is read ahead of a body, for each connection."""
MAX_STRANGER_BYTES = 64 * 1024
"""What a WebSocket may receive before somebody has signed in on it."""
SHUTDOWN_TIMEOUT_S = 2.0
"""How long open requests may go on when the server ends."""

log = structlog.get_logger(__name__)


def _head_too_large(request_id: str | None = None) -> Problem:
    detail = "The request is too large: a header (such as the cookies), the URL, or the number of headers."
    return replace(problem("too_large", detail, request_id=request_id), status=431)


def _raw(body: Problem) -> bytes:
    """The response to a request that aiohttp has not seen yet."""
    content = msgspec.json.encode(body)
    return (
        f"HTTP/1.1 {body.status} {body.title}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(content)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    ).encode() + content


_HEAD_TOO_LARGE = _raw(_head_too_large())


class Runner(web.AppRunner):
    """Serves an application, by a `Listener`."""

    def __init__(self, app: web.Application) -> None:
        self._limits: dict[str, Any] = {
            "access_log": None,
            "max_line_size": MAX_HEADER_BYTES,
            "max_field_size": MAX_HEADER_BYTES,
            "max_headers": MAX_HEADERS,
            "keepalive_timeout": KEEP_ALIVE_S,
            "lingering_time": LINGER_S,
            "read_bufsize": READ_BUFFER_BYTES,
        }
        super().__init__(app, shutdown_timeout=SHUTDOWN_TIMEOUT_S, handle_signals=False, **self._limits)

    def protocol(self, connection: Connection, table: ConnectionTable) -> "ClientProtocol":
        """For a new connection, whose place in the table it gives back when the connection is lost."""
        server = self.server
        assert server is not None, "set up before it listens"
        return ClientProtocol(connection, table, server, loop=asyncio.get_running_loop(), **self._limits)


class ClientProtocol(RequestHandler):
    """aiohttp's protocol of a connection, with deadlines for what a client sends and takes.

    aiohttp itself has one deadline, for idle connections, which starts anew at each response.
    """

    def __init__(self, connection: Connection, table: ConnectionTable, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self.connection = connection
        self._table = table
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._upgraded_bytes = 0
        self._body: StreamReader | None = None  # of the last request

    # --- whose it is ----------------------------------------------------------------

    def hold(self, holder: Holder) -> None:
        """It is used on behalf of `holder`: for good, or for this request if a proxy sends it.

        Raises ConnectionsFull.
        """
        self._table.hold(self.connection, holder)

    def wait_for_client(self, waiting: bool) -> None:
        """Whether the server waits for the client: if so, another connection may take the place of this one."""
        self._table.wait(self.connection, waiting)

    async def _handle_request(self, *arguments: Any) -> tuple[web.StreamResponse, bool]:
        self.wait_for_client(False)
        try:
            return await super()._handle_request(*arguments)
        finally:
            self.wait_for_client(True)
            if self.connection.first_holder.kind is HolderKind.PROXY:
                self._table.hold(self.connection, self.connection.first_holder)

    # --- deadlines ------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.connection.close = self._cut
        if not self.connection.is_open:  # displaced during the handshake
            self._cut()
        self._head_timer = self._loop.call_later(HEAD_TIMEOUT_S, self._give_up, "headers")

    def connection_lost(self, exc: BaseException | None) -> None:
        self._table.leave(self.connection)
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before, in_head = self._request_count, self._body is None or self._body.is_eof()
        super().data_received(data)
        if self._request_count != before:
            self._head_bytes = 0
            if self._head_timer:
                self._head_timer.cancel()
                self._head_timer = None
            if self._messages:
                self._body = self._messages[-1][1]
        elif self._upgraded:
            self._count_upgraded(len(data))
        elif in_head and data:
            self._count_head(len(data))

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self._loop.call_later(STALL_TIMEOUT_S, self._give_up, "reader")

    def resume_writing(self) -> None:
        if self._stall_timer:
            self._stall_timer.cancel()
            self._stall_timer = None
        super().resume_writing()

    def _count_head(self, size: int) -> None:
        """aiohttp limits each header, not all of them."""
        self._head_bytes += size
        if self._head_timer is None:
            self._head_timer = self._loop.call_later(HEAD_TIMEOUT_S, self._give_up, "headers")
        if self._head_bytes > MAX_HEAD_BYTES and self.transport is not None:
            metrics.CONNECTIONS_CUT.labels("head_size").inc()
            self.transport.write(_HEAD_TOO_LARGE)
            self.force_close()

    def _count_upgraded(self, size: int) -> None:
        if self.connection.holder.kind is HolderKind.STRANGER and self.connection.waiting:
            self._upgraded_bytes += size
            if self._upgraded_bytes > MAX_STRANGER_BYTES:
                self._give_up("stranger")

    def _give_up(self, what: str) -> None:
        metrics.CONNECTIONS_CUT.labels(what).inc()
        self._cut()

    def _cut(self) -> None:
        self._stop_timers()
        if self.transport is not None:
            self.transport.abort()

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._stall_timer):
            if timer:
                timer.cancel()

    # --- errors ---------------------------------------------------------------------

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The response to a request that reached no handler, or whose error no middleware has handled."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the response was sent already")
        name = secrets.token_hex(8)
        if status < 500:
            log.info("malformed HTTP request", reason=type(exc).__name__, address=request.remote, request_id=name)
            body = problem("invalid_request", "The request is not valid HTTP.", request_id=name)
            if isinstance(exc, LineTooLong) or (isinstance(exc, BadHttpMessage) and "Too many headers" in exc.message):
                body = _head_too_large(name)
        else:
            log.error("a request failed", status=status, exc_info=exc, request_id=name)
            body = problem("error", "The server failed to handle the request; the failure is logged.", request_id=name)
        response = problem_response(body, {**COMMON_HEADERS, "X-Frame-Options": "DENY", HEADER: name})
        response.headers["Server"] = "ari-bridge"  # in place of the versions of aiohttp and Python
        response.force_close()
        return response
