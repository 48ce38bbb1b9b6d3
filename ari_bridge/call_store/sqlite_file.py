"""The SQLite file: rows in, rows out. Errors are raised; `status` and `repair` decide what to do about them.

The write-ahead log makes a save one append to a file, without waiting for the disk: a killed process loses nothing, a
power failure may lose the last seconds but cannot corrupt the file. What does wait for the disk is `checkpoint`, which
moves the log into the file; it has its own connection and runs in a thread.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Any

import msgspec

from ari_bridge import atomic_file
from ari_bridge.call_store import idempotency_keys
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.rows import Row
from ari_bridge.event_log import LoggedEvent, Retention
from ari_bridge.event_log import table as event_table
from ari_bridge.sql.sqlite import transaction, uri_of

SCHEMA = 1
"""Stored as `user_version`. Raise it together with a step in `_migrate` that upgrades older files."""
MAX_WAL_BYTES = 16 * 1024 * 1024
"""The write-ahead log is cut to this once its content is in the file."""
PURGE_BATCH_ROWS = 200

_CREATE = (
    # revision: of two writes of one call the higher one counts. ended_at: NULL until the call's last state.
    """CREATE TABLE calls (
        id TEXT PRIMARY KEY, revision INTEGER NOT NULL, created_at REAL NOT NULL, ended_at REAL, record TEXT NOT NULL
    )""",
    "CREATE INDEX calls_by_end ON calls (ended_at)",
    f"PRAGMA user_version = {SCHEMA}",
)
_ADDITIONS = (
    "CREATE INDEX IF NOT EXISTS calls_by_begin ON calls (created_at, id)",
    *idempotency_keys.CREATE,
    *event_table.CREATE,
)
"""Not a reason for a newer schema: a version that does not know these leaves them alone."""
_PUT = """INSERT INTO calls (id, revision, created_at, ended_at, record) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, created_at = excluded.created_at,
    ended_at = excluded.ended_at, record = excluded.record WHERE excluded.revision > revision"""
_COLUMNS = "SELECT id, revision, created_at, ended_at, record FROM calls"
_ENDED_AFTER = "SELECT ended_at, id FROM calls WHERE (ended_at, id) > (?, ?) ORDER BY ended_at, id LIMIT ?"
_NEWEST = f"{_COLUMNS} ORDER BY ended_at IS NOT NULL, created_at DESC LIMIT ?"
_STARTED_BEFORE = f"{_COLUMNS} WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?"
_PURGE = "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE ended_at < ? LIMIT ?)"

_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_PASSING = _BUSY | {sqlite3.SQLITE_FULL}


class FileMoved(OSError):
    """The file was deleted or replaced while we have it open: what we write to it would not be found again."""


class ForeignDatabase(sqlite3.DatabaseError):
    """A database of another program."""


def is_corrupt(error: BaseException) -> bool:
    """Whether the file cannot be used, now or later."""
    return _code(error) in _CORRUPT or isinstance(error, ForeignDatabase)


def is_busy(error: BaseException) -> bool:
    return _code(error) in _BUSY


def is_passing(error: BaseException) -> bool:
    """Whether the connection still works: a retry is enough, and it can read meanwhile."""
    return _code(error) in _PASSING


class Database:
    """One connection, for one thread at a time. Every method raises sqlite3.Error and OSError."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises StoreRefused too: a newer version wrote it."""
        self.path = path
        _make_private(path)
        self._connection = _connect(path)
        try:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("PRAGMA wal_autocheckpoint = 0")
            self._connection.execute("PRAGMA cell_size_check = ON")
            self._migrate()
            self._check_schema()
            for statement in _ADDITIONS:
                self._connection.execute(statement)
            self._files = [(name, atomic_file.identity(name)) for name in (str(path), f"{path}-wal")]
        except BaseException:
            self._connection.close()
            raise

    def put(self, rows: Sequence[Row], events: Sequence[LoggedEvent] = ()) -> None:
        """Write all of it or nothing. A row is ignored if the database has a higher revision of its call."""
        connection = self.connection()
        if len(rows) == 1 and not events:
            connection.execute(_PUT, _columns(rows[0]))
            return
        with transaction(connection):
            connection.executemany(_PUT, map(_columns, rows))
            event_table.insert(connection, events)

    def connection(self) -> sqlite3.Connection:
        """The connection, if the file is still where it was. Raises FileMoved too."""
        for name, identity in self._files:
            if atomic_file.identity(name) != identity:
                raise FileMoved(f"{name} was deleted or replaced while in use")
        return self._connection

    def get(self, call_id: str) -> Row | None:
        found = self._connection.execute(f"{_COLUMNS} WHERE id = ?", (call_id,)).fetchone()
        return _row(found) if found else None

    def live(self, and_also: Iterable[str] = ()) -> list[Row]:
        """The calls that have not ended, and those with these ids."""
        return _live(self._connection, and_also)

    def everything(self, at_most: int) -> tuple[list[Row], list[idempotency_keys.Key], list[LoggedEvent]]:
        """Calls, live ones before others, keys and events, the newest; also of a deleted file. Runs in a thread."""
        found = self._connection.execute(
            f"{_COLUMNS} ORDER BY ended_at IS NOT NULL, created_at DESC LIMIT ?", (at_most,)
        )
        calls = list(map(_row, found))
        keys = idempotency_keys.newest(self._connection, at_most)
        return calls, keys, event_table.newest(self._connection, at_most)

    def close(self) -> None:
        """Moves the log into the file, if it can: this may wait for the disk."""
        self._connection.close()

    def _migrate(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise StoreRefused(
                f"{self.path} was written by a newer version (schema {version}, this one knows {SCHEMA}). "
                "Start that version, or move the file away: its calls are then unknown."
            )
        if version < SCHEMA:
            with transaction(self._connection):
                for statement in _CREATE:
                    self._connection.execute(statement)

    def _check_schema(self) -> None:
        """Raises ForeignDatabase if the table is not ours. It also makes SQLite open its log."""
        try:
            self._connection.execute(f"{_COLUMNS} LIMIT 1").fetchone()
        except sqlite3.OperationalError as error:
            if _code(error) == sqlite3.SQLITE_ERROR:
                raise ForeignDatabase(f"{self.path} has other tables than ours: {error}") from error
            raise


def purge(path: Path, ended_before: float) -> bool:
    """Delete some of the calls that ended before then (Unix seconds). Whether there were any. Runs in a thread."""
    connection = _connect(path)
    try:
        connection.execute("PRAGMA busy_timeout = 1000")
        return connection.execute(_PURGE, (ended_before, PURGE_BATCH_ROWS)).rowcount > 0
    finally:
        connection.close()


def purge_events(path: Path, retention: Retention) -> tuple[bool, event_table.LogState | None]:
    """Delete some events that need not be kept: whether there were any, and what the log is now. Runs in a thread."""
    connection = _connect(path)
    try:
        connection.execute("PRAGMA busy_timeout = 1000")
        return event_table.purge(connection, retention), event_table.state(connection)
    finally:
        connection.close()


def salvage_events(path: Path, at_most: int) -> list[LoggedEvent]:
    """The newest events of a corrupt file, up to a broken page. Never raises. Runs in a thread."""
    try:
        connection = _connect(path, "ro")
    except sqlite3.Error:
        return []
    try:
        return event_table.newest(connection, at_most)
    finally:
        connection.close()


def ended_after(path: Path, ended_at: float, call_id: str, at_most: int) -> list[tuple[float, str]]:
    """When each of the calls ended that ended after this one, and its id, oldest first. Runs in a thread."""
    connection = _connect(path, "ro")
    try:
        connection.execute("PRAGMA busy_timeout = 1000")
        return connection.execute(_ENDED_AFTER, (ended_at, call_id, at_most)).fetchall()
    finally:
        connection.close()


def started_before(path: Path, place: tuple[float, str], at_most: int) -> list[Row]:
    """The calls that started before `place` (start time, call id), newest first. Runs in a thread: many are read."""
    connection = _connect(path)
    try:
        connection.execute("PRAGMA busy_timeout = 1000")
        return list(map(_row, connection.execute(_STARTED_BEFORE, (*place, at_most))))
    finally:
        connection.close()


def checkpoint(path: Path) -> None:
    """Move the log into the file. Runs in a thread, as it waits for the disk; it does not block writes.

    The next write would start a new log, and wait for the disk: so that is done here too, and meanwhile the file is
    busy.
    """
    connection = _connect(path)
    try:
        connection.execute("PRAGMA busy_timeout = 1000")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL_BYTES}")
        _, frames, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if frames == done:
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
    finally:
        connection.close()


def move_aside(path: Path) -> Path:
    """Rename a corrupt file and its log to a name with the time. It must not be open."""
    aside = path.with_name(f"{path.name}.corrupt-{datetime.now():%Y%m%d-%H%M%S-%f}")
    for part in ("", "-wal", "-shm"):
        try:
            os.rename(f"{path}{part}", f"{aside}{part}")
        except FileNotFoundError:
            continue
    return aside


def salvage(path: Path, at_most: int) -> list[Row]:
    """The rows that can still be read of a corrupt file, live calls before others. Never raises."""
    rows: dict[str, Row] = {}
    try:
        connection = _connect(path, "ro")
    except sqlite3.Error:
        return []
    # Each query goes on until it meets a broken page: together they read what lies before and behind it.
    for way in ("WHERE ended_at IS NULL", "NOT INDEXED ORDER BY rowid DESC", "NOT INDEXED ORDER BY rowid"):
        try:
            for found in connection.execute(f"{_COLUMNS} {way}"):
                if len(rows) >= at_most:
                    break
                try:
                    row = _row(found)
                except (TypeError, AttributeError):
                    continue
                rows[row.id] = row
        except (sqlite3.Error, UnicodeDecodeError):
            continue
    connection.close()
    return list(rows.values())


def read_copy(path: Path, directory: Path, and_also: Iterable[str] = ()) -> list[Row]:
    """As `Database.live`, of a file that cannot be opened where it is (read-only, no room): from a copy.

    It must not be open in this process.
    """
    with tempfile.TemporaryDirectory(prefix="ari-bridge-", dir=directory) as copies:
        copy = Path(copies) / path.name
        for part in ("", "-wal"):
            if os.path.exists(f"{path}{part}"):
                copyfile(f"{path}{part}", f"{copy}{part}")
        connection = _connect(copy)
        try:
            return _live(connection, and_also)
        finally:
            connection.close()


def _live(connection: sqlite3.Connection, and_also: Iterable[str]) -> list[Row]:
    found = list(connection.execute(f"{_COLUMNS} WHERE ended_at IS NULL"))
    for call_id in and_also:
        found += connection.execute(f"{_COLUMNS} WHERE id = ?", (call_id,))
    return list(map(_row, found))


def _connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    # timeout 0: the event loop never waits for another's lock.
    return sqlite3.connect(uri_of(path, mode), uri=True, timeout=0, isolation_level=None, check_same_thread=False)


def _make_private(path: Path) -> None:
    """Never opens an existing file: closing it would release SQLite's locks on it (POSIX)."""
    atomic_file.make_folder(path.parent)
    try:
        os.close(atomic_file.create_new(path))
    except FileExistsError:
        if os.stat(path).st_mode & 0o077:
            os.chmod(path, 0o600)


def _code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None)  # the lower byte is the primary code
    return None if code is None else code & 0xFF


def _columns(row: Row) -> tuple[Any, ...]:
    return row.id, row.revision, row.created_at, row.ended_at, bytes(row.record).decode()


def _row(found: tuple[Any, ...]) -> Row:
    call_id, revision, created_at, ended_at, record = found
    return Row(call_id, revision, created_at, ended_at, msgspec.Raw(record.encode()))
