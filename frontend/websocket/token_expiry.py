"""The end of a token on an open WebSocket. A client sends `authenticate` with the next one in time, or is disconnected.

A client that owns calls keeps the connection as long as they last, and starts nothing new: only what has to do with
them is allowed (`connection.py`). The same applies to one that has resumed its calls with a token that had expired.
"""

import asyncio
import time
from typing import Protocol

from frontend.auth.authenticator import CLOCK_LEEWAY_S, Unauthorized
from frontend.auth.principal import Principal

RECHECK_S = 5.0
"""Seconds until a connection that was let live is looked at again, and after a step of the system's clock."""
_EXPIRED = "The token has expired, and no other one was sent: sign in again."


def check_expiry(principal: Principal) -> None:
    """Raises Unauthorized if the token has expired."""
    if has_expired(principal):
        raise Unauthorized("The token has expired: send authenticate with another one.")


def has_expired(principal: Principal) -> bool:
    return principal.expires_at is not None and time.time() >= principal.expires_at + CLOCK_LEEWAY_S


class Authenticated(Protocol):
    """A connection, and who holds the token."""

    principal: Principal

    @property
    def owns_calls(self) -> bool: ...

    def lapse(self) -> None:
        """Nothing new begins, until there is another token."""

    def end_sign_in(self, reason: str) -> None:
        """Close."""


class TokenExpiry:
    """One connection's."""

    def __init__(self, connection: Authenticated) -> None:
        self._connection = connection
        self._lapsed = False
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """From now on, and again whenever the principal has another token."""
        self._lapsed = False
        self._wait()

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self.stop()
        ends_at = self._connection.principal.expires_at
        if ends_at is None and not self._lapsed:
            return
        wait = 0.0 if ends_at is None or self._lapsed else ends_at + CLOCK_LEEWAY_S - time.time()
        # The clock may be set meanwhile: not all of it at once.
        after = RECHECK_S if self._lapsed else min(max(wait, 0.0) + 0.1, max(RECHECK_S, wait / 2))
        self._timer = asyncio.get_running_loop().call_later(after, self._check)

    def _check(self) -> None:
        if self._lapsed or has_expired(self._connection.principal):
            if not self._connection.owns_calls:
                return self._connection.end_sign_in(_EXPIRED)
            if not self._lapsed:
                self._lapsed = True
                self._connection.lapse()
        self._wait()
