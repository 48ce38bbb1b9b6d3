"""Who somebody is: passwords to tokens, tokens to users.

`Access` is the seam: everything that asks who somebody is asks here, and gets a user or a refusal.
"""

import asyncio
import os
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import jwt

from frontend.users import InvalidUser, Users, check_name

TRIES, TRIES_SECONDS = 10, 60.0
"""Failed sign-ins of one name or address until it must wait, and how long they count."""
TRIES_KEPT = 10_000


class Unauthorized(Exception):
    """Sign in first, or again; the text says why."""


class SlowDown(Exception):
    """Too many failed sign-ins; `retry_after` in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"Too many failed sign-ins: try again in {self.retry_after:.0f} s."


@dataclass(frozen=True)
class Session:
    token: str
    user: str
    expires_at: float  # Unix seconds


class Access:
    """With `required` False (loopback only) everybody is who they say."""

    def __init__(self, *, required: bool, users: Users, secret: str, lifetime: int) -> None:
        self.required = required
        self._users = users
        self._secret = secret
        self._lifetime = lifetime
        self._failures: OrderedDict[str, list[float]] = OrderedDict()

    async def sign_in(self, user: str, password: str, address: str) -> Session:
        """Raises Unauthorized, SlowDown, InvalidUser (a users file that cannot be read)."""
        keys = (f"user {user}", f"address {address}")
        for key in keys:
            self._check_tries(key)
        # Counted before the password is looked at: tries sent all at once must not slip by the limit together.
        tried_at = self._count_try(keys)
        if not await asyncio.to_thread(self._users.verify, user, password):
            raise Unauthorized("The user name or the password is wrong.")
        for key in keys:
            if tried_at in self._failures.get(key, ()):
                self._failures[key].remove(tried_at)
        self._failures.pop(f"user {user}", None)
        expires_at = time.time() + self._lifetime
        claims = {"sub": user, "exp": int(expires_at), "iat": int(time.time()), "jti": secrets.token_hex(8)}
        return Session(jwt.encode(claims, self._secret, algorithm="HS256"), user, expires_at)

    def user_of(self, token: str | None) -> str:
        """The user whose token this is. Raises Unauthorized."""
        if not token:
            raise Unauthorized("Sign in first: there is no token.")
        try:
            claims = jwt.decode(token, self._secret, algorithms=["HS256"], options={"require": ["exp", "sub"]})
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The token has expired: sign in again.") from None
        except jwt.InvalidTokenError:
            raise Unauthorized("The token is not valid: sign in again.") from None
        return str(claims["sub"])

    def identify(self, user: str, token: str | None) -> str:
        """Who wants to be `user`. Raises Unauthorized, InvalidUser."""
        check_name(user)
        if self.required and self.user_of(token) != user:
            raise Unauthorized("The token is another user's.")
        return user

    def of_request(self, authorization: str | None) -> str | None:
        """The user of an Authorization header; None where no sign-in is needed. Raises Unauthorized."""
        if not self.required:
            return None
        kind, _, token = (authorization or "").partition(" ")
        return self.user_of(token.strip() if kind.lower() == "bearer" else None)

    def _count_try(self, keys: tuple[str, ...]) -> float:
        now = time.monotonic()
        for key in keys:
            self._failures.setdefault(key, []).append(now)
            self._failures.move_to_end(key)
        while len(self._failures) > TRIES_KEPT:
            self._failures.popitem(last=False)
        return now

    def _check_tries(self, key: str) -> None:
        now = time.monotonic()
        recent = [at for at in self._failures.get(key, ()) if now - at < TRIES_SECONDS]
        if len(recent) >= TRIES:
            raise SlowDown(TRIES_SECONDS - (now - recent[0]))
        if recent:
            self._failures[key] = recent
        else:
            self._failures.pop(key, None)


def token_secret(path: Path) -> str:
    """The secret that signs tokens; made at the first start, mode 600. Raises InvalidUser where it is too short."""
    try:
        secret = path.read_text().strip()
    except FileNotFoundError:
        secret = secrets.token_urlsafe(48)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(secret + "\n")
    if len(secret) < 32:
        raise InvalidUser(f"{path}: the token secret has {len(secret)} characters, and needs 32. Delete the file.")
    return secret
