"""Headers that every response has, streams, files and the WebSocket's 101 included: what browsers may do with it."""

import re

from aiohttp import web

from frontend.auth.client_addresses import ClientAddresses, host_name
from frontend.auth.proxies import is_loopback

COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""A handler that sets one itself knows better: assets and pages may be cached."""
_HSTS = "max-age=31536000"
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}(:[0-9]{1,5})?")


def content_security_policy(host: str, *, secure: bool) -> str:
    """The policy of a page that was opened at `host`. `secure`: we serve TLS, so no proxy in front of us does."""
    connect = "'self'"
    if _HOST.fullmatch(host):  # older browsers do not count the WebSocket's origin as 'self'
        connect += f" wss://{host}" if secure else f" ws://{host} wss://{host}"
    return (
        f"default-src 'self'; connect-src {connect}; img-src 'self' data:; media-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def add_response_headers(app: web.Application, addresses: ClientAddresses | None = None) -> None:
    """Add the headers to all responses of `app`."""
    clients = addresses or ClientAddresses()

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers.popall("Server", None)  # names aiohttp and Python with their versions
        for name, value in COMMON_HEADERS.items():
            headers.setdefault(name, value)
        host = clients.host(request)
        headers.setdefault("Content-Security-Policy", content_security_policy(host, secure=request.secure))
        if request.secure and not is_loopback(host_name(host)):
            headers.setdefault("Strict-Transport-Security", _HSTS)

    app.on_response_prepare.append(add)
