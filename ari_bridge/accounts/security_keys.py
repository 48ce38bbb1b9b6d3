"""Security keys and passkeys (WebAuthn) that users sign in with besides the password: what is stored of them.

The browser's part and the checks of what a key has signed are in `frontend/auth/relying_party.py`.
"""

import secrets
import time
from typing import Any

import msgspec
import sqlalchemy as sa

from ari_bridge.accounts.database import Changing, Database
from ari_bridge.accounts.errors import UserChanged
from ari_bridge.accounts.names import InvalidUser
from ari_bridge.accounts.schema import security_keys
from ari_bridge.accounts.second_factors import factor_added, factor_removed, unchanged
from ari_bridge.accounts.user import User
from ari_bridge.audit import Action, Audit

MAX_KEYS = 10
"""Of one user."""
MAX_NAME_LENGTH = 40


class NewSecurityKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser has registered. `credential_id` and `public_key` (COSE): base64url."""

    credential_id: str
    public_key: str
    sign_count: int
    transports: tuple[str, ...] = ()


class SecurityKey(NewSecurityKey, frozen=True, kw_only=True):
    """A key of a user. Times are Unix seconds.

    Args:
        name: By which its owner knows it.
        sign_count: Of the last signature: a key that counts is never behind it. 0: it does not count.
        transports: How the browser reaches it, as hints for it: usb, nfc, ble, internal, hybrid.
    """

    id: str
    name: str
    created_at: float
    last_used_at: float


class SecurityKeys:
    """Those of all users. Every method raises AccountsUnavailable.

    Args:
        database: Where they are.
        changing: Makes one change of the accounts that everybody reads anew.
        audit: Where it is recorded that one was added or removed.
    """

    def __init__(self, database: Database, changing: Changing, audit: Audit) -> None:
        self._database = database
        self._changing = changing
        self._audit = audit

    async def of(self, user: User) -> list[SecurityKey]:
        """The user's, the oldest first."""
        found = sa.select(security_keys).where(security_keys.c.user_id == user.id).order_by(security_keys.c.created_at)
        async with self._database.reading() as connection:
            return [_key_of(row) for row in await connection.execute(found)]

    async def add(self, user: User, key: NewSecurityKey, name: str) -> tuple[User, list[str]]:
        """The user as it is then, and recovery codes if this is the first second factor.

        Raises InvalidUser (the key is set up already, or there are too many), SecondFactorExists (another one was set
        up meanwhile), UnknownUser, UserChanged.
        """
        now, table = time.time(), security_keys
        async with self._changing() as change:
            current = await unchanged(change, user)
            taken = sa.select(table.c.id).where(table.c.credential_id == key.credential_id)
            if (await change.connection.execute(taken)).first():
                raise InvalidUser("this security key is set up already", "credential")
            mine = sa.select(sa.func.count()).where(table.c.user_id == user.id)
            if (await change.connection.scalar(mine) or 0) >= MAX_KEYS:
                raise InvalidUser(f"you have {MAX_KEYS} security keys already: remove one first", "credential")
            row = {
                **msgspec.structs.asdict(key),
                "id": f"key_{secrets.token_hex(8)}",
                "user_id": user.id,
                "name": name,
                "transports": ",".join(key.transports),
                "created_at": now,
                "last_used_at": now,
            }
            await change.connection.execute(sa.insert(table).values(row))
            changed, codes = await factor_added(change, user, current)
        self._audit.record(Action.SECOND_FACTOR_ADD, user.name, kind="security_key", name=name)
        return changed, codes

    async def use(self, key: SecurityKey, sign_count: int) -> bool:
        """Whether the count is a later one than that of before, or the key does not count; it is stored then.

        If not, there are two keys with the same secret, or the same signature has come twice.
        """
        table = security_keys
        later = table.c.sign_count < sign_count if sign_count else table.c.sign_count == 0
        values = {"sign_count": sign_count, "last_used_at": time.time()}
        async with self._database.transaction() as connection:
            used = await connection.execute(sa.update(table).where(table.c.id == key.id, later).values(values))
        return used.rowcount == 1

    async def remove(self, user: User, key_id: str) -> User:
        """Without another second factor the password suffices from now on.

        Raises UnknownUser, UserChanged: also if the user has no such key any more.
        """
        table = security_keys
        async with self._changing() as change:
            current = await unchanged(change, user)
            mine = (table.c.id == key_id, table.c.user_id == user.id)
            row = (await change.connection.execute(sa.select(table.c.name).where(*mine))).first()
            if row is None:
                raise UserChanged(user.name)
            await change.connection.execute(sa.delete(table).where(*mine))
            changed = await factor_removed(change, current)
        self._audit.record(Action.SECOND_FACTOR_REMOVE, user.name, kind="security_key", name=row.name)
        return changed


def _key_of(row: Any) -> SecurityKey:
    return SecurityKey(
        id=row.id,
        name=row.name,
        credential_id=row.credential_id,
        public_key=row.public_key,
        sign_count=row.sign_count,
        transports=tuple(filter(None, row.transports.split(","))),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )
