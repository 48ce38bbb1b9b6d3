"""ID tokens and logout tokens: verified as OpenID Connect Core (3.1.3.7) and Back-Channel Logout (2.6) say."""

import base64
import hashlib
import hmac
import time
from typing import Any

import jwt

from ari_bridge.accounts.identities import MAX_SUBJECT_CHARACTERS
from frontend.auth.oidc.key_set import ALGORITHMS, KeySet, UnknownKey

CLOCK_LEEWAY_S = 120.0
MAX_TOKEN_CHARACTERS = 32 * 1024
MAX_LOGOUT_TOKEN_AGE_S = 600.0
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class InvalidToken(Exception):
    """The token must not be believed; the text says why, and contains nothing of it that is secret."""


class TokenVerifier:
    """Of the tokens that one provider makes for one client."""

    def __init__(self, issuer: str, client_id: str, keys: KeySet) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._keys = keys

    async def id_token(self, token: str, *, nonce: str, access_token: str) -> dict[str, Any]:
        """The claims. Raises InvalidToken, ProviderUnavailable."""
        claims, algorithm = await self._verified(token, ["iss", "sub", "aud", "exp", "iat", "nonce"])
        given = claims["nonce"]
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
            raise InvalidToken("the nonce is not that of this sign-in")
        _check_subject(claims["sub"])
        if (at_hash := claims.get("at_hash")) is not None and at_hash != _half_hash(access_token, algorithm):
            raise InvalidToken("at_hash is not that of the access token")
        return claims

    async def logout_token(self, token: str) -> dict[str, Any]:
        """The claims, with `sub`, `sid` or both. Raises InvalidToken, ProviderUnavailable."""
        claims, _ = await self._verified(token, ["iss", "aud", "iat", "jti", "events"])
        events = claims["events"]
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
            raise InvalidToken("it is no logout token")
        if "nonce" in claims:
            raise InvalidToken("it has a nonce: it is an ID token")
        if claims["iat"] < time.time() - MAX_LOGOUT_TOKEN_AGE_S - CLOCK_LEEWAY_S:
            raise InvalidToken("it is too old")
        for name in ("sub", "sid", "jti"):
            if name in claims:
                _check_subject(claims[name])
        if "sub" not in claims and "sid" not in claims:
            raise InvalidToken("it names neither a subject nor a session")
        return claims

    async def _verified(self, token: str, required: list[str]) -> tuple[dict[str, Any], str]:
        """Claims and algorithm: signature, issuer, audience and times are right."""
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise InvalidToken("it is too long")
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key_id = str(header.get("alg")), header.get("kid")
            if algorithm not in ALGORITHMS:
                raise InvalidToken(f"the algorithm {algorithm[:20]!r} is not one of {', '.join(ALGORITHMS)}")
            key = await self._keys.find(key_id, algorithm)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._client_id,
                issuer=self._issuer,
                leeway=CLOCK_LEEWAY_S,
                options={"require": required},
            )
        except (jwt.InvalidTokenError, UnknownKey) as error:
            raise InvalidToken(str(error)) from None
        audiences = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        if audiences != [self._client_id]:
            raise InvalidToken("it is for other clients too")
        if claims.get("azp", self._client_id) != self._client_id:
            raise InvalidToken("azp is another client")
        return claims, algorithm


def _check_subject(value: Any) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_SUBJECT_CHARACTERS:
        raise InvalidToken("a subject, session or token id is no text of 1 to 255 characters")


def _half_hash(access_token: str, algorithm: str) -> str:
    """The left half of the token's hash (OpenID Connect Core, 3.1.3.6); Ed25519 goes with SHA-512."""
    digest = hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256
    whole = digest(access_token.encode()).digest()
    return base64.urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()
