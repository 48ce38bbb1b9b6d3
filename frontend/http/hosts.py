"""Which names the server may be asked by, if nobody signs in.

Without sign-in whoever reaches the server may do everything, so only programs on this machine may reach it. A proxy or
tunnel would let others in, and so would a page whose name is made to resolve to this machine (DNS rebinding): both
show in the headers of the request.
"""

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from frontend.auth.client_addresses import host_name, is_forwarded
from frontend.auth.proxies import is_loopback
from frontend.http.middleware import Handler
from frontend.http.problems import ProblemError

_CURE = "Set ENABLE_AUTHENTICATION=true and add users, or open the server at 127.0.0.1 or localhost."
_MAX_LOGGED_CHARACTERS = 100

log = structlog.get_logger(__name__)


def hosts_checked(*, sign_in: bool) -> Middleware:
    """Refuses what comes by way of a proxy or by a foreign name. `sign_in`: nobody is refused."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if sign_in:
            return await handler(request)
        if not is_loopback(host_name(request.host).rstrip(".").lower()):
            log.warning("request for a foreign host refused", host=request.host[:_MAX_LOGGED_CHARACTERS])
            raise ProblemError(
                "forbidden", f"Without sign-in this server is for its own machine, and not by this name. {_CURE}"
            )
        if is_forwarded(request.headers):
            log.warning("request through a proxy refused")
            raise ProblemError(
                "forbidden", f"Without sign-in this server is for its own machine, and not for a proxy. {_CURE}"
            )
        return await handler(request)

    return check
