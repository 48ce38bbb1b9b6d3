"""The database of call detail records: a SQLite file of ours, or a PostgreSQL.

Every request has a deadline, and whatever goes wrong comes out as `CdrUnavailable` or `RowsRejected`; what to do about
it is the writer's, or the asker's.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ari_bridge import atomic_file
from ari_bridge.cdr import migrate, rows
from ari_bridge.cdr.cdr import Cdr
from ari_bridge.cdr.errors import CdrUnavailable, RowsRejected
from ari_bridge.cdr.query import CdrPage, Query
from ari_bridge.cdr.schema import cdr
from ari_bridge.cursor import Cursor

QUERY_TIMEOUT_S = 15.0
"""For each request, waiting for a connection included."""
CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 2.0
MAX_CONNECTIONS = 5
MAX_READERS = MAX_CONNECTIONS - 1
"""Who may ask at once besides the writer, so that it always finds a connection."""

TO_WRITE = "ari_bridge_to_write"
"""The execution option of connections for writing."""
_REFUSED = ("22", "23")  # SQLSTATE classes of PostgreSQL: data exception, integrity constraint violation


class Database:
    """`url`: postgresql://USER:PASS@HOST/DB, or "" for the SQLite file `file`. `name` tells people which; no password.

    Raises ValueError where the URL is none of PostgreSQL.
    """

    def __init__(self, url: str, file: Path) -> None:
        self._file = None if url else file
        self._identity: tuple[int, int] | None = None  # of the file, as opened
        self._readers = asyncio.Semaphore(MAX_READERS)
        self._engine = _sqlite(file) if self._file else _postgresql(url)
        self._to_write = self._engine.execution_options(**{TO_WRITE: True})
        address = self._engine.url
        self.name = str(file) if self._file else f"PostgreSQL {address.database} on {address.host or 'this machine'}"
        self._upsert = rows.upsert(self._engine.dialect.name)

    async def open(self) -> None:
        """Connect, and migrate the tables. Raises CdrUnavailable."""
        async with self._asked(migrate.MIGRATION_TIMEOUT_S):
            if self._file:
                _make_private(self._file)
                if atomic_file.identity(self._file) != self._identity:  # it was deleted or replaced
                    await self._drop_connections()
            async with self._engine.connect() as connection:
                ready = await connection.run_sync(migrate.at_head)
            if not ready:
                async with self._to_write.begin() as connection:
                    await connection.run_sync(migrate.upgrade)
            self._identity = atomic_file.identity(self._file) if self._file else None

    async def close(self) -> None:
        with suppress(CdrUnavailable):
            async with self._asked(CLOSE_TIMEOUT_S):
                await self._drop_connections()

    async def put(self, cdrs: Sequence[Cdr]) -> None:
        """Write all of them or none; existing rows are replaced. Raises CdrUnavailable, RowsRejected."""
        if self._file and atomic_file.identity(self._file) != self._identity:
            raise CdrUnavailable(f"{self.name} was deleted or replaced while in use")
        async with self._asked(QUERY_TIMEOUT_S), self._to_write.begin() as connection:
            await connection.execute(self._upsert, list(map(rows.to_row, cdrs)))

    async def missing(self, call_ids: Sequence[str]) -> list[str]:
        """Those without a row, in order. Raises CdrUnavailable."""
        async with self._asked(QUERY_TIMEOUT_S), self._engine.connect() as connection:
            found: set[str] = set((await connection.execute(rows.known(call_ids))).scalars())
        return [call_id for call_id in call_ids if call_id not in found]

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

    async def set_feedback(self, call_id: str, feedback: dict[str, Any]) -> bool:
        """Whether there is such a row. Raises CdrUnavailable, RowsRejected."""
        changed = sa.update(cdr).where(cdr.c.call_id == call_id).values(feedback=feedback)
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
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise CdrUnavailable(f"{self.name} did not answer in time") from None
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, OSError) as error:
            if _is_refusal(error):
                raise RowsRejected(_words(error)) from error
            raise CdrUnavailable(f"{self.name}: {_words(error)}") from error
        except (ValueError, TypeError, OverflowError) as error:  # a value that the driver cannot send, or we not read
            raise RowsRejected(_words(error)) from error


def postgresql_url(url: str) -> sa.URL:
    """The URL as SQLAlchemy wants it. Raises ValueError where it is none of PostgreSQL; its text has no password."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in ("postgresql", "postgres") or not parsed.database:
        raise ValueError("not a URL like postgresql://USER:PASSWORD@HOST/DATABASE")
    query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def _postgresql(url: str) -> AsyncEngine:
    return _engine(
        postgresql_url(url), {"timeout": CONNECT_TIMEOUT_S, "command_timeout": QUERY_TIMEOUT_S}, pool_pre_ping=True
    )


def _sqlite(file: Path) -> AsyncEngine:
    # mode=rw: only `open` makes the file, with the mode that it should have.
    address = sa.URL.create(
        "sqlite+aiosqlite", database=f"file:{quote(str(file.absolute()))}", query={"mode": "rw", "uri": "true"}
    )
    # isolation_level None: Python's module begins no transactions by itself, so that ours hold DDL too.
    engine = _engine(address, {"timeout": CONNECT_TIMEOUT_S, "isolation_level": None})

    def prepare(connection: Any, _: object) -> None:
        try:
            cursor = connection.cursor()
            # A killed process loses nothing; a power failure may lose the last seconds, which the call store has.
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute("PRAGMA synchronous = NORMAL")
            cursor.close()
        except BaseException:
            connection.close()  # it is not in use yet
            raise

    def begin(connection: sa.Connection) -> None:
        # Who will write takes the lock at once: one who has read first would be refused at the first write.
        to_write = connection.get_execution_options().get(TO_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if to_write else "BEGIN")

    sa.event.listen(engine.sync_engine, "connect", prepare)
    sa.event.listen(engine.sync_engine, "begin", begin)
    return engine


def _engine(url: sa.URL, connect_args: dict[str, Any], **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        connect_args=connect_args,
        pool_size=MAX_CONNECTIONS,
        max_overflow=0,
        pool_timeout=QUERY_TIMEOUT_S,
        hide_parameters=True,  # errors are logged, and name who called whom
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        **options,
    )


def _is_refusal(error: BaseException) -> bool:
    if isinstance(error, DataError | IntegrityError):
        return True
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return True  # a value was not taken on our side already
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return isinstance(state, str) and state.startswith(_REFUSED)


def _words(error: BaseException) -> str:
    """What the database said, in one line."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0][:300] if said else type(error).__name__


def _make_private(file: Path) -> None:
    atomic_file.make_folder(file.parent)
    try:
        os.close(atomic_file.create_new(file))
    except FileExistsError:
        pass
