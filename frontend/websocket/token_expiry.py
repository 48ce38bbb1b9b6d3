"""The end of a token on an open WebSocket. A client sends `authenticate` with the next one in time, or is disconnected.

A client that has resumed its calls with a token that had expired already keeps them as long as they last, and starts
nothing new: only what has to do with them is allowed (`connection.py`).
"""

import asyncio
import time
from collections.abc import Callable

from frontend.auth.authenticator import CLOCK_LEEWAY_S, Unauthorized
from frontend.auth.principal import Principal

RECHECK_S = 30.0
"""Seconds until a connection that was let live is looked at again, and after a step of the system's clock."""


def check_expiry(principal: Principal) -> None:
    """Raises Unauthorized if the token has expired."""
    if _has_expired(principal):
        raise Unauthorized("The token has expired: send authenticate with another one.")


def _has_expired(principal: Principal) -> bool:
    return principal.expires_at is not None and time.time() >= principal.expires_at + CLOCK_LEEWAY_S


class TokenExpiry:
    """One connection's.

    Args:
        principal: Who is connected, now.
        is_needed: Whether the connection goes on without a token, for its calls.
        end: Ends it, for a reason.
    """

    def __init__(
        self, principal: Callable[[], Principal], is_needed: Callable[[], bool], end: Callable[[str], None]
    ) -> None:
        self._principal = principal
        self._is_needed = is_needed
        self._end = end
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """From now on, and again whenever the principal has another token."""
        self.stop()
        ends_at = self._principal().expires_at
        if ends_at is not None:
            wait = ends_at + CLOCK_LEEWAY_S - time.time()
            # The clock may be set meanwhile: not all of it at once.
            after = RECHECK_S if wait <= 0 else min(wait + 0.1, max(RECHECK_S, wait / 2))
            self._timer = asyncio.get_running_loop().call_later(after, self._check)

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        if not _has_expired(self._principal()) or self._is_needed():
            self.watch()
        else:
            self._end("The token has expired, and no other one was sent: sign in again.")
