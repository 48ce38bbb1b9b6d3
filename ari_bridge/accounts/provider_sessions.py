"""Sign-ins at a provider that are open here.

A sign-out at the provider finds them (OpenID Connect Back-Channel Logout 1.0), and a sign-out here the ID token that
the provider wants to see then (RP-Initiated Logout 1.0).
"""

import hashlib
import time
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from ari_bridge.accounts.accounts import Accounts
from ari_bridge.accounts.database import Change
from ari_bridge.accounts.schema import logout_tokens
from ari_bridge.accounts.schema import provider_sessions as table


class ProviderSession(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in at a provider.

    Args:
        id: Known to us alone.
        sid: The provider's session; "" if it names none.
        fetched: The page has its token; that is given once.
        expires_at: When it is of no use any more, Unix seconds.
    """

    id: str
    user_id: str
    issuer: str
    subject: str
    sid: str
    id_token: str
    fetched: bool = False
    expires_at: float


class ProviderSessions:
    """`accounts`: whose database they are in. Every method raises AccountsUnavailable."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def add(self, session: ProviderSession) -> None:
        async with self._accounts.changing() as change:
            await change.connection.execute(sa.delete(table).where(table.c.expires_at < time.time()))
            await change.connection.execute(sa.insert(table).values(msgspec.structs.asdict(session)))

    async def fetch(self, id: str) -> bool:
        """Mark it as fetched. False if it was before, or the provider has ended it."""
        async with self._accounts.changing() as change:
            wanted = (table.c.id == id, table.c.fetched.is_(False))
            changed = await change.connection.execute(sa.update(table).where(*wanted).values(fetched=True))
            return changed.rowcount == 1

    async def take_last(self, user_id: str) -> ProviderSession | None:
        """The user's last one; all of the user's are forgotten."""
        async with self._accounts.changing() as change:
            found = await _take(change, table.c.user_id == user_id)
        return max(found, key=lambda one: one.expires_at, default=None)

    async def take_all(self, issuer: str, *, subject: str, sid: str) -> Sequence[ProviderSession]:
        """Those that the provider has ended: of the subject, of its session `sid`, or of both; they are forgotten.

        "" stands for any, but not for both.
        """
        given = {table.c.subject: subject, table.c.sid: sid}
        wanted = [table.c.issuer == issuer, *(column == value for column, value in given.items() if value)]
        assert len(wanted) > 1, "that would be everybody"
        async with self._accounts.changing() as change:
            return await _take(change, *wanted)

    async def is_new(self, logout_token: str, expires_at: float) -> bool:
        """Whether the logout token was not used before; it is remembered until it has expired."""
        name = hashlib.sha256(logout_token.encode()).hexdigest()
        async with self._accounts.changing() as change:  # one after the other: nobody else inserts meanwhile
            await change.connection.execute(sa.delete(logout_tokens).where(logout_tokens.c.expires_at < time.time()))
            known = await change.connection.scalar(sa.select(logout_tokens.c.id).where(logout_tokens.c.id == name))
            if known is None:
                await change.connection.execute(sa.insert(logout_tokens).values(id=name, expires_at=expires_at))
        return known is None


async def _take(change: Change, *wanted: sa.ColumnElement[bool]) -> list[ProviderSession]:
    rows = (await change.connection.execute(sa.select(table).where(*wanted))).mappings().all()
    await change.connection.execute(sa.delete(table).where(*wanted))
    return [ProviderSession(**{name: row[name] for name in ProviderSession.__struct_fields__}) for row in rows]
