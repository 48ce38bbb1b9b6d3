"""Engines of SQLAlchemy as this server uses them, and what their errors mean."""

import asyncio
import os
import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from ari_bridge import atomic_file

REQUEST_TIMEOUT_S = 15.0
"""For each request, waiting for a connection included."""
POLL_INTERVAL_S = 0.01
GIVEN_BACK_WITHIN_S = 1.0
CONNECT_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 5

TO_WRITE = "ari_bridge_to_write"
"""The execution option of connections for writing."""
FAILURES = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, OSError)
"""What a database that does not work raises."""
_REFUSED = ("22", "23")  # SQLSTATE classes of PostgreSQL: data exception, integrity constraint violation


def postgresql_url(url: str) -> sa.URL:
    """The URL as SQLAlchemy wants it. Raises ValueError if it is not one of PostgreSQL; its text has no password."""
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername not in ("postgresql", "postgres") or not parsed.database:
        raise ValueError("not a URL like postgresql://USER:PASSWORD@HOST/DATABASE")
    query = {"ssl" if name == "sslmode" else name: value for name, value in parsed.query.items()}
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def name_of(engine: AsyncEngine, file: Path | None) -> str:
    """Which database it is, for people; without a password. `file`: of SQLite."""
    if file:
        return str(file)
    url = engine.url
    return f"PostgreSQL {url.database} on {url.host or 'this machine'}"


def postgresql_engine(
    url: str, *, connect_timeout: float = CONNECT_TIMEOUT_S, connections: int = MAX_CONNECTIONS
) -> AsyncEngine:
    """Raises ValueError if the URL is not one of PostgreSQL."""
    options = {"timeout": connect_timeout, "command_timeout": REQUEST_TIMEOUT_S}
    return _engine(postgresql_url(url), options, connections, pool_pre_ping=True)


def sqlite_engine(
    file: Path,
    *,
    connect_timeout: float = CONNECT_TIMEOUT_S,
    connections: int = MAX_CONNECTIONS,
    synchronous: str = "NORMAL",
) -> AsyncEngine:
    """The file has to be there (`make_private`).

    Args:
        synchronous: SQLite's pragma. With NORMAL a killed process loses nothing, and a power failure perhaps the last
            seconds; with FULL neither does.
    """
    # mode=rw: only `make_private` creates the file, with the mode that it should have.
    address = sa.URL.create(
        "sqlite+aiosqlite", database=f"file:{quote(str(file.absolute()))}", query={"mode": "rw", "uri": "true"}
    )
    # isolation_level None: Python's module begins no transactions by itself, so that ours hold DDL too.
    engine = _engine(address, {"timeout": connect_timeout, "isolation_level": None}, connections)

    def prepare(connection: Any, _: object) -> None:
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute(f"PRAGMA synchronous = {synchronous}")
            cursor.close()
        except BaseException:
            connection.close()  # nobody else knows it yet
            raise

    def begin(connection: sa.Connection) -> None:
        # Who will write takes the lock at once: one who has read first would be refused at the first write.
        to_write = connection.get_execution_options().get(TO_WRITE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if to_write else "BEGIN")

    sa.event.listen(engine.sync_engine, "connect", prepare)
    sa.event.listen(engine.sync_engine, "begin", begin)
    return engine


def is_refusal(error: BaseException) -> bool:
    """The database works, and does not take this value: it never will."""
    if isinstance(error, DataError | IntegrityError):
        return True
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return True  # a value was refused on our side already
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return isinstance(state, str) and state.startswith(_REFUSED)


def reason(error: BaseException) -> str:
    """What the database said, in one line."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    return said[0][:300] if said else type(error).__name__


async def dispose(engine: AsyncEngine) -> None:
    """Close all connections; those in use too, if they are given back in time: one that is later is never closed."""
    pool, until = engine.pool, time.monotonic() + GIVEN_BACK_WITHIN_S
    used = pool.checkedout if isinstance(pool, AsyncAdaptedQueuePool) else int
    while used() and time.monotonic() < until:  # noqa: ASYNC110  nobody tells
        await asyncio.sleep(POLL_INTERVAL_S)
    await engine.dispose()


def make_private(file: Path) -> None:
    """Create the file with mode 600 unless it exists. Raises OSError."""
    atomic_file.make_folder(file.parent)
    try:
        os.close(atomic_file.create_new(file))
    except FileExistsError:
        pass


def _engine(url: sa.URL, connect_args: dict[str, Any], connections: int, **options: Any) -> AsyncEngine:
    return create_async_engine(
        url,
        connect_args=connect_args,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=REQUEST_TIMEOUT_S,
        hide_parameters=True,  # errors are logged, and the values name people
        json_serializer=lambda value: msgspec.json.encode(value).decode(),
        json_deserializer=msgspec.json.decode,
        **options,
    )
