"""Headers that every response has, streams, files and the WebSocket's 101 included: what browsers may do with it."""

import re
from collections.abc import Sequence

from aiohttp import web

from frontend.auth.client_addresses import ClientAddresses, host_name
from frontend.auth.proxies import is_loopback

COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), display-capture=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""A handler that sets one itself knows better: assets and pages may be cached."""
CSP_NONCE = web.RequestKey("csp_nonce", str)
"""Of a request for a page: what marks the style elements that its components may add."""
_HSTS = "max-age=31536000"
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}(:[0-9]{1,5})?")


def content_security_policy(host: str, *, secure: bool, embed_origins: Sequence[str] = (), nonce: str = "") -> str:
    """The policy of a page that was opened at `host`.

    Args:
        host: Of the request, with the port.
        secure: We serve TLS, so no proxy in front of us does.
        embed_origins: Whose pages may show ours in a frame.
        nonce: Of the style elements that the page's components add; "" if there are none.
    """
    connect = "'self'"
    if _HOST.fullmatch(host):  # older browsers do not count the WebSocket's origin as 'self'
        connect += f" wss://{host}" if secure else f" ws://{host} wss://{host}"
    style = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    ancestors = " ".join(("'self'", *embed_origins)) if embed_origins else "'none'"
    return (
        f"default-src 'self'; connect-src {connect}; img-src 'self' data:; media-src 'self' blob:; "
        f"style-src {style}; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )


def add_response_headers(
    app: web.Application, addresses: ClientAddresses | None = None, embed_origins: Sequence[str] = ()
) -> None:
    """Add the headers to all responses of `app`. `embed_origins`: see `content_security_policy`."""
    clients = addresses or ClientAddresses()

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers.popall("Server", None)  # names aiohttp and Python with their versions
        for name, value in COMMON_HEADERS.items():
            headers.setdefault(name, value)
        host = clients.host(request)
        policy = content_security_policy(
            host, secure=request.secure, embed_origins=embed_origins, nonce=request.get(CSP_NONCE, "")
        )
        headers.setdefault("Content-Security-Policy", policy)
        if not embed_origins:  # it has no way to name some
            headers.setdefault("X-Frame-Options", "DENY")
        if request.secure and not is_loopback(host_name(host)):
            headers.setdefault("Strict-Transport-Security", _HSTS)

    app.on_response_prepare.append(add)
