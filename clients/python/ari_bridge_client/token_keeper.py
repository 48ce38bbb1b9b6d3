"""The token of a client that runs for days: refreshed before it expires, and replaced when the server rejects it.

A sign-in gives a refresh token beside the token, which is good for one use: the response has the next one. A refresh
whose response was lost is repeated as the same attempt, which the server does not take for a second use.

When a token is to be renewed `renew_in` says, which is pure.
"""

import asyncio
import base64
import binascii
import logging
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ari_bridge_client.api_models import SessionData
from ari_bridge_client.errors import ClientError, ConnectionFailed, Problem, Refused

TokenProvider = Callable[[], Awaitable[str]]
"""Returns another token, when the one before has expired, or will soon."""
RENEW_BEFORE_S = 60.0
"""Before its expiry a token is renewed; one that is valid for less than two minutes, after half of its time."""
RETRY_INTERVAL_S = 10.0
JITTER = 0.1
"""Of the time until then, at most, by which it is done earlier: many clients do not come at once."""
log = logging.getLogger(__name__)


def renew_in(token: str | None, now: float | None = None) -> float | None:
    """Seconds until a token (JWT, RFC 7519) is to be renewed; None: it does not expire, or does not say when.

    Args:
        token: The token.
        now: Unix seconds. None: the token was issued at this moment, whatever the clock here says.
    """
    try:
        payload = (token or "").split(".")[1]
        claims: Any = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        remaining = float(claims["exp"]) - float(claims["iat"] if now is None else now)
    except (IndexError, KeyError, TypeError, ValueError, binascii.Error, msgspec.MsgspecError):
        return None
    return max(0.0, remaining - min(RENEW_BEFORE_S, remaining / 2))


class TokenKeeper:
    """Holds the current token.

    Args:
        token: The first token, if there is one.
        provider: Asked for another one.
        post: Sends a body to a path, as an attempt of that name if it has one, and returns the body of the response.
            Raises Problem, ConnectionFailed.
    """

    def __init__(
        self, token: str | None, provider: TokenProvider | None, post: Callable[[str, Any, str], Awaitable[bytes]]
    ) -> None:
        self._provider = provider
        self._post = post
        self._password: tuple[str, str] | None = None
        self._refresh_token: str | None = None
        self._attempt = ""
        self._replacing = asyncio.Lock()
        self._due: float | None = None  # by time.monotonic()
        self._rejected: str | None = None  # a token that cannot be replaced
        self._use(token, time.time())

    @property
    def token(self) -> str | None:
        return self._token

    @token.setter
    def token(self, token: str | None) -> None:
        self._refresh_token = None
        self._use(token, time.time())

    @property
    def due_in(self) -> float | None:
        """Seconds until the token is to be renewed; None: never."""
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    async def sign_in(self, user: str, password: str) -> SessionData:
        """Sign in, and use the token. Raises Problem, ConnectionFailed."""
        session = self._use_session(await self._post("/session", {"user": user, "password": password}, ""))
        self._password = (user, password)
        return session

    async def choose_password(self, challenge: str, new: str) -> SessionData:
        """Complete a sign-in that requires another password. Raises Problem, ConnectionFailed."""
        body = {"challenge": challenge, "newPassword": new}
        session = self._use_session(await self._post("/session/password", body, ""))
        self._password = (session.user, new)
        return session

    async def give_second_factor(self, challenge: str, code: str) -> SessionData:
        """Complete a sign-in that requires a second factor. Raises Problem, ConnectionFailed."""
        body = {"challenge": challenge, "code": code}
        return self._use_session(await self._post("/session/second-factor", body, ""))

    async def refresh(self) -> SessionData | None:
        """Get another token by the refresh token; None if there is none. Raises Problem, ConnectionFailed."""
        presented = self._refresh_token
        if presented is None:
            return None
        self._attempt = self._attempt or str(uuid.uuid4())
        try:
            body = await self._post("/session/refresh", {"refreshToken": presented}, self._attempt)
        except Refused as error:
            if error.code == "unauthorized" and self._refresh_token == presented:
                self._refresh_token = None
            raise
        return self._use_session(body)

    def forget(self) -> None:
        """There is no token, and no way to get one, until the next sign-in."""
        self._password = self._provider = None
        self.token = None

    async def renew_if_due(self) -> None:
        """Renew the token if it is due, or replace it if that fails. Raises nothing: it may still be valid."""
        if self.due_in != 0.0 or self._replacing.locked():
            return
        self._due = time.monotonic() + RETRY_INTERVAL_S
        try:
            if await self.refresh() is None:
                await self._replace_early()
        except Refused as error:
            if error.code == "unauthorized":
                await self._replace_early()
        except ClientError:
            pass

    async def _replace_early(self) -> None:
        """The token is still valid: if there is no other one now, it is asked for when this one is rejected."""
        self._due = None
        try:
            await self.replace(self._token)
        except ClientError:
            self._due = time.monotonic() + RETRY_INTERVAL_S

    async def replace(self, rejected: str | None) -> bool:
        """Whether there is another token than the `rejected` one. Raises ClientError if that is not known now."""
        async with self._replacing:
            if self._token != rejected:
                return True  # another task has replaced it meanwhile
            if rejected is not None and rejected == self._rejected:
                return False
            replaced = await self._replace()
            if not replaced:
                self._rejected, self._due = rejected, None
            return replaced

    async def _replace(self) -> bool:
        if self._refresh_token is not None:
            try:
                await self.refresh()
            except Refused as error:
                if error.code != "unauthorized":
                    raise
            else:
                return True
        if self._password is not None:
            try:
                await self.sign_in(*self._password)
            except Problem as error:
                if error.status == 401:
                    return False  # a wrong password, or more than the password is required
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
            log.exception("the token provider has failed")
            return False
        return self._token != before

    def _use_session(self, body: bytes) -> SessionData:
        try:
            session = msgspec.json.decode(body, type=SessionData)
        except msgspec.MsgspecError as error:
            raise ConnectionFailed("/session", f"the response is not understood: {error}") from error
        self._refresh_token, self._attempt = session.refresh_token, ""
        self._use(session.token, None)
        return session

    def _use(self, token: str | None, now: float | None) -> None:
        """`now` as in `renew_in`."""
        self._token = token
        seconds = renew_in(token, now)
        self._due = None if seconds is None else time.monotonic() + seconds * (1 - JITTER * random.random())
