"""Brings a database to the newest form of the table of call detail records."""

from pathlib import Path

from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from ari_bridge.cdr.errors import CdrUnavailable
from ari_bridge.cdr.schema import HEAD
from ari_bridge.sql.migrate import MIGRATION_TIMEOUT_S, Migrations, NewerTables

__all__ = ["MIGRATION_TIMEOUT_S", "at_head", "bring_up", "upgrade"]

_MIGRATIONS = Migrations(Path(__file__).parent / "migrations", HEAD)

at_head = _MIGRATIONS.are_done


def upgrade(connection: Connection) -> None:
    """All of it or nothing. Raises SQLAlchemyError, CdrUnavailable."""
    try:
        _MIGRATIONS.run(connection)
    except NewerTables as error:
        raise CdrUnavailable(str(error)) from error


async def bring_up(reading: AsyncEngine, writing: AsyncEngine) -> None:
    """As `upgrade`, unless it is done already. `writing`: the engine with TO_WRITE."""
    try:
        await _MIGRATIONS.bring_up(reading, writing)
    except NewerTables as error:
        raise CdrUnavailable(str(error)) from error
