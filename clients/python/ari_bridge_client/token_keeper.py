"""The token of a client that runs for days: renewed before it ends, and another one where the server takes it no more.

How it is known when a token ends is `renew_in`, which is pure.
"""

import asyncio
import base64
import binascii
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ari_bridge_client.errors import ClientError, ConnectionFailed, Refused
from ari_bridge_client.models import Session

TokenProvider = Callable[[], Awaitable[str]]
"""Gives another token, where the one before has ended, or will soon."""
RENEW_SECONDS = 60.0
"""So long before its end a token is renewed; one that holds for less than two minutes after half of its time."""
RETRY_SECONDS = 10.0
log = logging.getLogger(__name__)


def renew_in(token: str | None, now: float | None = None) -> float | None:
    """Seconds until a token (JWT, RFC 7519) is to be renewed; None: it does not end, or does not say when.

    `now`: Unix seconds; None: the token was made at this moment, whatever the clock here shows.
    """
    try:
        payload = (token or "").split(".")[1]
        claims: Any = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        lasts = float(claims["exp"]) - float(claims["iat"] if now is None else now)
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, msgspec.MsgspecError):
        return None
    return max(0.0, lasts - min(RENEW_SECONDS, lasts / 2))


class TokenKeeper:
    """`post`: sends one request to a path, and gives the body of the answer; raises Problem, ConnectionFailed."""

    def __init__(
        self, token: str | None, provider: TokenProvider | None, post: Callable[[str, Any], Awaitable[bytes]]
    ) -> None:
        self._provider = provider
        self._post = post
        self._password: tuple[str, str] | None = None
        self._asking = asyncio.Lock()
        self._due: float | None = None  # by time.monotonic()
        self._refused: str | None = None  # the token in whose place there is no other
        self._use(token, time.time())

    @property
    def token(self) -> str | None:
        return self._token

    @token.setter
    def token(self, token: str | None) -> None:
        self._use(token, time.time())

    @property
    def due_in(self) -> float | None:
        """Seconds until `keep` has something to do; None: nothing, with this token."""
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    async def sign_in(self, user: str, password: str) -> Session:
        """Raises Problem, ConnectionFailed."""
        session = self._take(await self._post("/session", {"user": user, "password": password}))
        self._password = (user, password)
        return session

    async def renew(self) -> Session:
        """Another token for the one that still holds. Raises Problem, ConnectionFailed."""
        return self._take(await self._post("/session/renew", {}))

    async def keep(self) -> None:
        """Renews the token where it is time; who has a token that is not renewed gets another one, if there is a way.

        Raises nothing: the token may hold still.
        """
        if self.due_in != 0.0 or self._asking.locked():
            return
        self._due = time.monotonic() + RETRY_SECONDS
        try:
            await self.renew()
        except Refused as error:
            if error.code != "unauthorized":
                return
            self._due = None
            try:
                await self.again(self._token)
            except ClientError:
                self._due = time.monotonic() + RETRY_SECONDS
        except ClientError:
            pass

    async def again(self, refused: str | None) -> bool:
        """Whether there is another token than the `refused` one. Raises ClientError where it cannot be told now."""
        async with self._asking:
            if self._token != refused:
                return True  # somebody else asked at the same time
            if refused is not None and refused == self._refused:
                return False
            another = await self._another()
            if not another:
                self._refused, self._due = refused, None
            return another

    async def _another(self) -> bool:
        if self._password is not None:
            try:
                await self.sign_in(*self._password)
            except Refused as error:
                if error.code == "unauthorized":
                    return False
                raise
            return True
        if self._provider is None:
            return False
        before = self._token
        try:
            self.token = await self._provider()
        except ClientError:
            raise
        except Exception:
            log.exception("no other token came from the token provider")
            return False
        return self._token != before

    def _take(self, body: bytes) -> Session:
        try:
            session = msgspec.json.decode(body, type=Session)
        except msgspec.MsgspecError as error:
            raise ConnectionFailed("/session", f"the answer is not understood: {error}") from error
        self._use(session.token, None)
        return session

    def _use(self, token: str | None, now: float | None) -> None:
        """`now` as in `renew_in`."""
        self._token = token
        seconds = renew_in(token, now)
        self._due = None if seconds is None else time.monotonic() + seconds
