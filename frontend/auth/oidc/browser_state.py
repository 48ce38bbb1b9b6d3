"""What a browser keeps for us between two requests of a sign-in: signed, short-lived, used once.

It is in cookies that scripts and other sites cannot read or set. Each kind is of no use as another kind, nor as
a token of ours: the key that signs is made for the purpose.
"""

import hashlib
import hmac
import time
from collections import OrderedDict
from typing import Any, TypeVar

import jwt
import msgspec

_ALGORITHM = "HS256"
MAX_REMEMBERED = 20_000

S = TypeVar("S", bound=msgspec.Struct)


class SignInAttempt(msgspec.Struct, frozen=True):
    """From the start of a sign-in until the provider sends the browser back.

    Args:
        state: Ties the answer to this browser.
        nonce: Ties the ID token to this attempt.
        verifier: Of PKCE (RFC 7636).
        redirect_uri: Where the provider was told to send the browser.
        return_to: Path of the page that is opened afterwards.
    """

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    return_to: str


class HandOver(msgspec.Struct, frozen=True):
    """A sign-in that has succeeded, until the page fetches its token. `id`: of the provider session."""

    id: str
    user_id: str
    generation: int


class BrowserState:
    """`secret`: of the server; the same on all instances."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.new(secret.encode(), b"single sign-on", hashlib.sha256).digest()

    def seal(self, value: msgspec.Struct, seconds: float) -> str:
        """The text for a cookie, valid for so long."""
        claims = {"kind": type(value).__name__, "value": msgspec.to_builtins(value), "exp": time.time() + seconds}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def open(self, text: str, kind: type[S]) -> S | None:
        """None if it was not sealed here, is of another kind, or too old."""
        try:
            options: Any = {"require": ["exp"]}
            claims = jwt.decode(text, self._key, algorithms=[_ALGORITHM], options=options)
            return msgspec.convert(claims.get("value"), kind) if claims.get("kind") == kind.__name__ else None
        except (jwt.InvalidTokenError, msgspec.ValidationError):
            return None


class UsedOnce:
    """Remembers what was used until it expires by itself. Bounded: of too many, the oldest is forgotten."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._used: OrderedDict[str, float] = OrderedDict()

    def use(self, name: str) -> bool:
        """False if it was used before."""
        now = time.monotonic()
        while self._used and (next(iter(self._used.values())) < now or len(self._used) >= MAX_REMEMBERED):
            self._used.popitem(last=False)
        if name in self._used:
            return False
        self._used[name] = now + self._seconds
        return True
