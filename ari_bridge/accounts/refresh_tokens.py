"""What a refresh token is made of. Pure but for randomness.

A token is `SESSION.FAMILY.SECRET`: the id of its sign-in session, a value that all tokens of the session share, and one
that is another in each. All but the id are random, 128 bits each, and stored as SHA-256 only: so much randomness cannot
be guessed, and needs no slow hash. FAMILY shows that a token with the wrong SECRET was really one of the session, used
before; who only knows the id, which is in each access token, can do nothing with it.

The next secret is derived from the one before and a random salt: a client that repeats a refresh, because the response
was lost, gets the same token again instead of a second one.
"""

import hashlib
import hmac
import secrets
from typing import NamedTuple

_BYTES = 16
_MAX_CHARACTERS = 256
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


class RefreshToken(NamedTuple):
    session: str
    family: str
    secret: str

    def __str__(self) -> str:
        return ".".join(self)

    def next(self, salt: str) -> "RefreshToken":
        """The one that replaces it. `salt`: random, and unknown to who has the token."""
        key = f"{self.family}.{self.secret}".encode()
        digest = hmac.digest(key, salt.encode(), "sha256")[:_BYTES]
        return self._replace(secret=digest.hex())


def new_token(session: str) -> RefreshToken:
    """The first of a session."""
    return RefreshToken(session, secrets.token_hex(_BYTES), secrets.token_hex(_BYTES))


def parse(text: str) -> RefreshToken | None:
    """None if it is no such token."""
    parts = text.split(".") if len(text) <= _MAX_CHARACTERS else []
    usable = len(parts) == 3 and all(part and _ALPHABET.issuperset(part) for part in parts)
    return RefreshToken(*parts) if usable else None


def digest_of(part: str) -> str:
    """As it is stored."""
    return hashlib.sha256(part.encode()).hexdigest()
