"""SQLite files that are used without SQLAlchemy: by the event loop itself, or read from outside."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


def uri_of(path: Path, mode: str) -> str:
    """For `sqlite3.connect(…, uri=True)`. `mode`: ro, or rw: neither creates the file."""
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything within, or nothing of it. `connection`: in autocommit mode (`isolation_level=None`).

    It takes the lock at once: one who has read first would be refused at the first write. Raises sqlite3.Error.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
