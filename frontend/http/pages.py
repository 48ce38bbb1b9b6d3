"""HTML pages: each response has a nonce of its own, which marks the styles that its policy lets in."""

import secrets

from aiohttp import web

from frontend.http.response_headers import CSP_NONCE

NONCE_PLACEHOLDER = "CSP_NONCE"
"""Where the nonce goes in a page; vite.config.ts writes it."""


def page_response(request: web.Request, html: str) -> web.Response:
    request[CSP_NONCE] = nonce = secrets.token_urlsafe(16)
    # The names of the assets change with their content; the page itself, with its nonce, is new each time.
    return web.Response(
        text=html.replace(NONCE_PLACEHOLDER, nonce),
        content_type="text/html",
        charset="utf-8",
        headers={"Cache-Control": "no-cache"},
    )
