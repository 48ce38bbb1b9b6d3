"""Brings a database to the newest form of the table. One process at a time; others wait, and find it done."""

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from ari_bridge.cdr.errors import CdrUnavailable
from ari_bridge.cdr.schema import HEAD

MIGRATION_TIMEOUT_S = 60.0
"""How long a process waits while another one migrates."""

_LOCK = 0x61726962  # "arib": an advisory lock of PostgreSQL's, ours by convention


def at_head(connection: Connection) -> bool:
    """Whether the database has the newest form: the usual start, which then spares itself Alembic."""
    try:
        found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    except DBAPIError:  # there is no such table: a fresh database; or it is away, and that is met again
        return False
    return bool(found == HEAD)


def upgrade(connection: Connection) -> None:
    """Completely or not at all, within the open transaction: in SQLite one that has the lock already.

    Raises SQLAlchemyError, CdrUnavailable.
    """
    # Here, as it takes a tenth of a second and is needed once in a database's life.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SET LOCAL lock_timeout = {int(MIGRATION_TIMEOUT_S * 1000)}"))
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:  # it has a migration that we do not know
        raise CdrUnavailable(
            f"a newer version of this program has changed its tables ({error}): start that one"
        ) from error
