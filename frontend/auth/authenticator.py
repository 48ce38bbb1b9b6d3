"""Who somebody is: passwords to tokens, tokens to users.

`Authenticator` is the seam: everything that asks who somebody is asks here, and gets a user or a refusal.
"""

import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import structlog
from jwt.types import Options

from ari_bridge import atomic_file
from frontend.auth.sign_ins import SignIns, TooManyAttempts
from frontend.auth.users import InvalidUser, Users, check_name
from frontend.http.problems import ProblemError

__all__ = ["Authenticator", "AuthSession", "TooManyAttempts", "Unauthorized", "token_secret"]

CLOCK_LEEWAY_S = 120.0
"""Seconds by which the clocks of two machines may differ, or ours be set: no sign-in is refused for it."""

MAX_RENEWAL_AGE_S = 7 * 86400.0
"""So long after the password was given a token may be renewed by a token."""

log = structlog.get_logger(__name__)


class Unauthorized(Exception):
    """Sign in first, or again; the text says why."""


@dataclass(frozen=True)
class AuthSession:
    token: str
    user: str
    expires_at: float  # Unix seconds


class Authenticator:
    """With `required` False (loopback only) everybody is who they say."""

    def __init__(self, *, required: bool, users: Users, secret: str, lifetime: int) -> None:
        self.required = required
        self._users = users
        self._secret = secret
        self._lifetime = lifetime
        self._sign_ins = SignIns(users.verify)

    def use_secret(self, secret: str) -> None:
        """Another one from now on; tokens of the one before are worth nothing."""
        self._secret = secret

    async def sign_in(self, user: str, password: str, address: str) -> AuthSession:
        """`address`: the client's.

        Raises Unauthorized, TooManyAttempts, ProblemError (the users file cannot be read).
        """
        try:
            right = await self._sign_ins.check(user, password, address)
        except (InvalidUser, OSError) as error:
            log.error("nobody can sign in: the users file cannot be read", reason=str(error))
            raise ProblemError("unavailable", "Nobody can sign in now: the server cannot read its users.") from None
        if not right:
            raise Unauthorized("The user name or the password is wrong.")
        return self._session(user, int(time.time()))

    def renew(self, authorization: str | None) -> AuthSession:
        """Another token for who has one that holds: a page that stays open for days is not to be signed out.

        Raises Unauthorized where the sign-in is too long ago, the user is gone, or has another password since.
        """
        kind, _, token = (authorization or "").partition(" ")
        user = self.user_of(token.strip() if kind.lower() == "bearer" else None)
        claims = self._decode(token.strip(), leeway=CLOCK_LEEWAY_S)
        signed_in_at, password = claims.get("auth_time"), claims.get("pwd")
        if not isinstance(signed_in_at, int) or time.time() - signed_in_at > MAX_RENEWAL_AGE_S:
            raise Unauthorized("The sign-in is too long ago: sign in again.")
        if password is None or password != self._password_mark(user):
            raise Unauthorized("The password is another one since: sign in again.")
        return self._session(user, signed_in_at)

    def _session(self, user: str, signed_in_at: int) -> AuthSession:
        """`signed_in_at`: when the password was given, Unix seconds (OpenID Connect: auth_time)."""
        now = time.time()
        expires_at = now + self._lifetime
        claims = {
            "sub": user,
            "exp": int(expires_at),
            "iat": int(now),
            "jti": secrets.token_hex(8),
            "auth_time": signed_in_at,
            "pwd": self._password_mark(user),
        }
        return AuthSession(jwt.encode(claims, self._secret, algorithm="HS256"), user, expires_at)

    def _password_mark(self, user: str) -> str | None:
        """By which it is known that the password is still the same: nothing can be learned from it of the password."""
        try:
            kept = self._users.hash_of(user)
        except (InvalidUser, OSError):
            return None
        return kept and hmac.new(self._secret.encode(), kept.encode(), hashlib.sha256).hexdigest()[:16]

    def user_of(self, token: str | None) -> str:
        """The user whose token this is. Raises Unauthorized."""
        if not token:
            raise Unauthorized("Sign in first: there is no token.")
        try:
            claims = self._decode(token, leeway=CLOCK_LEEWAY_S)
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The token has expired: sign in again.") from None
        except jwt.InvalidTokenError:
            raise Unauthorized("The token is not valid: sign in again.") from None
        return str(claims["sub"])

    def _decode(self, token: str, leeway: float) -> dict[str, Any]:
        """Raises InvalidTokenError. `iat` says when a token was made, not from when on it holds (RFC 7519, 4.1.6)."""
        options: Options = {"require": ["exp", "sub"], "verify_iat": False}
        return jwt.decode(token, self._secret, algorithms=["HS256"], options=options, leeway=leeway)

    def identify(self, user: str, token: str | None) -> str:
        """Who wants to be `user`. Raises Unauthorized, InvalidUser."""
        check_name(user)
        if self.required and self.user_of(token) != user:
            raise Unauthorized("The token is another user's.")
        return user

    def authenticate(self, authorization: str | None) -> str | None:
        """The user of an Authorization header; None where no sign-in is needed. Raises Unauthorized."""
        if not self.required:
            return None
        kind, _, token = (authorization or "").partition(" ")
        return self.user_of(token.strip() if kind.lower() == "bearer" else None)


def token_secret(path: Path) -> str:
    """The secret that signs tokens; made at the first start, mode 600. Raises InvalidUser where it is too short."""
    try:
        secret = path.read_text().strip()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)  # restored from a backup, or written by hand: whoever reads it signs in as anybody
    except FileNotFoundError:
        secret = secrets.token_urlsafe(48)
        write_secret(path, secret)
    if len(secret) < 32:
        raise InvalidUser(f"{path}: the token secret has {len(secret)} characters, and needs 32. Delete the file.")
    return secret


def write_secret(path: Path, secret: str) -> None:
    """Where there is no file yet. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(atomic_file.create_new(path, os.O_WRONLY), "w") as file:
        file.write(secret + "\n")
