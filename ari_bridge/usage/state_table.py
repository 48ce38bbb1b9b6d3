"""`StateTable`: small values by key that outlive the process, read from memory and written in the background.

A change is in memory at once and on the disk some milliseconds later, in a thread: no call waits for it. Changes that
come meanwhile are written together. A killed process loses what it changed in these milliseconds; a power failure
loses some seconds. While the file cannot be written everything goes on from memory, and the write is tried again.
"""

import asyncio
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import msgspec
import structlog

from ari_bridge import atomic_file, tasks
from ari_bridge.sql.sqlite import transaction

RETRY_INTERVAL_S = 1.0
PURGE_INTERVAL_S = 60.0
_CREATE = "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at REAL NOT NULL)"
_PUT = "INSERT OR REPLACE INTO state VALUES (?, ?, ?)"
_DELETE = "DELETE FROM state WHERE key = ?"

log = structlog.get_logger(__name__)


class StateTable:
    """In the SQLite file `path`; None: in memory only.

    Values are JSON-ready. Each has an end: it is gone from then on, so that the table does not grow.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._values: dict[str, tuple[Any, float]] = {}
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()  # one write at a time
        self._file: _File | None = None
        self._purged_at = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._trouble = ""

    @property
    def reason(self) -> str:
        """Why it cannot be written; "" if it can."""
        return self._trouble

    # --- reading and changing --------------------------------------------------------------

    def get(self, key: str, now: float | None = None) -> Any:
        """The value; None if there is none, or it has ended."""
        value, expires_at = self._values.get(key, (None, 0.0))
        return value if expires_at > (time.time() if now is None else now) else None

    def set(self, key: str, value: Any, expires_at: float) -> None:
        """`value`: must not be changed afterwards. `expires_at`: Unix seconds."""
        self._values[key] = (value, expires_at)
        self._change(key)

    def delete(self, key: str) -> None:
        if self._values.pop(key, None) is not None:
            self._change(key)

    def items(self, prefix: str) -> list[tuple[str, Any]]:
        """The keys that begin so, without the prefix, and their values."""
        now = time.time()
        found = [(key, *entry) for key, entry in self._values.items() if key.startswith(prefix)]
        return [(key.removeprefix(prefix), value) for key, value, expires_at in found if expires_at > now]

    def _change(self, key: str) -> None:
        if self._path is not None:
            self._changed.add(key)
            self._wake.set()

    # --- the file --------------------------------------------------------------------------

    async def start(self) -> None:
        """Read the file. Never fails: one that is no database of ours is moved aside, and the values are lost."""
        if self._path is None:
            return
        try:
            self._file, rows = await asyncio.to_thread(_open, self._path)
            self._values = {key: (msgspec.json.decode(value), expires_at) for key, value, expires_at in rows}
        except (sqlite3.Error, OSError, msgspec.DecodeError) as error:
            self._failed(error)
        self._writing = asyncio.create_task(self._write_loop(), name=f"write {self._path.name}")

    async def close(self) -> None:
        """Writes what is not written yet."""
        await tasks.cancel(self._writing)
        if self._path is None:
            return
        await self._write()
        if self._file:
            await asyncio.to_thread(self._file.close)
            self._file = None

    async def _write_loop(self) -> None:
        while True:
            await tasks.wait_at_most(self._wake, PURGE_INTERVAL_S)
            self._wake.clear()
            self._purge()
            if self._changed and not await asyncio.shield(self._write()):
                await asyncio.sleep(RETRY_INTERVAL_S)
                self._wake.set()

    def _purge(self) -> None:
        now = time.time()
        if now - self._purged_at < PURGE_INTERVAL_S:
            return
        self._purged_at = now
        for key in [key for key, (_, expires_at) in self._values.items() if expires_at <= now]:
            del self._values[key]
            self._changed.add(key)

    async def _write(self) -> bool:
        async with self._lock:
            return await self._write_changed()

    async def _write_changed(self) -> bool:
        assert self._path
        changed, self._changed = self._changed, set()
        rows = [self._row(key) for key in changed]
        try:
            file = self._file
            if file is None or file.moved():
                rows = [self._row(key) for key in self._values]  # of a file that was deleted, everything
                file = await self._reopen(self._path)
            await asyncio.to_thread(file.write, rows)
        except (sqlite3.Error, OSError) as error:
            self._changed |= changed
            self._failed(error)
            return False
        if self._trouble:
            log.info("usage is written again", file=str(self._path))
        self._trouble = ""
        return True

    async def _reopen(self, path: Path) -> "_File":
        if self._file:
            await asyncio.to_thread(self._file.close)
        self._file = None
        file, _ = await asyncio.to_thread(_open, path)
        self._file = file
        return file

    def _row(self, key: str) -> tuple[str, str | None, float]:
        if key not in self._values:
            return key, None, 0.0
        value, expires_at = self._values[key]
        return key, msgspec.json.encode(value).decode(), expires_at

    def _failed(self, error: Exception) -> None:
        if str(error) != self._trouble:
            log.error("usage cannot be written: it goes on from memory", file=str(self._path), reason=str(error))
        self._trouble = str(error)


class _File:
    """The open file, for one thread at a time. Every method raises sqlite3.Error and OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        atomic_file.make_folder(path.parent)
        try:
            os.close(atomic_file.create_new(path))
        except FileExistsError:
            path.chmod(0o600)
        self._connection = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_CREATE)
        self._identity = atomic_file.identity(path)

    def read(self, now: float) -> list[tuple[str, str, float]]:
        return self._connection.execute("SELECT * FROM state WHERE expires_at > ?", (now,)).fetchall()

    def write(self, rows: list[tuple[str, str | None, float]]) -> None:
        """All of them or none; a value of None deletes."""
        with transaction(self._connection):
            self._connection.executemany(_PUT, [row for row in rows if row[1] is not None])
            self._connection.executemany(_DELETE, [(row[0],) for row in rows if row[1] is None])

    def moved(self) -> bool:
        """Whether the file was deleted or replaced while we have it open."""
        return atomic_file.identity(self.path) != self._identity

    def close(self) -> None:
        self._connection.close()


def _open(path: Path) -> tuple[_File, list[tuple[str, str, float]]]:
    """Raises sqlite3.Error, OSError. A file that is no database is moved aside first."""
    try:
        file = _File(path)
        return file, file.read(time.time())
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        aside = path.with_name(f"{path.name}.unreadable")
        log.error("usage cannot be read: moved the file aside", kept_as=str(aside), reason=str(error))
        for part in ("", "-wal", "-shm"):
            Path(f"{path}{part}").unlink(missing_ok=True) if part else path.replace(aside)
        file = _File(path)
        return file, []
