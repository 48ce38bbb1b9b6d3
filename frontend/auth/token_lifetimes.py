"""How long tokens last. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TokenLifetimes:
    """Seconds.

    Args:
        access: Of an access token.
        refresh: Of a session, however often it is refreshed.
        refresh_idle: After which a session that was not refreshed ends.
    """

    access: float = 900.0
    refresh: float = 7 * 86400.0
    refresh_idle: float = 86400.0
