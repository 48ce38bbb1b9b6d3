"""The log's table, in the file of the call store. Every function raises sqlite3.Error.

A version that does not know the table leaves it alone.
"""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ari_bridge.event_log.event import ARI, EventCall, LoggedEvent
from ari_bridge.event_log.retention import Retention
from ari_bridge.sql.sqlite import transaction

PURGE_BATCH_EVENTS = 500

CREATE = (
    """CREATE TABLE IF NOT EXISTS events (
        number INTEGER PRIMARY KEY, at REAL NOT NULL, name TEXT NOT NULL, call_id TEXT, call TEXT, data TEXT NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS events_by_call ON events (call_id, number)",  # also read to count
    f"CREATE INDEX IF NOT EXISTS events_of_ari ON events (number) WHERE name = '{ARI}'",
    # One row. boot: of the machine, when the log was last opened. purged_to: the newest number that was deleted.
    """CREATE TABLE IF NOT EXISTS event_log (
        one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL, purged_to INTEGER NOT NULL,
        ari_purged_to INTEGER NOT NULL
    )""",
)
# A number is written twice with the same event only: after a write that seemed to fail, or from a journal.
_PUT = "INSERT OR REPLACE INTO events (number, at, name, call_id, call, data) VALUES (?, ?, ?, ?, ?, ?)"
_COLUMNS = "SELECT number, at, name, call_id, call, data FROM events"
_STATE = "SELECT boot, purged_to, ari_purged_to, coalesce((SELECT max(number) FROM events), 0) FROM event_log"
_SET_STATE = "INSERT OR REPLACE INTO event_log (one, boot, purged_to, ari_purged_to) VALUES (1, ?, ?, ?)"
_OLDEST = "SELECT number, at FROM events ORDER BY number LIMIT ?"
_OLDEST_OF_ARI = f"SELECT number FROM events WHERE name = '{ARI}' ORDER BY number LIMIT ?"
_COUNT_OF_ARI = f"SELECT count(*) FROM events WHERE name = '{ARI}'"


class LogState(msgspec.Struct, frozen=True):
    """`boot`: the machine's boot id when the log was last opened. `last`: the newest number.

    `purged_to`: the newest number that was deleted; `ari_purged_to`: the same of Asterisk's events.
    """

    boot: str
    purged_to: int
    ari_purged_to: int
    last: int


def state(connection: sqlite3.Connection) -> LogState | None:
    """None: the log is new."""
    found = connection.execute(_STATE).fetchone()
    if not found:
        return None
    boot, purged_to, ari_purged_to, last = found
    return LogState(boot, purged_to, ari_purged_to, max(last, purged_to, ari_purged_to))


def set_state(connection: sqlite3.Connection, boot: str, purged_to: int, ari_purged_to: int) -> None:
    connection.execute(_SET_STATE, (boot, purged_to, ari_purged_to))


def insert(connection: sqlite3.Connection, events: Iterable[LoggedEvent]) -> None:
    connection.executemany(_PUT, map(_columns, events))


def after(
    connection: sqlite3.Connection, number: int, at_most: int, *, call_id: str | None = None, ari: bool = True
) -> list[LoggedEvent]:
    """The events after that number, in order; only those of one call, or without Asterisk's own."""
    where = "number > ?" if call_id is None else "number > ? AND call_id = ?"
    values = (number, at_most) if call_id is None else (number, call_id, at_most)
    if not ari:
        where += f" AND name <> '{ARI}'"
    return list(map(_event, connection.execute(f"{_COLUMNS} WHERE {where} ORDER BY number LIMIT ?", values)))


def newest(connection: sqlite3.Connection, at_most: int) -> list[LoggedEvent]:
    """In order; of a file that is damaged, those up to a broken page. Runs in a thread."""
    found: list[LoggedEvent] = []
    try:
        for row in connection.execute(f"{_COLUMNS} ORDER BY number DESC LIMIT ?", (at_most,)):
            found.append(_event(row))
    except (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError):
        pass
    return found[::-1]


def restore(connection: sqlite3.Connection, events: Sequence[LoggedEvent], boot: str, last: int) -> LogState:
    """Into a fresh file: the events of the old one that could be read, and that those before are not there.

    Args:
        connection: to the fresh file.
        events: in order.
        boot: the machine's boot id.
        last: the newest number that was used.
    """
    purged_to = events[0].number - 1 if events else last
    with transaction(connection):
        insert(connection, events)
        set_state(connection, boot, purged_to, purged_to)
    return LogState(boot, purged_to, purged_to, last)


def purge(connection: sqlite3.Connection, retention: Retention) -> bool:
    """Delete some of what need not be kept. Whether there was any. Runs in a thread."""
    before = time.time() - retention.days * 86400
    # Counted without a lock: that takes longer than a write may wait.
    of_ari = connection.execute(_COUNT_OF_ARI).fetchone()[0]
    others = connection.execute("SELECT count(*) FROM events").fetchone()[0] - of_ari
    oldest = connection.execute(_OLDEST, (PURGE_BATCH_EVENTS,)).fetchall()
    excess = others - retention.events
    purged = [number for place, (number, at) in enumerate(oldest) if at < before or place < excess]
    excess = max(0, min(of_ari - retention.ari_events, PURGE_BATCH_EVENTS))
    purged_of_ari = [number for (number,) in connection.execute(_OLDEST_OF_ARI, (excess,))]
    if not purged and not purged_of_ari:
        return False
    with transaction(connection):
        for numbers, column in ((purged, "purged_to"), (purged_of_ari, "ari_purged_to")):
            connection.executemany("DELETE FROM events WHERE number = ?", [(number,) for number in numbers])
            connection.execute(f"UPDATE event_log SET {column} = max({column}, ?)", (max(numbers, default=0),))
    return True


def _columns(event: LoggedEvent) -> tuple[Any, ...]:
    call = msgspec.json.encode(event.call).decode() if event.call else None
    return event.number, event.at, event.name, event.call_id, call, bytes(event.data).decode()


def _event(row: tuple[Any, ...]) -> LoggedEvent:
    number, at, name, call_id, call, data = row
    known = msgspec.json.decode(call, type=EventCall) if call else None
    return LoggedEvent(number, at, name, call_id, msgspec.Raw(data.encode()), known)
