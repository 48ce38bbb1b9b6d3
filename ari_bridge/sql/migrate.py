"""Brings a database to the newest form of its tables. One process at a time; others wait, and find it done."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

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
        folder: With `env.py` and `versions/`.
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
        # Here, as it takes a tenth of a second and is needed once in a database's life.
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"SET LOCAL lock_timeout = {int(MIGRATION_TIMEOUT_S * 1000)}"))
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = Config(attributes={"connection": connection, "version_table": self.version_table})
        config.set_main_option("script_location", str(self.folder).replace("%", "%%"))
        try:
            command.upgrade(config, "head")
        except CommandError as error:  # it has a migration that we do not know
            raise NewerTables(str(error)) from error
