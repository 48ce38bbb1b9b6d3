"""API keys as credentials: where they are in a request, and which principal they are.

A key comes as `Authorization: Bearer ab_<id>_<secret>`, or as Basic with the id and the secret, or as `token` of a
WebSocket's message; never in an address, which proxies and browsers keep. A key that is used by a page has to be made
for that page's origin: whoever opens the page can read it.
"""

import base64
import binascii
from collections.abc import Iterable

import structlog

from ari_bridge.accounts import ApiKey
from ari_bridge.accounts.api_key import is_key, parse_key
from ari_bridge.accounts.api_keys import ApiKeys
from ari_bridge.audit import Action, Actor, ActorKind, Audit, Result
from frontend.auth.errors import Unauthorized
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal

MACHINE = "machine"
"""The role of a key's principal. What it may do are the key's scopes."""

log = structlog.get_logger(__name__)


def credential_of(authorization: str | None) -> str | None:
    """The bearer token, or the API key, of an `Authorization` header; None if there is neither."""
    kind, _, value = (authorization or "").partition(" ")
    if kind.lower() == "basic":
        return _key_of_basic(value.strip())
    return (value.strip() or None) if kind.lower() == "bearer" else None


def _key_of_basic(value: str) -> str | None:
    """Of the id and the secret (RFC 7617); None of anything else, such as a user's password."""
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return f"{name}_{secret}" if is_key(name) else None


def grants_of_scopes(scopes: Iterable[str]) -> frozenset[Grant]:
    """A scope that is not known, of a newer version, gives nothing."""
    return frozenset(grant for grant in Grant if grant.value in set(scopes))


class KeyAccess:
    """`keys`: those of the server."""

    def __init__(self, keys: ApiKeys, audit: Audit) -> None:
        self._keys = keys
        self._audit = audit

    def principal_of(self, token: str, address: str = "", origin: str | None = None) -> Principal:
        """The principal of a key. `origin`: the request's `Origin`. Raises Unauthorized."""
        key_id, secret = parse_key(token)
        found = self._keys.verify(key_id, secret)
        if found is None:
            self._refused(key_id, self._why_not(key_id), address)
            raise Unauthorized("The API key is not valid: its id or secret is wrong, or it was revoked or has expired.")
        key, generation = found
        if reason := misused(key, address, origin):
            self._refused(key.id, reason, address)
            raise Unauthorized(reason)
        self._keys.used(key.id)
        return Principal(
            name=key.id,
            user_id=key.id,
            tenant=key.tenant,
            roles=(MACHINE,),
            grants=grants_of_scopes(key.scopes),
            address=address,
            expires_at=key.expires_at,
            kind="key",
            key_id=key.id,
            key_generation=generation,
            public=key.for_browsers,
            max_calls=key.max_calls,
        )

    def holds(self, principal: Principal) -> bool:
        """Whether the key that the principal is, is still valid."""
        return self._keys.holds(principal.key_id, principal.key_generation)

    def _refused(self, key_id: str, reason: str, address: str) -> None:
        known = key_id if self._keys.find(key_id) else ""  # else it is whatever somebody has sent
        log.warning("an API key was refused", reason=reason, key=known, address=address)
        actor = Actor(ActorKind.KEY, known, known, address=address)
        self._audit.record(Action.KEY_REFUSE, known, result=Result.REFUSED, actor=actor, reason=reason)

    def _why_not(self, key_id: str) -> str:
        key = self._keys.find(key_id)
        if key is None:
            return "there is none of this id"
        return "it was revoked" if key.revoked_at else "the secret is wrong, or the key has expired"


def misused(key: ApiKey, address: str, origin: str | None) -> str:
    """Why the key may not be used from there; "" if it may."""
    if not key.allows_address(address):
        return "This API key may not be used from this address."
    if origin is None and key.for_browsers:
        return "This API key is for pages: a server needs one without origins."
    if origin is not None and not key.for_browsers:
        return (
            "This API key is for servers, and a page has sent it: whoever opens that page can read it. Rotate it, "
            "and let your server make a token for the page (POST /tokens)."
        )
    if origin is not None and origin.lower() not in key.origins:
        return f"This API key was not made for pages of {origin[:80]}."
    return ""
