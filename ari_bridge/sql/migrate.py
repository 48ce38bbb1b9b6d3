"""Brings a database to the newest form of its tables. One process at a time; others wait, and find it done."""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

MIGRATION_TIMEOUT_S = 60.0
"""How long a process waits while another one migrates."""

_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
_LOCK = 0x61726962  # "arib": an advisory lock of PostgreSQL's, ours by convention


class NewerTables(Exception):
    """A newer version of this program has changed the tables; `migration` is what is said of its migration."""

    def __init__(self, migration: str) -> None:
        super().__init__(migration)
        self.migration = migration

    def __str__(self) -> str:
        return f"a newer version of this program has changed its tables ({self.migration}): start that one"


@dataclass(frozen=True)
class Migrations:
    """The migrations of some tables.

    Args:
        folder: With `versions/`.
        head: The newest migration.
        version_table: Says which migration the tables are at; each set of tables in one database has its own.
    """

    folder: Path
    head: str
    version_table: str = "alembic_version"

    def are_done(self, connection: Connection) -> bool:
        """Whether the tables have the newest form: the usual start, which then spares itself Alembic."""
        try:
            found = connection.scalar(sa.text(f"SELECT version_num FROM {self.version_table}"))
        except DBAPIError:  # there is no such table: a fresh database; or it is away, and that is met again
            return False
        return bool(found == self.head)

    async def bring_up(self, reading: AsyncEngine, writing: AsyncEngine) -> None:
        """Run those that are not done yet. `writing`: the engine with TO_WRITE. Raises SQLAlchemyError, NewerTables."""
        async with reading.connect() as connection:
            if await connection.run_sync(self.are_done):
                return
        # Alembic's `op` is global: of two databases in one process, one waits for the other.
        async with _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock()), writing.begin() as connection:
            await connection.run_sync(self.run)

    def run(self, connection: Connection) -> None:
        """All of them or none, within the transaction that is open: in SQLite one that has the lock already.

        Raises SQLAlchemyError, NewerTables.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"SET LOCAL lock_timeout = {int(MIGRATION_TIMEOUT_S * 1000)}"))
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        self.move(connection, self.head)

    def move(self, connection: Connection, revision: str, *, back: bool = False) -> None:
        """Run those between the tables' migration and `revision`. Raises SQLAlchemyError, NewerTables."""
        # Here, as it takes a tenth of a second and is needed once in a database's life.
        from alembic.config import Config
        from alembic.runtime.environment import EnvironmentContext
        from alembic.util import CommandError

        scripts = _scripts(self.folder)
        between = scripts._downgrade_revs if back else scripts._upgrade_revs  # as in Alembic's cookbook
        with EnvironmentContext(Config(), scripts, fn=lambda found, _: between(revision, found)) as environment:
            environment.configure(connection, version_table=self.version_table)
            try:
                with environment.begin_transaction():
                    environment.run_migrations()
            except CommandError as error:  # it has a migration that we do not know
                raise NewerTables(str(error)) from error


@cache
def _scripts(folder: Path) -> "ScriptDirectory":
    """Read once in a process: it is half of a migration's time."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(folder))
