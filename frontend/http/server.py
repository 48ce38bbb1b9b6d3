"""How HTTP is spoken: what a request may be, and what is told where it cannot be read at all.

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
        """What makes a protocol for each connection; that is all that a site asks of it."""
        made = super().server
        if made is None:
            return None
        loop = asyncio.get_running_loop()
        return cast(web.Server, lambda: _Protocol(made, loop=loop, **self._limits))


class _Protocol(RequestHandler):
    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what never came to a handler, or made one fail that tells errors itself."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of the answer is sent already")
        name = secrets.token_hex(8)
        if status < 500:
            log.info("malformed HTTP request", reason=type(exc).__name__, address=request.remote, request_id=name)
            told = problem("invalid_request", "The request is not valid HTTP.", request_id=name)
            if isinstance(exc, LineTooLong) or (isinstance(exc, BadHttpMessage) and "Too many headers" in exc.message):
                detail = "The request is too large: a header (the cookies are one), the address, or their number."
                told = replace(problem("too_large", detail, request_id=name), status=431)
        else:
            log.error("a request failed", status=status, exc_info=exc, request_id=name)
            told = problem("error", "The server failed to handle the request; the failure is logged.", request_id=name)
        response = problem_response(told, {**COMMON_HEADERS, HEADER: name})
        response.headers["Server"] = "ari-bridge"  # in place of the versions of aiohttp and Python
        response.force_close()
        return response
