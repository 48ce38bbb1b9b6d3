"""The database of accounts: `accounts.db` in the state folder, or a PostgreSQL.

Each change has a number, the revision, so that whoever has read the users once reads only what has changed since.
Every request has a deadline, and whatever goes wrong comes out as `AccountsUnavailable`.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from ari_bridge.accounts import schema
from ari_bridge.accounts.errors import AccountsUnavailable
from ari_bridge.accounts.schema import api_keys, meta, recovery_codes, second_factors, security_keys, users
from ari_bridge.accounts.user import ADMIN, User
from ari_bridge.sql.database import SqlDatabase
from ari_bridge.sql.migrate import Migrations

REQUEST_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 3
_REVISION = "revision"
FREED = "freed:"
"""Begins the notes that say when a name was given up, in Unix seconds."""
_MIGRATIONS = Migrations(Path(__file__).parent / "migrations", schema.HEAD, schema.VERSION_TABLE)


class Database(SqlDatabase):
    """Users in rows.

    Args:
        url: postgresql://USER:PASSWORD@HOST/DATABASE, or "" for the SQLite file.
        file: The SQLite file.

    Raises ValueError if the URL is not one of PostgreSQL.
    """

    def __init__(self, url: str, file: Path) -> None:
        super().__init__(
            url, file, _MIGRATIONS.bring_up, AccountsUnavailable, connections=MAX_CONNECTIONS, synchronous="FULL"
        )

    async def revision(self) -> int:
        """The number of the last change. Raises AccountsUnavailable."""
        async with self._asked(REQUEST_TIMEOUT_S), self._engine.connect() as connection:
            return await _revision(connection)

    async def changed_since(self, revision: int) -> tuple[int, list[User]]:
        """The number of the last change, and the users that have changed after `revision`, removed ones too.

        Raises AccountsUnavailable.
        """
        async with self._asked(REQUEST_TIMEOUT_S), self._engine.connect() as connection:
            newest = await _revision(connection)
            rows = (await connection.execute(sa.select(users).where(users.c.revision > revision))).all()
        return newest, [user_of(row) for row in rows]

    @asynccontextmanager
    async def changing(self) -> AsyncIterator["Change"]:
        """One change: all of it or nothing. Raises AccountsUnavailable."""
        async with self.transaction() as connection:
            # The row is locked from here on: changes come one after the other, in PostgreSQL too.
            changed = await connection.execute(
                sa.update(meta)
                .where(meta.c.name == _REVISION)
                .values(value=sa.cast(sa.cast(meta.c.value, sa.BigInteger) + 1, sa.Text))
            )
            if not changed.rowcount:
                await connection.execute(sa.insert(meta).values(name=_REVISION, value="1"))
            yield Change(connection, await _revision(connection))

    async def freed_at(self, name: str) -> float:
        """When a user who had this name was given another one, Unix seconds; 0: none was.

        Raises AccountsUnavailable.
        """
        async with self.reading() as connection:
            return float(await connection.scalar(sa.select(meta.c.value).where(meta.c.name == FREED + name)) or 0.0)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """What is written together, and what nobody has to read anew. Raises AccountsUnavailable."""
        self._check_same_file()
        async with self._asked(REQUEST_TIMEOUT_S), self._to_write.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Raises AccountsUnavailable."""
        async with self._asked(REQUEST_TIMEOUT_S), self._engine.connect() as connection:
            yield connection

    async def set_last_used(self, keys: Mapping[str, float]) -> None:
        """When API keys were used last, by id, in Unix seconds: no change to follow. Raises AccountsUnavailable."""
        values = [{"key_id": key_id, "used_at": used_at} for key_id, used_at in keys.items()]
        update = sa.update(api_keys).where(api_keys.c.id == sa.bindparam("key_id"))
        async with self._asked(REQUEST_TIMEOUT_S), self._to_write.begin() as connection:
            await connection.execute(update.values(last_used_at=sa.bindparam("used_at")), values)

    async def forget_pending(self) -> list[str]:
        """The names of removed users of whom something may be kept elsewhere yet. Raises AccountsUnavailable."""
        pending = sa.select(users.c.name).where(users.c.removed_at.is_not(None), sa.not_(users.c.forgotten))
        async with self._asked(REQUEST_TIMEOUT_S), self._engine.connect() as connection:
            return sorted(set((await connection.execute(pending)).scalars()))


class Change:
    """What is done in one transaction; `revision` is its number."""

    def __init__(self, connection: AsyncConnection, revision: int) -> None:
        self.connection = connection
        self.revision = revision

    async def find(self, tenant: str, name: str) -> User | None:
        """The user of that name who has not been removed."""
        wanted = (users.c.tenant == tenant, users.c.name == name, users.c.removed_at.is_(None))
        row = (await self.connection.execute(sa.select(users).where(*wanted))).one_or_none()
        return user_of(row) if row else None

    async def find_id(self, user_id: str) -> User | None:
        """The user of this id who has not been removed."""
        wanted = (users.c.id == user_id, users.c.removed_at.is_(None))
        row = (await self.connection.execute(sa.select(users).where(*wanted))).one_or_none()
        return user_of(row) if row else None

    async def has_other_admin(self, user: User) -> bool:
        """Whether somebody besides the user may sign in and give roles."""
        others = sa.select(users).where(
            users.c.tenant == user.tenant,
            users.c.id != user.id,
            users.c.removed_at.is_(None),
            users.c.roles.contains(ADMIN),
        )
        return any(user_of(row).administers for row in await self.connection.execute(others))

    async def insert(self, new: Sequence[User]) -> list[User]:
        """Add them. The result: as they are stored."""
        stored = [replace(user, revision=self.revision) for user in new]
        if stored:
            await self.connection.execute(sa.insert(users), [{**_row(user), "forgotten": False} for user in stored])
        return stored

    async def update(self, user: User) -> User:
        """The user as it is stored. Of one who is removed no second factor is kept."""
        stored = replace(user, revision=self.revision)
        if user.removed_at is not None:
            for table in (second_factors, security_keys, recovery_codes):
                await self.connection.execute(sa.delete(table).where(table.c.user_id == user.id))
        await self.connection.execute(sa.update(users).where(users.c.id == user.id).values(_row(stored)))
        return stored

    async def forgotten(self, names: Sequence[str]) -> None:
        """Nothing of the removed users of these names is kept elsewhere any more."""
        removed = (users.c.name.in_(names), users.c.removed_at.is_not(None))
        await self.connection.execute(sa.update(users).where(*removed).values(forgotten=True))

    async def note(self, name: str) -> str | None:
        return await self.connection.scalar(sa.select(meta.c.value).where(meta.c.name == name))

    async def set_note(self, name: str, value: str) -> None:
        changed = await self.connection.execute(sa.update(meta).where(meta.c.name == name).values(value=value))
        if not changed.rowcount:
            await self.connection.execute(sa.insert(meta).values(name=name, value=value))


Changing = Callable[[], AbstractAsyncContextManager[Change]]
"""Begins a change that everybody reads anew after it."""


async def _revision(connection: AsyncConnection) -> int:
    return int(await connection.scalar(sa.select(meta.c.value).where(meta.c.name == _REVISION)) or 0)


def _row(user: User) -> dict[str, Any]:
    return {**{name: getattr(user, name) for name in User.__struct_fields__}, "roles": ",".join(user.roles)}


def user_of(row: sa.Row[Any]) -> User:
    """`row`: of the table `users`."""
    values = {name: getattr(row, name) for name in User.__struct_fields__}
    return User(**{**values, "roles": tuple(filter(None, values["roles"].split(",")))})
