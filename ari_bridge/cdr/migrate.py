"""Brings a database to the newest form of the table of call detail records."""

from pathlib import Path

from sqlalchemy.engine import Connection

from ari_bridge.cdr.errors import CdrUnavailable
from ari_bridge.cdr.schema import HEAD
from ari_bridge.sql.migrate import MIGRATION_TIMEOUT_S, Migrations, NewerTables

SECONDS = MIGRATION_TIMEOUT_S

_MIGRATIONS = Migrations(Path(__file__).parent / "migrations", HEAD)

at_head = _MIGRATIONS.are_done


def upgrade(connection: Connection) -> None:
    """All of it or nothing. Raises SQLAlchemyError, CdrUnavailable."""
    try:
        _MIGRATIONS.run(connection)
    except NewerTables as error:
        raise CdrUnavailable(
            f"a newer version of this program has changed its tables ({error}): start that one"
        ) from error
