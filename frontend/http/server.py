"""The HTTP server: limits of requests, and the problem that is returned if a request cannot be parsed.

aiohttp answers such a request with the bytes it stumbled over, cookies and tokens among them, and logs them.
"""

import asyncio
import secrets
from typing import Any, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.web_protocol import RequestHandler
from msgspec.structs import replace

from frontend.http.problems import problem, problem_response
from frontend.http.request_ids import HEADER
from frontend.http.response_headers import COMMON_HEADERS

MAX_HEADER_BYTES = 32 * 1024
"""The longest header, and the longest address. Beside other applications on the same host a browser brings along all
their cookies: some kilobytes are usual.
"""
MAX_HEADERS = 256
SHUTDOWN_TIMEOUT_S = 2.0
"""How long open requests may go on when the server ends."""

log = structlog.get_logger(__name__)


class Runner(web.AppRunner):
    """Serves an application, by a site such as `web.TCPSite`."""

    def __init__(self, app: web.Application) -> None:
        self._limits: dict[str, Any] = {
            "access_log": None,
            "max_line_size": MAX_HEADER_BYTES,
            "max_field_size": MAX_HEADER_BYTES,
            "max_headers": MAX_HEADERS,
        }
        super().__init__(app, shutdown_timeout=SHUTDOWN_TIMEOUT_S, handle_signals=False, **self._limits)

    @property
    def server(self) -> web.Server | None:
        """The factory of a protocol for each connection, which is all that a site uses of it."""
        made = super().server
        if made is None:
            return None
        loop = asyncio.get_running_loop()
        return cast(web.Server, lambda: _Protocol(made, loop=loop, **self._limits))


class _Protocol(RequestHandler):
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
                detail = "The request is too large: a header (such as the cookies), the URL, or the number of headers."
                body = replace(problem("too_large", detail, request_id=name), status=431)
        else:
            log.error("a request failed", status=status, exc_info=exc, request_id=name)
            body = problem("error", "The server failed to handle the request; the failure is logged.", request_id=name)
        response = problem_response(body, {**COMMON_HEADERS, "X-Frame-Options": "DENY", HEADER: name})
        response.headers["Server"] = "ari-bridge"  # in place of the versions of aiohttp and Python
        response.force_close()
        return response
