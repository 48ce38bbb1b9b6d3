"""Requests with an `Idempotency-Key`: stored before they are carried out, so that none is carried out twice.

If a row cannot be written or read, the request is rejected: a call that its retry does not find is worse than none.
In the same file as the calls, in a table that older versions leave alone.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from ari_bridge.errors import TooMany, Unavailable
from ari_bridge.sql.sqlite import transaction, uri_of

KEY_RETENTION_S = 86400.0
MAX_KEYS = 100_000
"""Of all users; of one user a tenth. More are rejected: forgetting one early would make its retry a second call."""
MAX_SALVAGED_KEYS = 20_000
"""The newest ones of a corrupt file: reading more would delay everything else."""
PURGE_BATCH_KEYS = 20
"""Deleted with each new one, so that the table shrinks as fast as it grows."""

CREATE = (
    """CREATE TABLE IF NOT EXISTS keys (
        number INTEGER PRIMARY KEY, user TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
        call_id TEXT NOT NULL, kept_at REAL NOT NULL, answer TEXT, UNIQUE (user, key)
    )""",
    "CREATE INDEX IF NOT EXISTS keys_by_time ON keys (kept_at)",
)
_COLUMNS = "SELECT user, key, fingerprint, call_id, kept_at, answer FROM keys"
_NEWEST = f"{_COLUMNS} ORDER BY number DESC LIMIT ?"
_PUT = """INSERT INTO keys (user, key, fingerprint, call_id, kept_at, answer) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (user, key) DO UPDATE SET answer = excluded.answer"""
_DROP = "DELETE FROM keys WHERE user = ? AND key = ?"
_PURGE = "DELETE FROM keys WHERE number IN (SELECT number FROM keys WHERE kept_at <= ? ORDER BY kept_at LIMIT ?)"
# The newest has the highest number, and the oldest goes first: no table is read to know how many there are at most.
_AT_MOST = "SELECT coalesce(max(number) - min(number) + 1, 0) FROM keys"
_OF_USER = "SELECT count(*) FROM (SELECT 1 FROM keys WHERE user = ? LIMIT ?)"


class StoredResponse(msgspec.Struct, frozen=True):
    """What was answered, as sent."""

    status: int
    body: str
    content_type: str = "application/json"
    tag: str = ""  # as the header ETag has it; "": none


class Key(msgspec.Struct, frozen=True):
    """One key. `user`: "" without sign-in. `fingerprint`: of the request. `kept_at`: Unix seconds."""

    user: str
    key: str
    fingerprint: str
    call_id: str  # of the call that is placed or commanded
    kept_at: float
    answer: StoredResponse | None = None  # None: not there yet, or lost with its process


class KeyStoreUnavailable(Unavailable):
    """The file cannot be used now."""


class KeyStore(Protocol):
    """Called in the event loop; never waits. Every method raises KeyStoreUnavailable."""

    def get(self, user: str, key: str) -> Key | None:
        """None also for one that has expired."""

    def put(self, key: Key) -> None:
        """Once it returns, a killed process does not lose the key. Raises TooMany."""

    def drop(self, key: Key) -> None:
        """The request had no effect: the key may be used again."""


class SqliteKeys:
    """The keys in the call store's database.

    Args:
        connection: to the database, if that works; raises sqlite3.Error or OSError.
        failed: called with an error of the database.
        seconds: how long a key is kept.
    """

    def __init__(
        self,
        connection: Callable[[], sqlite3.Connection],
        failed: Callable[[Exception], None],
        seconds: float = KEY_RETENTION_S,
    ) -> None:
        self._connection = connection
        self._failed = failed
        self._seconds = seconds

    def get(self, user: str, key: str) -> Key | None:
        found = self._try(lambda on: on.execute(f"{_COLUMNS} WHERE user = ? AND key = ?", (user, key)).fetchone())
        known = _key(found) if found else None
        return known if known and known.kept_at > self._expired_at() else None

    def put(self, key: Key) -> None:
        self._try(lambda on: self._put(on, key))

    def drop(self, key: Key) -> None:
        self._try(lambda on: on.execute(_DROP, (key.user, key.key)))

    def _put(self, on: sqlite3.Connection, key: Key) -> None:
        with transaction(on):
            on.execute(_PURGE, (self._expired_at(), PURGE_BATCH_KEYS))
            if key.answer is None:
                on.execute(_DROP, (key.user, key.key))  # an earlier one, which has expired
                _check_room(on, key.user)
            on.execute(_PUT, _columns(key))

    def _expired_at(self) -> float:
        return time.time() - self._seconds

    def _try(self, act: Callable[[sqlite3.Connection], Any]) -> Any:
        try:
            return act(self._connection())
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            raise KeyStoreUnavailable(f"the Idempotency-Key cannot be stored ({error})", retry_after=1.0) from error


def _check_room(on: sqlite3.Connection, user: str) -> None:
    of_user = MAX_KEYS // 10
    if on.execute(_OF_USER, (user, of_user)).fetchone()[0] >= of_user:
        raise TooMany(f"This user has {of_user} Idempotency-Keys, which is the limit: use none, or wait.")
    if on.execute(_AT_MOST).fetchone()[0] >= MAX_KEYS:
        raise TooMany(f"{MAX_KEYS} Idempotency-Keys are stored, which is the limit: use none, or wait.")


def salvage(path: Path, at_most: int = MAX_SALVAGED_KEYS) -> list[Key]:
    """What can still be read of a corrupt file, the newest first. Never raises."""
    keys = []
    try:
        connection = sqlite3.connect(uri_of(path, "ro"), uri=True)
    except sqlite3.Error:
        return []
    try:
        for found in connection.execute(_NEWEST, (at_most,)):
            keys.append(_key(found))
    except (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError):
        pass  # it was read up to a broken page
    finally:
        connection.close()
    return keys


def newest(connection: sqlite3.Connection, at_most: int) -> list[Key]:
    """The newest first. Raises sqlite3.Error."""
    return list(map(_key, connection.execute(_NEWEST, (at_most,))))


def restore(connection: sqlite3.Connection, keys: Iterable[Key]) -> None:
    """Into a fresh file, all or none. Raises sqlite3.Error."""
    with transaction(connection):
        connection.executemany(_PUT, map(_columns, reversed(list(keys))))


def _columns(key: Key) -> tuple[Any, ...]:
    answer = msgspec.json.encode(key.answer).decode() if key.answer else None
    return key.user, key.key, key.fingerprint, key.call_id, key.kept_at, answer


def _key(found: tuple[Any, ...]) -> Key:
    user, key, fingerprint, call_id, kept_at, answer = found
    response = msgspec.json.decode(answer, type=StoredResponse) if answer else None
    return Key(user, key, fingerprint, call_id, kept_at, response)
