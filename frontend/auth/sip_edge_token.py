"""The token of the SIP edge: it opens the credentials of users, and nothing else; no token of a user is one."""

from hmac import compare_digest

from aiohttp import web


class SipEdgeToken:
    """`token`: SIP_EDGE_TOKEN; "": there is no edge, and no request has it."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode() if token else b""

    def is_in(self, request: web.Request) -> bool:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        return bool(self._expected) and compare_digest(given, self._expected)
