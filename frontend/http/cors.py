"""Which pages may use the API and the WebSocket: CORS_ORIGIN, for both alike.

Enforced by `origins_checked` in `middleware.py`.
"""

import ipaddress
from urllib.parse import urlsplit

from frontend.auth.proxies import is_loopback

LOOPBACK = "loopback"


class Origins:
    """`allowed`: origins as browsers send them; `loopback` lets every origin on the own machine in.

    `sign_in`: whether sign-in is on; then a foreign page can do nothing, as it has no token.
    """

    def __init__(self, allowed: tuple[str, ...], *, sign_in: bool = False) -> None:
        self._allowed: set[str] = set()
        self._sign_in = sign_in
        self.use(allowed)

    def use(self, allowed: tuple[str, ...]) -> None:
        """Replace the allowed origins."""
        self._allowed = {origin.rstrip("/").lower() for origin in allowed}

    def allow(self, origin: str | None, host: str = "") -> bool:
        """`origin`: the header; None if the client, which is not a browser, sends none.

        `host` is the request's own Host header. A page that was served from our IP address is allowed; one that was
        served from a host name only if sign-in is on, as a foreign page can make its own host name resolve to us (DNS
        rebinding). With sign-in off CORS_ORIGIN must contain the name.
        """
        if origin is None:
            return True
        origin = origin.lower()
        if origin in self._allowed:
            return True
        try:
            parts = urlsplit(origin)
            name = parts.hostname or ""
        except ValueError:
            return False  # nothing that a browser sends
        if name and parts.netloc == host.lower() and (self._sign_in or _is_address(name)):
            return True
        return LOOPBACK in self._allowed and is_loopback(name)


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
