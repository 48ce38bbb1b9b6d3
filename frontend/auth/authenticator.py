"""Who somebody is: passwords to tokens, tokens to users.

`Access` is the seam: everything that asks who somebody is asks here, and gets a user or a refusal.
"""

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import jwt
import structlog

from frontend.auth.sign_ins import SignIns, SlowDown
from frontend.auth.users import InvalidUser, Users, check_name
from frontend.http.problems import Refused

__all__ = ["Access", "Session", "SlowDown", "Unauthorized", "token_secret"]

log = structlog.get_logger(__name__)


class Unauthorized(Exception):
    """Sign in first, or again; the text says why."""


@dataclass(frozen=True)
class Session:
    token: str
    user: str
    expires_at: float  # Unix seconds


class Access:
    """With `required` False (loopback only) everybody is who they say."""

    def __init__(self, *, required: bool, users: Users, secret: str, lifetime: int) -> None:
        self.required = required
        self._secret = secret
        self._lifetime = lifetime
        self._sign_ins = SignIns(users.verify)

    def use_secret(self, secret: str) -> None:
        """Another one from now on; tokens of the one before are worth nothing."""
        self._secret = secret

    async def sign_in(self, user: str, password: str, address: str) -> Session:
        """`address`: the client's. Raises Unauthorized, SlowDown, Refused (a users file that cannot be read)."""
        try:
            right = await self._sign_ins.check(user, password, address)
        except (InvalidUser, OSError) as error:
            log.error("nobody can sign in: the users file cannot be read", reason=str(error))
            raise Refused("unavailable", "Nobody can sign in now: the server cannot read its users.") from None
        if not right:
            raise Unauthorized("The user name or the password is wrong.")
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
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(secret + "\n")
