"""The database of the audit log: `audit.db` in the state folder, or a PostgreSQL.

However many processes write it, there is one chain: whoever adds an entry holds the lock on the head until the entry
is written. Every request has a deadline, and whatever goes wrong comes out as AuditUnavailable or EntryRejected.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from ari_bridge.audit import schema
from ari_bridge.audit.action import Action
from ari_bridge.audit.chain import Break, Chain, Head
from ari_bridge.audit.entry import Entry, Unsealed, seal
from ari_bridge.audit.errors import AuditUnavailable, EntryRejected
from ari_bridge.audit.new_entry import new_entry
from ari_bridge.audit.query import MAX_PAGE_ENTRIES, AuditPage, AuditQuery
from ari_bridge.audit.schema import audit, head
from ari_bridge.cursor import Cursor
from ari_bridge.sql.database import SqlDatabase
from ari_bridge.sql.migrate import Migrations

FILE = "audit.db"
REQUEST_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 3
MAX_READERS = MAX_CONNECTIONS - 1
"""So that the writer always finds a connection."""
PURGE_ENTRIES = 5_000
"""Deleted in one transaction."""
_MIGRATIONS = Migrations(Path(__file__).parent / "migrations", schema.HEAD, schema.VERSION_TABLE)


class Database(SqlDatabase):
    """Entries in rows.

    Args:
        url: postgresql://USER:PASSWORD@HOST/DATABASE, or "" for the SQLite file.
        file: The SQLite file.

    Raises ValueError if the URL is not one of PostgreSQL.
    """

    def __init__(self, url: str, file: Path) -> None:
        super().__init__(
            url,
            file,
            _MIGRATIONS.bring_up,
            AuditUnavailable,
            refused=EntryRejected,
            connections=MAX_CONNECTIONS,
            synchronous="FULL",
        )
        self._readers = asyncio.Semaphore(MAX_READERS)

    async def append(self, batch: Sequence[Unsealed]) -> Head:
        """Write all of them or none, except those that are there already: a write that seemed to fail may have
        succeeded. Returns the head after it. Raises AuditUnavailable, EntryRejected.
        """
        self._check_same_file()
        async with self._asked(REQUEST_TIMEOUT_S), self._to_write.begin() as connection:
            last = await _locked_head(connection)
            known = sa.select(audit.c.id).where(audit.c.id.in_([one.id for one in batch]))
            written = set((await connection.execute(known)).scalars())
            return await _append(connection, last, [one for one in batch if one.id not in written])

    async def purge(self, before: float) -> int:
        """Delete the oldest entries from before then (Unix seconds), at most PURGE_ENTRIES; how many.

        The first that is younger stays, and all after it. What was deleted is written to the log in the same
        transaction. Raises AuditUnavailable.
        """
        self._check_same_file()
        async with self._asked(REQUEST_TIMEOUT_S), self._to_write.begin() as connection:
            last = await _locked_head(connection)
            first = await connection.scalar(sa.select(sa.func.min(audit.c.number)))
            young = await connection.scalar(sa.select(sa.func.min(audit.c.number)).where(audit.c.at >= before))
            if first is None or (young is not None and young <= first):
                return 0
            through = min(first + PURGE_ENTRIES, last.number + 1 if young is None else young) - 1
            sealed = await connection.scalar(sa.select(audit.c.hash).where(audit.c.number == through))
            if sealed is None:
                raise AuditUnavailable(f"entry {through} is missing: `ari-bridge audit verify` shows what is")
            await _append(connection, last, [_purge_entry(first, through, sealed)])
            await connection.execute(sa.delete(audit).where(audit.c.number <= through))
            return int(through - first + 1)

    async def page(self, query: AuditQuery) -> AuditPage:
        """Raises AuditUnavailable."""
        async with self._asked(REQUEST_TIMEOUT_S), self._readers, self._engine.connect() as connection:
            rows = (await connection.execute(_page(query))).all()
        entries = tuple(map(_entry, rows[: query.limit]))
        more = len(rows) > query.limit
        return AuditPage(entries, str(Cursor(entries[-1].at, str(entries[-1].number))) if more else None)

    async def head(self) -> Head:
        """The last entry. Raises AuditUnavailable."""
        async with self._asked(REQUEST_TIMEOUT_S), self._readers, self._engine.connect() as connection:
            return await _head(connection)

    async def last_of(self, actions: Sequence[Action], object: str) -> Entry | None:
        """The last entry of one of these actions. Raises AuditUnavailable."""
        wanted = (audit.c.action.in_(actions), audit.c.object == object)
        asked = sa.select(audit).where(*wanted).order_by(audit.c.number.desc()).limit(1)
        async with self._asked(REQUEST_TIMEOUT_S), self._readers, self._engine.connect() as connection:
            row = (await connection.execute(asked)).one_or_none()
        return _entry(row) if row else None

    async def verify(self, known: Head | None = None) -> tuple[Chain, list[Break]]:
        """Read everything. Entries that are added meanwhile are not looked at. Raises AuditUnavailable."""
        chain = Chain(known)
        breaks: list[Break] = []
        async with self._snapshot() as connection:
            async with self._asked(REQUEST_TIMEOUT_S):
                last = await _head(connection)
            while True:
                after = sa.select(audit).where(audit.c.number > chain.last.number, audit.c.number <= last.number)
                async with self._asked(REQUEST_TIMEOUT_S):
                    page = after.order_by(audit.c.number).limit(MAX_PAGE_ENTRIES)
                    rows = (await connection.execute(page)).all()
                if not rows:
                    break
                breaks += chain.check(map(_entry, rows))
        return chain, [*breaks, *chain.end(last)]

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees the database as it is now, however long it reads."""
        reading = self._engine
        if not self._file:
            reading = reading.execution_options(isolation_level="REPEATABLE READ")
        async with self._asked(REQUEST_TIMEOUT_S):
            await self._readers.acquire()
        try:
            async with self._asked(REQUEST_TIMEOUT_S):
                connection = await reading.connect()
            try:
                yield connection
            finally:
                await connection.close()
        finally:
            self._readers.release()


async def _head(connection: AsyncConnection) -> Head:
    row = (await connection.execute(sa.select(head.c.number, head.c.hash))).one()
    return Head(row.number, row.hash)


async def _locked_head(connection: AsyncConnection) -> Head:
    """Nobody else adds an entry until the transaction ends. SQLite has locked the whole file already."""
    row = (await connection.execute(sa.select(head.c.number, head.c.hash).with_for_update())).one()
    return Head(row.number, row.hash)


async def _append(connection: AsyncConnection, last: Head, batch: Sequence[Unsealed]) -> Head:
    entries = []
    if batch and last.number == 0:
        batch = [new_entry(Action.AUDIT_BEGIN), *batch]
    for unsealed in batch:
        entry = seal(last.number + 1, last.hash, unsealed)
        last = Head(entry.number, entry.hash)
        entries.append(_row(entry))
    if entries:
        await connection.execute(sa.insert(audit), entries)
        await connection.execute(sa.update(head).values(number=last.number, hash=last.hash))
    return last


def _purge_entry(first: int, through: int, hash: str) -> Unsealed:
    return new_entry(
        Action.AUDIT_PURGE, f"{first}-{through}", details={"first": first, "through": through, "hash": hash}
    )


def _page(query: AuditQuery) -> sa.Select[Any]:
    wanted: list[sa.ColumnElement[bool]] = []
    if query.since is not None:
        wanted.append(audit.c.at >= query.since)
    if query.until is not None:
        wanted.append(audit.c.at < query.until)
    if query.actor is not None:
        wanted.append(sa.or_(audit.c.actor == query.actor, audit.c.actor_id == query.actor))
    for column, value in (
        (audit.c.action, query.action),
        (audit.c.object, query.object),
        (audit.c.result, query.result),
    ):
        if value is not None:
            wanted.append(column == str(value))
    if query.before is not None:
        wanted.append(audit.c.number < query.before)
    return sa.select(audit).where(*wanted).order_by(audit.c.number.desc()).limit(query.limit + 1)


def _row(entry: Entry) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in Entry.__struct_fields__}
    for name in ("actor_kind", "action", "result"):
        values[name] = str(values[name])
    return {**values, "details": msgspec.json.encode(entry.details).decode()}


def _entry(row: sa.Row[Any]) -> Entry:
    """Whatever the row holds: somebody may have changed it, and that is to be seen, not to fail."""
    values = dict(row._mapping)
    try:
        details = msgspec.json.decode(values["details"], type=dict[str, Any])
    except msgspec.MsgspecError:
        details = {"unreadable": values["details"]}
    return Entry(**{**values, "details": details})
