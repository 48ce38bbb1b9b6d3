"""The end of a token on an open WebSocket. A client sends `authenticate` with the next one in time, or is disconnected.

A client that has resumed its calls with a token that had expired already keeps them as long as they last, and starts
nothing new: only what has to do with them is allowed (`connection.py`).
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

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


class Authenticated(Protocol):
    """Who holds a token. `lives_for_calls`: is needed without one, for its calls."""

    principal: Principal

    @property
    def lives_for_calls(self) -> bool: ...


class TokenExpiry:
    """One connection's. `end`: ends it, for a reason."""

    def __init__(self, connection: Authenticated, end: Callable[[str], None]) -> None:
        self._connection = connection
        self._end = end
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """From now on, and again whenever the principal has another token."""
        self.stop()
        ends_at = self._connection.principal.expires_at
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
        if not _has_expired(self._connection.principal) or self._connection.lives_for_calls:
            self.watch()
        else:
            self._end("The token has expired, and no other one was sent: sign in again.")
