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
from ari_bridge.accounts.user import User


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


class LogoutToken(msgspec.Struct, frozen=True):
    """By which the provider ends sign-ins; it is used once.

    Args:
        name: No other token of any provider has it.
        expires_at: Until when it is remembered, Unix seconds.
    """

    name: str
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

    async def end_of_user(self, user_id: str) -> ProviderSession | None:
        """The user's last one; all of the user's are forgotten. If there is one, all sign-ins of the user end."""
        ended = await self._end(table.c.user_id == user_id)
        return max(ended or (), key=lambda one: one.expires_at, default=None)

    async def end_by_provider(
        self, token: LogoutToken, issuer: str, *, subject: str, sid: str
    ) -> Sequence[ProviderSession] | None:
        """Those that the provider has ended are forgotten, and all sign-ins of their users end.

        Args:
            token: By which the provider says so.
            issuer: The provider.
            subject: Whose they are; "": anybody's.
            sid: The provider's session; "": any. Not both are "".

        The result: those that have ended; None: the token was used before.
        """
        given = {table.c.subject: subject, table.c.sid: sid}
        wanted = [table.c.issuer == issuer, *(column == value for column, value in given.items() if value)]
        assert len(wanted) > 1, "that would be everybody"
        return await self._end(*wanted, token=token)

    async def _end(
        self, *wanted: sa.ColumnElement[bool], token: LogoutToken | None = None
    ) -> Sequence[ProviderSession] | None:
        """All of it or nothing: what fails is asked for again, and is not half done, nor its token used, by then."""
        changed: list[tuple[User, User]] = []
        async with self._accounts.changing() as change:
            if token and not await _use(change, token):
                return None
            ended = await _take(change, *wanted)
            for user_id in sorted({one.user_id for one in ended}):
                if user := await change.find_id(user_id):
                    after = msgspec.structs.replace(user, generation=user.generation + 1)
                    changed.append((user, await change.update(after)))
        for before, after in changed:
            self._accounts.record_change(before, after)
        return ended


async def _use(change: Change, token: LogoutToken) -> bool:
    """Whether it was not used before. Changes come one after the other: nobody else inserts meanwhile."""
    name = hashlib.sha256(token.name.encode()).hexdigest()
    await change.connection.execute(sa.delete(logout_tokens).where(logout_tokens.c.expires_at < time.time()))
    known = await change.connection.scalar(sa.select(logout_tokens.c.id).where(logout_tokens.c.id == name))
    if known is None:
        await change.connection.execute(sa.insert(logout_tokens).values(id=name, expires_at=token.expires_at))
    return known is None


async def _take(change: Change, *wanted: sa.ColumnElement[bool]) -> list[ProviderSession]:
    rows = (await change.connection.execute(sa.select(table).where(*wanted))).mappings().all()
    await change.connection.execute(sa.delete(table).where(*wanted))
    return [ProviderSession(**{name: row[name] for name in ProviderSession.__struct_fields__}) for row in rows]
