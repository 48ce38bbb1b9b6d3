"""Which pages may use the API and the WebSocket: CORS_ORIGIN, for both alike."""

import ipaddress
from urllib.parse import urlsplit

from frontend.settings import is_loopback

LOOPBACK = "loopback"


class Origins:
    """`allowed`: origins as browsers send them; `loopback` lets every origin on the own machine in."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        self._allowed = {origin.rstrip("/").lower() for origin in allowed}

    def allow(self, origin: str | None, host: str = "") -> bool:
        """`origin`: the header, None where a client that is no browser sends none.

        `host` is the request's own Host header: a page that we served by address may talk to us. By name
        it may not, unless CORS_ORIGIN has it: a foreign page can make its own name resolve to us.
        """
        if origin is None:
            return True
        origin = origin.lower()
        if origin in self._allowed:
            return True
        parts = urlsplit(origin)
        if parts.netloc == host.lower() and _is_address(parts.hostname or ""):
            return True
        return LOOPBACK in self._allowed and is_loopback(parts.hostname or "")


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
