"""Where a page finds its own address (STUN) and a relay (TURN), with credentials that end by themselves.

The page is told no password that lasts: a TURN server with the same secret (coturn: `use-auth-secret`) computes
the credential from the user name, which says when it ends (draft-uberti-behave-turn-rest-00, section 2.2).
Knows no connection and no clock.
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
NOBODY = "page"
"""In the credentials of a page that is registered as nobody."""
RENEWED_AFTER = 0.75
"""Of the lifetime: a call that begins just before the end of the credentials still has a quarter of it."""
MOST = 16
"""Servers; browsers grow slow with more than a handful."""


def parse_servers(text: str) -> tuple[str, ...]:
    """URLs of RFC 7064 and RFC 7065, separated by commas. Raises ValueError, which says what is wrong with which."""
    urls = tuple(part.strip() for part in text.split(",") if part.strip())
    for url in urls:
        match = _URL.fullmatch(url)
        if match is None:
            raise ValueError(f"{url!r} is not stun:HOST[:PORT], turn:HOST[:PORT][?transport=udp|tcp] or turns:…")
        if match["port"] is not None and not 1 <= int(match["port"]) <= 65535:
            raise ValueError(f"{url!r} has no port from 1 to 65535")
        if match["transport"] and match["scheme"].startswith("stun"):
            raise ValueError(f"{url!r}: a stun: URL has no transport")
    if len(urls) > MOST:
        raise ValueError(f"there are {len(urls)}; at most {MOST} are taken")
    if twice := next((url for url in urls if urls.count(url) > 1), None):
        raise ValueError(f"{twice} is there twice")
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
    """What the TURN server lets in until then, whoever shows it."""
    username = f"{expires_at}:{user}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return Credentials(username, base64.b64encode(digest).decode(), expires_at)


@dataclass(frozen=True)
class IceServers:
    """What the settings say. `lifetime`: seconds that credentials last; `secret`: shared with the TURN servers."""

    urls: tuple[str, ...] = ()
    secret: str = ""
    lifetime: int = 86400

    def __repr__(self) -> str:
        return f"IceServers({self.urls!r})"  # not the secret

    @property
    def renewed_after(self) -> float:
        """Seconds after which a page is to be told anew."""
        return RENEWED_AFTER * self.lifetime

    def message(self, user: str | None, *, relay: bool, now: float) -> messages.IceServers | None:
        """What a page of `user` is told at `now` (Unix seconds); None where there is nothing to tell.

        `relay`: whether it may use the TURN servers, which cost their owner bandwidth.
        """
        stun = [url for url in self.urls if not is_turn(url)]
        turn = [url for url in self.urls if is_turn(url)] if relay else []
        servers = [messages.IceServer(stun)] if stun else []
        if not turn:
            return messages.IceServers(servers) if servers else None
        given = credentials(self.secret, user or NOBODY, int(now) + self.lifetime)
        servers.append(messages.IceServer(turn, given.username, given.password))
        return messages.IceServers(servers, given.expires_at)
