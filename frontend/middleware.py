"""What every HTTP answer has in common: who may ask, how errors look, safe headers."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from ari_bridge.errors import CallerError, CallFailed, Unavailable
from frontend.auth import SlowDown, Unauthorized
from frontend.origins import Origins
from frontend.users import InvalidUser

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUSES = {"unknown_call": 404, "wrong_state": 409, "too_many": 429}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; "
    "media-src 'self' blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'",
}

log = structlog.get_logger(__name__)


def json_response(data: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(data), status=status, content_type="application/json", charset="utf-8", headers=headers
    )


def error_response(
    status: int, code: str, message: str, *, headers: dict[str, str] | None = None, **more: Any
) -> web.Response:
    """`{"error": {code, message, ...}}`; what is None in `more` is left out."""
    error = {"code": code, "message": message} | {name: value for name, value in more.items() if value is not None}
    return json_response({"error": error}, status=status, headers=headers)


def origins_checked(origins: Origins) -> Middleware:
    """Lets the allowed origins in (also by CORS preflight), and tells the others why not."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if not origins.allow(origin, request.host):
            log.warning("a foreign origin was refused", origin=origin, path=request.path)
            return error_response(
                403, "forbidden", f"Pages of {origin} may not use this server: CORS_ORIGIN does not list them."
            )
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
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Last-Event-ID"
    response.headers["Vary"] = "Origin"


@web.middleware
async def errors_told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as JSON, with what was wrong and which field."""
    try:
        response = await handler(request)
    except CallerError as error:
        response = error_response(_STATUSES.get(error.code, 400), error.code, str(error), field=error.field)
    except CallFailed as error:
        cause = {"q850": error.cause.q850, "sip": error.cause.sip, "text": error.cause.text}
        response = error_response(
            502, error.code, str(error), callId=error.call_id, outcome=error.outcome.value, cause=cause
        )
    except Unavailable as error:
        headers = {"Retry-After": f"{max(1, round(error.retry_after))}"}
        response = error_response(503, error.code, str(error), headers=headers, retryAfter=error.retry_after)
    except Unauthorized as error:
        response = error_response(401, "unauthorized", str(error), headers={"WWW-Authenticate": "Bearer"})
    except SlowDown as error:
        headers = {"Retry-After": f"{error.retry_after:.0f}"}
        response = error_response(429, "too_many", str(error), headers=headers, retryAfter=error.retry_after)
    except InvalidUser as error:
        response = error_response(400, "invalid_request", str(error), field="user")
    except web.HTTPRequestEntityTooLarge as error:
        response = error_response(413, "too_large", error.text or "The body is too large.")
    except web.HTTPNotFound:
        response = error_response(404, "not_found", f"There is nothing at {request.path}.")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        message = f"{request.path} does not take {request.method}, but {allowed}."
        response = error_response(405, "method_not_allowed", message, headers={"Allow": allowed})
    except web.HTTPException:
        raise
    except Exception:
        log.exception("a request failed", method=request.method, path=request.path)
        response = error_response(500, "error", "The server failed at this request; it is logged.")
    return response


@web.middleware
async def headers_set(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
    return response
