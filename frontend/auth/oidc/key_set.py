"""The provider's signing keys: kept for an hour, and read again when a token names one that is not known.

How often that happens is bounded: strangers may send tokens that name any key.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from frontend.auth.oidc.provider import ProviderUnavailable

KEYS_AGE_S = 3600.0
MAX_READS_PER_MINUTE = 6
MAX_KEYS = 100
MIN_RSA_BITS = 2048

_KEY_TYPES = {"RS256": ("RSA", None), "PS256": ("RSA", None), "ES256": ("EC", "P-256"), "EdDSA": ("OKP", "Ed25519")}
ALGORITHMS = tuple(_KEY_TYPES)
"""Those that a token may be signed with: none with a shared secret, and not `none`."""

log = structlog.get_logger(__name__)


class UnknownKey(Exception):
    """The provider has no such key, or none that fits the algorithm."""


class KeySet:
    """`read`: the keys as the provider lists them (RFC 7517); raises ProviderUnavailable."""

    def __init__(self, read: Callable[[], Awaitable[list[dict[str, Any]]]]) -> None:
        self._read = read
        self._keys: list[dict[str, Any]] = []
        self._read_at = -float("inf")  # monotonic
        self._reads: deque[float] = deque(maxlen=MAX_READS_PER_MINUTE)
        self._reading = asyncio.Lock()

    async def find(self, key_id: str | None, algorithm: str) -> Any:
        """The public key. `key_id`: None if the token names none, which is enough if only one key fits.

        Raises UnknownKey, ProviderUnavailable.
        """
        if algorithm not in _KEY_TYPES:
            raise UnknownKey(f"the algorithm {algorithm[:20]!r} is not one of {', '.join(ALGORITHMS)}")
        async with self._reading:
            if time.monotonic() - self._read_at >= KEYS_AGE_S:
                await self._renew()
            found = self._fitting(key_id, algorithm)
            if not found and self._may_read():
                await self._renew()
                found = self._fitting(key_id, algorithm)
        if len(found) != 1:
            raise UnknownKey(f"{len(found)} keys of the provider fit {algorithm} and the key id {str(key_id)[:80]!r}")
        return _public_key(found[0], algorithm)

    async def _renew(self) -> None:
        """Keys that cannot be read again stay for a while: a provider that is away ends nothing."""
        self._reads.append(time.monotonic())
        try:
            self._keys = (await self._read())[:MAX_KEYS]
        except ProviderUnavailable as error:
            if not self._keys:
                raise
            log.warning("the provider's keys cannot be read again: using those that are known", reason=str(error))
        self._read_at = time.monotonic()

    def _may_read(self) -> bool:
        return len(self._reads) < MAX_READS_PER_MINUTE or time.monotonic() - self._reads[0] > 60.0

    def _fitting(self, key_id: str | None, algorithm: str) -> list[dict[str, Any]]:
        kind, curve = _KEY_TYPES[algorithm]
        return [
            key
            for key in self._keys
            if key.get("kty") == kind
            and (curve is None or key.get("crv") == curve)
            and key.get("use", "sig") == "sig"
            and key.get("alg", algorithm) == algorithm
            and (key_id is None or key.get("kid") == key_id)
        ]


def _public_key(key: dict[str, Any], algorithm: str) -> Any:
    """Raises UnknownKey."""
    public = {name: value for name, value in key.items() if name not in ("d", "p", "q", "dp", "dq", "qi", "oth")}
    try:
        found = jwt.PyJWK(public, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise UnknownKey(f"the provider's key cannot be used: {error}") from None
    if isinstance(found, RSAPublicKey) and found.key_size < MIN_RSA_BITS:
        raise UnknownKey(f"the provider's key has {found.key_size} bits, fewer than {MIN_RSA_BITS}")
    return found
