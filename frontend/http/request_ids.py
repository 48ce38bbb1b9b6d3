"""`X-Request-Id`: an id for each request, in its response and in every log line that it causes.

It is kept in structlog's context variables, which a task inherits from the one that started it. So the log lines of a
call contain the request that placed it, and those of a WebSocket the request that opened it.
"""

import re
import secrets

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

HEADER = "X-Request-Id"
LOGGED_AS = "request_id"

_SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEY = web.RequestKey("request_id", str)


def request_id(request: web.Request) -> str:
    """The client's id if it is valid, else a new one. The same for the whole request."""
    found = request.get(_KEY)
    if found is None:
        given = request.headers.get(HEADER, "")
        found = given if _SANE.fullmatch(given) else secrets.token_hex(8)
        request[_KEY] = found
    return found


@web.middleware
async def request_named(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost one: what the others log has the name too."""
    with structlog.contextvars.bound_contextvars(**{LOGGED_AS: request_id(request)}):
        return await handler(request)


async def name_answer(request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: it comes with every answer, streams, files and the WebSocket's 101 included."""
    response.headers[HEADER] = request_id(request)


def name_requests(app: web.Application) -> None:
    """All requests of the app."""
    app.middlewares.insert(0, request_named)
    app.on_response_prepare.append(name_answer)
