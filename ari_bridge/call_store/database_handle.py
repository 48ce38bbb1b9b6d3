"""The database, open or not, under the lock of its folder: one process writes to a state directory."""

import sqlite3
from contextlib import suppress
from pathlib import Path

import structlog

from ari_bridge.call_store.instance import FILE as INSTANCE
from ari_bridge.call_store.instance import Instance
from ari_bridge.call_store.process_lock import ProcessLock
from ari_bridge.call_store.sqlite_file import Database

FILE = "calls.sqlite3"

log = structlog.get_logger(__name__)


class DatabaseHandle:
    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / FILE
        self.lock = ProcessLock(self.path.with_suffix(".lock"))
        self.instance = Instance(state_dir / INSTANCE)
        self.database: Database | None = None

    def open(self) -> Database:
        """Open it, unless it is open. Raises StoreRefused, sqlite3.Error, OSError."""
        self.lock.take()
        if self.database is None:
            self.database = Database(self.path)
        return self.database

    def close(self) -> None:
        opened, self.database = self.database, None
        if opened:
            with suppress(sqlite3.Error):  # the next process to open the file finishes what is left to do
                opened.close()

    def check(self) -> None:
        """Notice a folder or a file that was deleted or replaced. Raises StoreRefused, sqlite3.Error, OSError."""
        self.lock.take()
        if self.instance.restore():
            log.error("the state directory's identity file was deleted: writing it again")
        if self.database:
            self.database.connection()
