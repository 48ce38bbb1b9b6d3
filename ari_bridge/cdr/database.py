"""The database of call detail records: a SQLite file of ours, or a PostgreSQL.

Every request has a deadline, and whatever goes wrong comes out as `CdrUnavailable` or `RowsRejected`; what to do about
it is the writer's, or the asker's.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ari_bridge.cdr import migrate, rows
from ari_bridge.cdr.cdr import Cdr
from ari_bridge.cdr.errors import CdrUnavailable, RowsRejected
from ari_bridge.cdr.query import CdrPage, Query
from ari_bridge.cdr.schema import cdr
from ari_bridge.cursor import Cursor
from ari_bridge.sql import engine
from ari_bridge.sql.database import SqlDatabase

QUERY_TIMEOUT_S = 15.0
"""For each request, waiting for a connection included."""
CONNECT_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 5
MAX_READERS = MAX_CONNECTIONS - 1
"""Who may ask at once besides the writer, so that it always finds a connection."""


class Database(SqlDatabase):
    """`url`: postgresql://USER:PASS@HOST/DB, or "" for the SQLite file `file`. `name` tells people which; no password.

    Raises ValueError if it is not a PostgreSQL URL.
    """

    def __init__(self, url: str, file: Path) -> None:
        super().__init__(
            url,
            file,
            migrate.bring_up,
            CdrUnavailable,
            refused=RowsRejected,
            connections=MAX_CONNECTIONS,
            connect_timeout=CONNECT_TIMEOUT_S,
        )
        self._readers = asyncio.Semaphore(MAX_READERS)
        self._upsert = rows.upsert(self._engine.dialect.name)

    async def put(self, cdrs: Sequence[Cdr]) -> None:
        """Write all of them or none; a call's existing row is replaced. Raises CdrUnavailable, RowsRejected.

        Clients choose ids, and may choose one again when the call store has forgotten the call: the row of another call
        is never touched, and the new one is named `ID~2`, `ID~3`, …
        """
        self._check_same_file()
        async with self._asked(QUERY_TIMEOUT_S), self._to_write.begin() as connection:
            await connection.execute(self._upsert, list(map(rows.to_row, await _named(connection, cdrs))))

    async def missing(self, ended: Sequence[tuple[float, str]]) -> list[str]:
        """The ids of those without a row of their own, in order. `ended`: when, and the id. Raises CdrUnavailable."""
        async with self._asked(QUERY_TIMEOUT_S), self._engine.connect() as connection:
            known = await connection.execute(rows.known([call_id for _, call_id in ended]))
            found: dict[str, float] = {row.call_id: row.ended_at for row in known}
        return [call_id for ended_at, call_id in ended if found.get(call_id) != ended_at]

    async def purge(self, created_before: float, at_most: int) -> int:
        """Delete the oldest calls that started before then (Unix seconds). Returns how many. Raises CdrUnavailable."""
        async with self._asked(QUERY_TIMEOUT_S), self._to_write.begin() as connection:
            return (await connection.execute(rows.purge(created_before, at_most))).rowcount

    async def page(self, query: Query) -> CdrPage:
        """Raises CdrUnavailable."""
        async with self._asked(QUERY_TIMEOUT_S), self._readers, self._engine.connect() as connection:
            found = (await connection.execute(rows.page(query))).all()
            cdrs = tuple(map(self._read, found[: query.limit]))
        more = len(found) > query.limit
        return CdrPage(cdrs, str(Cursor(cdrs[-1].created_at, cdrs[-1].call_id)) if more else None)

    async def get(self, call_id: str) -> Cdr | None:
        """Raises CdrUnavailable."""
        async with self._asked(QUERY_TIMEOUT_S), self._readers, self._engine.connect() as connection:
            row = (await connection.execute(sa.select(cdr).where(cdr.c.call_id == call_id))).one_or_none()
            return self._read(row) if row else None

    async def set_feedback(self, call_id: str, feedback: dict[str, Any], created_at: float | None = None) -> bool:
        """Whether there is such a row. `created_at`: of the call, if it is known: its id may have been used before.

        Raises CdrUnavailable, RowsRejected.
        """
        wanted = [cdr.c.call_id == call_id]
        if created_at is not None:
            again = cdr.c.call_id.startswith(f"{call_id}~", autoescape=True)
            wanted = [sa.or_(*wanted, again), cdr.c.created_at == created_at]
        changed = sa.update(cdr).where(*wanted).values(feedback=feedback)
        async with self._asked(QUERY_TIMEOUT_S), self._readers, self._to_write.begin() as connection:
            return (await connection.execute(changed)).rowcount > 0

    async def _drop_connections(self) -> None:
        """Those in use too, as soon as they are not: one that is given back later would never be closed."""
        async with AsyncExitStack() as held:
            for _ in range(MAX_READERS):
                await held.enter_async_context(self._readers)
            await self._engine.dispose()

    def _read(self, row: sa.Row[Any]) -> Cdr:
        try:
            return rows.to_cdr(row)
        except ValueError as error:
            raise CdrUnavailable(f"{self.name}: a newer version of this program wrote a row: {error}") from error

    @asynccontextmanager
    async def _asked(self, seconds: float) -> AsyncIterator[None]:
        try:
            async with super()._asked(seconds):
                yield
        except (ValueError, TypeError, OverflowError) as error:  # a value that the driver cannot send, or we not read
            raise RowsRejected(engine.reason(error)) from error


async def _named(connection: AsyncConnection, cdrs: Sequence[Cdr]) -> list[Cdr]:
    """Each under an id that no other call has: that of the call, unless an earlier call had the same."""
    rows_of = sa.select(cdr.c.call_id, cdr.c.created_at)
    found = await connection.execute(rows_of.where(cdr.c.call_id.in_([record.call_id for record in cdrs])))
    taken: dict[str, float] = {row.call_id: row.created_at for row in found}
    named = []
    for record in cdrs:
        name, number = record.call_id, 1
        while taken.setdefault(name, record.created_at) != record.created_at:
            number += 1
            name = f"{record.call_id}~{number}"
            at = await connection.scalar(sa.select(cdr.c.created_at).where(cdr.c.call_id == name))
            if at is not None:
                taken[name] = at
        named.append(msgspec.structs.replace(record, call_id=name))
    return named
