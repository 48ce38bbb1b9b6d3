"""What every HTTP response has in common: origins are checked, CORS headers are set, and errors become problems."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from msgspec.structs import replace

from ari_bridge.accounts import InvalidUser
from ari_bridge.errors import CallerError, CallFailed, Unavailable
from ari_bridge.fsm.call_data import cause_data
from frontend.auth.authenticator import Forbidden, SignInIncomplete, TooManyAttempts, Unauthorized
from frontend.auth.client_addresses import ClientAddresses
from frontend.http.cors import Origins
from frontend.http.problems import PROBLEM_TYPES, Problem, ProblemError, problem, problem_response
from frontend.http.request_ids import request_id

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ALLOWED = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Range, X-Request-Id"
_EXPOSED = "Content-Range, ETag, Idempotent-Replayed, Retry-After, X-Request-Id"
_MAX_LOGGED_CHARACTERS = 200

log = structlog.get_logger(__name__)


def json_response(data: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(data), status=status, content_type="application/json", charset="utf-8", headers=headers
    )


def origins_checked(origins: Origins, addresses: ClientAddresses | None = None) -> Middleware:
    """Lets the allowed origins in (also by CORS preflight), and tells the others why not."""

    asked = addresses or ClientAddresses()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if not origins.allow(origin, asked.host(request)):
            shown = (origin or "")[:_MAX_LOGGED_CHARACTERS]
            log.warning(
                "request from a foreign origin refused", origin=shown, path=request.path[:_MAX_LOGGED_CHARACTERS]
            )
            body = problem(
                "forbidden",
                f"Pages of {shown} may not use this server: CORS_ORIGIN does not list them.",
                request_id=request_id(request),
            )
            return problem_response(body)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: web.StreamResponse = web.Response(status=204)
        else:
            response = await handler(request)
        if origin is not None and not response.prepared:
            allow_origin(response, origin)
        return response

    return check


def allow_origin(response: web.StreamResponse, origin: str) -> None:
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE"
    response.headers["Access-Control-Allow-Headers"] = _ALLOWED
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    response.headers["Vary"] = "Origin"


@web.middleware
async def problem_responses(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as problem details, with what was wrong and which field."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        body, headers = _of_http(error, request)
    except Exception as error:
        body, headers = problem_of(error)
        if body.code == "error":
            log.exception("a request failed", method=request.method, path=request.path)
    return problem_response(replace(body, request_id=request_id(request)), headers)


def problem_of(error: Exception) -> tuple[Problem, dict[str, str]]:
    """The problem for the exception, and its headers. Everything unexpected is `error`."""
    match error:
        case ProblemError():
            body = problem(
                error.code, error.detail, field=error.field, call_id=error.call_id, retry_after=error.retry_after
            )
            return body, dict(error.headers)
        case CallFailed():
            body = problem(
                error.code,
                f"The call ended before there was an answer: {error.outcome.value}.",
                call_id=error.call_id,
                outcome=error.outcome,
                cause=cause_data(error.cause),
            )
            return body, {}
        case Unauthorized():
            return problem("unauthorized", str(error), field=getattr(error, "field", None)), {
                "WWW-Authenticate": "Bearer"
            }
        case SignInIncomplete():
            body = problem(error.code, str(error), challenge=error.challenge, methods=[*error.methods] or None)
            return body, {"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"}
        case Forbidden():
            return problem("forbidden", str(error)), {}
        case TooManyAttempts():
            return problem("too_many", str(error), retry_after=error.retry_after), {}
        case web.RequestPayloadError():
            detail = "The body cannot be read: it does not match Content-Encoding, or is truncated."
            return problem("invalid_request", detail), {}
        case InvalidUser():
            return problem(error.code, _sentence(str(error)), field=error.field), {}
        case CallerError() | Unavailable() if error.code in PROBLEM_TYPES:
            body = problem(
                error.code,
                str(error),
                field=getattr(error, "field", None),
                rule=getattr(error, "rule", None),
                call_id=getattr(error, "call_id", None),
                retry_after=getattr(error, "retry_after", None),
            )
            return body, {}
    return problem("error", "The server failed to handle the request; the failure is logged."), {}


def _sentence(text: str) -> str:
    """What is part of a line elsewhere, on its own."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _of_http(error: web.HTTPException, request: web.Request) -> tuple[Problem, dict[str, str]]:
    """The problem for one of aiohttp's own errors."""
    match error:
        case web.HTTPNotFound():
            return problem("not_found", f"There is nothing at {request.path[:200]}."), {}
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            detail = f"{request.path[:200]} does not take {request.method}, but {allowed}."
            return problem("method_not_allowed", detail), {"Allow": allowed}
        case web.HTTPRequestEntityTooLarge():
            return problem("too_large", error.text or "The body is too large."), {}
        case web.HTTPForbidden():
            return problem("forbidden", f"{request.path[:200]} may not be read."), {}
        case web.HTTPClientError():
            return problem("invalid_request", f"The request cannot be read: {error.text or error.reason}."), {}
    log.error("a request failed", method=request.method, path=request.path, status=error.status)
    return problem("error", "The server failed to handle the request; the failure is logged."), {}
