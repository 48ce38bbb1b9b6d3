"""The STUN and TURN servers of a page, with time-limited TURN credentials. Pure: the time is a parameter.

A page never gets a permanent password: a TURN server with the same secret (coturn: `use-auth-secret`) computes the
credential from the user name, which contains the expiry time (draft-uberti-behave-turn-rest-00, section 2.2).
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from ari_bridge_protocol import messages

_URL = re.compile(
    r"(?P<scheme>stuns?|turns?):"
    r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
    r"(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
ANONYMOUS_USER = "page"
"""In the credentials of a page that is not registered."""
RENEWED_AFTER = 0.75
"""Share of the lifetime after which credentials are renewed: a call that starts just before has a quarter left."""
MAX_SERVERS = 16
"""Browsers gather candidates slowly with more than a handful."""


def parse_servers(text: str) -> tuple[str, ...]:
    """Comma-separated URLs (RFC 7064, RFC 7065). Raises ValueError, which names the URL and what is wrong with it."""
    urls = tuple(part.strip() for part in text.split(",") if part.strip())
    for url in urls:
        match = _URL.fullmatch(url)
        if match is None:
            raise ValueError(f"{url!r} is not stun:HOST[:PORT], turn:HOST[:PORT][?transport=udp|tcp] or turns:…")
        if match["port"] is not None and not 1 <= int(match["port"]) <= 65535:
            raise ValueError(f"{url!r}: the port must be from 1 to 65535")
        if match["transport"] and match["scheme"].startswith("stun"):
            raise ValueError(f"{url!r}: a stun: URL has no transport")
    if len(urls) > MAX_SERVERS:
        raise ValueError(f"{len(urls)} servers; at most {MAX_SERVERS} are allowed")
    if duplicate := next((url for url in urls if urls.count(url) > 1), None):
        raise ValueError(f"duplicate server {duplicate}")
    return urls


def is_turn(url: str) -> bool:
    return url.startswith("turn")


@dataclass(frozen=True)
class Credentials:
    """For one user; `expires_at`: Unix seconds."""

    username: str
    password: str
    expires_at: int


def credentials(secret: str, user: str, expires_at: int) -> Credentials:
    """Credentials that the TURN server accepts until `expires_at`, from anybody who has them."""
    username = f"{expires_at}:{user}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return Credentials(username, base64.b64encode(digest).decode(), expires_at)


@dataclass(frozen=True)
class IceServers:
    """The configured servers. `lifetime`: of the credentials, in seconds; `secret`: shared with the TURN servers."""

    urls: tuple[str, ...] = ()
    secret: str = ""
    lifetime: int = 86400

    def __repr__(self) -> str:
        return f"IceServers({self.urls!r})"  # not the secret

    @property
    def renewed_after(self) -> float:
        """Seconds after which a page is sent new credentials."""
        return RENEWED_AFTER * self.lifetime

    def message(self, user: str | None, *, relay: bool, now: float) -> messages.IceServers | None:
        """The message for a page of `user`; None if there are no servers for it.

        Args:
            user: Who is registered; None before that.
            relay: Whether the page may use the TURN servers, which cost their operator bandwidth.
            now: Unix seconds.
        """
        stun = [url for url in self.urls if not is_turn(url)]
        turn = [url for url in self.urls if is_turn(url)] if relay else []
        servers = [messages.IceServer(stun)] if stun else []
        if not turn:
            return messages.IceServers(servers) if servers else None
        given = credentials(self.secret, user or ANONYMOUS_USER, int(now) + self.lifetime)
        servers.append(messages.IceServer(turn, given.username, given.password))
        return messages.IceServers(servers, given.expires_at)
