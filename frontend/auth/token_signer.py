"""Signs and verifies our tokens: JWT (RFC 7519) by HMAC-SHA-256, with the id of the key as `kid`.

What a token may say is decided elsewhere; here only that we have said it, and to whom (`aud`): a token of one kind is
of no use as another one (RFC 8725 section 3.12). A header chooses nothing but which of our keys verifies.
"""

import time
from collections.abc import Sequence
from typing import Any

import jwt
from jwt.types import Options

from ari_bridge.accounts.signing_keys import CLOCK_LEEWAY_S, SigningKeys

ISSUER = "ari-bridge"
"""The issuer (`iss`) of all our tokens, and the audience (`aud`) of access tokens."""
_ALGORITHM = "HS256"


class TokenSigner:
    def __init__(self, keys: SigningKeys) -> None:
        self._keys = keys

    def sign(self, claims: dict[str, Any], audience: str = ISSUER) -> str:
        """A token with these claims. Raises AccountsUnavailable: no key is known yet."""
        key = self._keys.current()
        stated = {"iss": ISSUER, "aud": audience, "iat": int(time.time())}
        return jwt.encode(stated | claims, key.secret, algorithm=_ALGORITHM, headers={"kid": key.kid})

    def verify(self, token: str, audience: str | Sequence[str] = ISSUER, *, verify_exp: bool = True) -> dict[str, Any]:
        """The claims. Raises jwt.InvalidTokenError, ExpiredSignatureError.

        `iat` is not verified: it only says when the token was made (RFC 7519 section 4.1.6).
        """
        kid = jwt.get_unverified_header(token).get("kid")
        key = self._keys.find(kid, time.time()) if kid is None or isinstance(kid, str) else None
        if key is None:
            raise jwt.InvalidTokenError("no such key")
        options: Options = {"require": ["exp", "iss", "aud"], "verify_iat": False, "verify_exp": verify_exp}
        return jwt.decode(
            token,
            key.secret,
            algorithms=[_ALGORITHM],
            options=options,
            leeway=CLOCK_LEEWAY_S,
            issuer=ISSUER,
            audience=audience,
        )
