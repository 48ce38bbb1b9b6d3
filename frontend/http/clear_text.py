"""Refuses requests that cross a network without TLS: they carry passwords, tokens and calls.

The server listens without TLS beyond loopback only behind a proxy that has the certificate (TRUSTED_PROXIES; see
`Settings`). Who reaches it past that proxy gets no further.
"""

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from frontend.auth.client_addresses import ClientAddresses
from frontend.auth.proxies import is_loopback
from frontend.http.middleware import Handler
from frontend.http.problems import ProblemError

PROBED = frozenset({"/health", "/metrics"})
"""What load balancers, orchestrators and Prometheus ask directly."""

log = structlog.get_logger(__name__)


def clear_text_refused(addresses: ClientAddresses) -> Middleware:
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        peer = request.remote or ""
        if request.secure or request.path in PROBED or is_loopback(peer) or addresses.trusts(peer):
            return await handler(request)
        log.warning("request without TLS refused", address=peer)
        raise ProblemError("forbidden", "This port is for the proxy that has the certificate: use its https address.")

    return check
