"""Client tokens: what a server hands to one client of its own, made by the server's API key.

A client token is a JWT for a named user, with no more grants than the key has. It has an audience of its own, so that
it is never taken for what a password gives: it is not renewed, and changes no password. It ends with its time, with
its key (a rotation ends those of the secret before, when the overlap is over), and with the user: by a lock, another
password, signing out everywhere.

The name is that of a user, or one that no user has (a customer of the server's, say). Who gets such a name later as a
user shares nothing with it: the tokens of the name end, and calls from before are not shown. A key for pages makes
tokens for the users that it lists, and else for guests, whose names are made for one page each:
`guest-<id of the key>-<random>`; a name that nobody else knows is what keeps the calls of two guests apart.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog

from ari_bridge.accounts import Accounts, ApiKey, InvalidUser, check_name
from ari_bridge.accounts.api_key import is_key
from ari_bridge.accounts.user import DEFAULT_TENANT
from ari_bridge.audit import Action, Audit
from ari_bridge.guest_names import counted_name, guest_key
from frontend.auth.api_keys import MACHINE, grants_of_scopes, misused
from frontend.auth.errors import Forbidden, Unauthorized
from frontend.auth.grants import PHONE, Grant
from frontend.auth.principal import Principal

AUDIENCE = "ari-bridge/client"
"""Their audience (RFC 7519, `aud`)."""
MIN_LIFETIME_S, MAX_LIFETIME_S, DEFAULT_LIFETIME_S = 60, 86400, 3600
_EXTERNAL = "external:"  # the id of a name that no user has: no user's id begins so

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ClientToken:
    """`grants`: those that it has. `expires_at`: Unix seconds."""

    token: str
    user: str
    grants: tuple[Grant, ...]
    expires_at: float


class ClientTokens:
    """Makes and reads them.

    Args:
        accounts: The users and the keys.
        sign: Makes a token with these claims.
        audit: Which tokens were made.
    """

    def __init__(self, accounts: Accounts, sign: Callable[[dict[str, Any]], str], audit: Audit) -> None:
        self._accounts = accounts
        self._audit = audit
        self._sign = sign

    async def make(
        self,
        maker: Principal,
        user: str | None = None,
        *,
        grants: frozenset[Grant] | None = None,
        lifetime: int = DEFAULT_LIFETIME_S,
        numbers: tuple[str, ...] = (),
        metadata: dict[str, str] | None = None,
    ) -> ClientToken:
        """A token.

        Args:
            maker: The key.
            user: For whom; None: for the key itself.
            grants: None: those of a phone that the key has.
            lifetime: Seconds.
            numbers: All that may be dialled with it, as they are dialled; with `*` at the end all that begin so.
            metadata: For whoever reads the token; events and records of the calls that are made with it have it, too.

        Raises Forbidden (a grant that the key has not), InvalidUser, AccountsUnavailable.
        """
        key = self._accounts.api_keys.find(maker.key_id)
        if maker.kind != "key" or key is None:
            raise Forbidden(Grant.TOKENS_CREATE, of="only an API key")
        name = user or key.id
        self._check_may_name(maker, key, name)
        given = (PHONE & maker.grants) if grants is None else grants
        for grant in sorted(given - maker.grants):
            raise Forbidden(grant, of="not even the API key")
        found = self._accounts.find(name)
        if found and not found.active:
            raise InvalidUser(f"the user {name} is locked")
        now = time.time()
        expires_at = min(now + lifetime, key.expires_at or now + lifetime)
        claims = {
            "iss": "ari-bridge",
            "aud": AUDIENCE,
            "sub": name,
            "uid": found.id if found else _external_id(name),
            "gen": found.generation if found else 0,
            "key": key.id,
            "kgen": maker.key_generation,
            "grants": sorted(given),
            "since": 0.0 if found or name == key.id else await self._accounts.free_since(name),
            "iat": int(now),
            "exp": int(expires_at),
            "jti": secrets.token_hex(8),
            "auth_time": int(now),
        }
        if numbers:
            claims["numbers"] = list(numbers)
        if metadata:
            claims["metadata"] = metadata
        token = ClientToken(self._sign(claims), name, tuple(sorted(given)), expires_at)
        self._audit.record(Action.TOKEN_CREATE, name, actor=maker.actor, grants=",".join(sorted(given)))
        log.info("a client token was made", user=name, key=key.id, grants=claims["grants"], address=maker.address)
        return token

    def principal_of(self, claims: dict[str, Any], address: str = "", origin: str | None = None) -> Principal:
        """The principal of a token with these claims, which were verified. Raises Unauthorized."""
        name, key = str(claims["sub"]), self._accounts.api_keys.find(str(claims.get("key")))
        if key is None:
            raise Unauthorized("The API key that has made this token is not known.")
        if key.for_browsers and (reason := misused(key, address, origin)):
            raise Unauthorized(reason)
        found = self._accounts.find(name)
        principal = Principal(
            name=name,
            user_id=str(claims.get("uid")),
            tenant=found.tenant if found else DEFAULT_TENANT,
            roles=found.roles if found else (MACHINE,),
            grants=grants_of_scopes(claims.get("grants", ())) & grants_of_scopes(key.scopes),
            since=found.name_since if found else float(claims.get("since", 0.0)),
            generation=int(claims.get("gen", 0)),
            address=address,
            expires_at=float(claims["exp"]),
            kind="token",
            key_id=key.id,
            key_generation=int(claims.get("kgen", 0)),
            public=guest_key(name) is not None,
            max_calls=key.max_calls if counted_name(name) == key.id else 0,
            numbers=tuple(claims.get("numbers", ())),
            metadata=tuple(claims.get("metadata", {}).items()),
        )
        if not self.holds(principal):
            raise Unauthorized("What this token was made for has ended: get another one from where it came from.")
        return principal

    def holds(self, principal: Principal) -> bool:
        """Whether the user, or the name that no user has, is still the one of the token, and the key is valid."""
        accounts, name = self._accounts, principal.name or ""
        if not accounts.api_keys.holds(principal.key_id, principal.key_generation):
            return False
        if principal.user_id == _external_id(name):
            return accounts.find(name) is None and accounts.freed_at(name) <= principal.since
        user = accounts.by_id(principal.user_id)
        return user is not None and user.active and user.name == name and user.generation == principal.generation

    def _check_may_name(self, maker: Principal, key: ApiKey, name: str) -> None:
        """Raises Forbidden, InvalidUser."""
        if name == key.id:
            if key.for_browsers:
                raise InvalidUser(f"a page names its guest: guest-{key.id[3:]}-<16 or more random hexadecimal digits>")
            return
        check_name(name)
        if not maker.may(Grant.TOKENS_CREATE):
            raise Forbidden(Grant.TOKENS_CREATE, of="not even the API key")
        guest = guest_key(name)
        if is_key(name) or (guest and guest != key.id):
            raise InvalidUser("this name belongs to another API key")
        if key.users:
            if name not in key.users and not (key.for_browsers and guest):
                raise InvalidUser(f"this API key makes no tokens for {name}")
        elif key.for_browsers and not guest:
            raise InvalidUser(f"in a page this API key is for guests: guest-{key.id[3:]}-<16 or more random digits>")


def _external_id(name: str) -> str:
    return _EXTERNAL + name
