"""What all databases of this server have in common: how they are opened, asked, and closed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from ari_bridge import atomic_file
from ari_bridge.sql import engine
from ari_bridge.sql.engine import TO_WRITE
from ari_bridge.sql.migrate import MIGRATION_TIMEOUT_S, NewerTables

CLOSE_TIMEOUT_S = 2.0


class SqlDatabase:
    """An SQLite file in the state folder, or a PostgreSQL. Every request has a deadline.

    Args:
        url: postgresql://USER:PASSWORD@HOST/DATABASE, or "" for the SQLite file.
        file: The SQLite file.
        bring_up: Migrates the tables (`Migrations.bring_up`).
        unavailable: What is raised whatever goes wrong, with its reason.
        refused: What is raised instead for a value that the database will never take; None: `unavailable` too.
        connections: How many at once.
        connect_timeout: Seconds; of a file, how long it may be locked.
        synchronous: See `sqlite_engine`.

    `name` tells people which database it is, without a password. Raises ValueError if the URL is not one of PostgreSQL.
    """

    def __init__(
        self,
        url: str,
        file: Path,
        bring_up: Callable[[AsyncEngine, AsyncEngine], Awaitable[None]],
        unavailable: type[Exception],
        *,
        refused: type[Exception] | None = None,
        connections: int,
        connect_timeout: float = engine.CONNECT_TIMEOUT_S,
        synchronous: str = "NORMAL",
    ) -> None:
        self._file = None if url else file
        self._identity: tuple[int, int] | None = None  # of the file, as opened
        self._bring_up = bring_up
        self._unavailable = unavailable
        self._refused = refused
        if url:
            self._engine = engine.postgresql_engine(url, connect_timeout=connect_timeout, connections=connections)
        else:
            self._engine = engine.sqlite_engine(
                file, connect_timeout=connect_timeout, connections=connections, synchronous=synchronous
            )
        self._to_write = self._engine.execution_options(**{TO_WRITE: True})
        self.name = engine.name_of(self._engine, self._file)

    async def open(self) -> None:
        """Connect, and bring the tables to their newest form. Raises `unavailable`."""
        async with self._asked(MIGRATION_TIMEOUT_S):
            if self._file:
                engine.make_private(self._file)
                if atomic_file.identity(self._file) != self._identity:  # it was deleted, or replaced
                    await self._drop_connections()
            await self._bring_up(self._engine, self._to_write)
            self._identity = atomic_file.identity(self._file) if self._file else None

    async def close(self) -> None:
        with suppress(self._unavailable):
            async with self._asked(CLOSE_TIMEOUT_S):
                await self._drop_connections()

    async def _drop_connections(self) -> None:
        await engine.dispose(self._engine)

    def _check_same_file(self) -> None:
        """Raises `unavailable`: what is written to a file that was deleted is lost."""
        if self._file and atomic_file.identity(self._file) != self._identity:
            raise self._unavailable(f"{self.name} was deleted or replaced while in use")

    @asynccontextmanager
    async def _asked(self, seconds: float) -> AsyncIterator[None]:
        """Around a request. Raises `unavailable`, `refused`."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise self._unavailable(f"{self.name} did not answer in time") from None
        except NewerTables as error:
            raise self._unavailable(f"{self.name}: {error}") from error
        except engine.FAILURES as error:
            if self._refused and engine.is_refusal(error):
                raise self._refused(engine.reason(error)) from error
            raise self._unavailable(f"{self.name}: {engine.reason(error)}") from error
