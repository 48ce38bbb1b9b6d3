"""Writing calls and events: to the database while it works, to the write buffer while it does not."""

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

import structlog

from ari_bridge import metrics
from ari_bridge.call_store import clock
from ari_bridge.call_store.database_handle import DatabaseHandle
from ari_bridge.call_store.rows import Row, persisted_values, to_call_or_none, to_row
from ari_bridge.call_store.sqlite_file import Database
from ari_bridge.call_store.status import StoreStatus
from ari_bridge.call_store.write_buffer import WriteBuffer
from ari_bridge.event_log import EventLog, LoggedEvent
from ari_bridge.event_log import table as event_table
from ari_bridge.fsm.call import Call
from ari_bridge.hooks import HookEvent
from ari_bridge.ids import stem_of

WRITES_PER_MAINTENANCE = 1000
EVENTS_PER_BATCH = 200

log = structlog.get_logger(__name__)


class CallWriter:
    """Knows the newest row of each live call, so that it can be written again to another file.

    Args:
        handle: the database.
        status: whether to write there.
        buffer: where rows go otherwise.
        events: the log, whose events are written with the calls.
    """

    def __init__(self, handle: DatabaseHandle, status: StoreStatus, buffer: WriteBuffer, events: EventLog) -> None:
        self.writes = 0  # to the database, since the last maintenance
        self.many_writes = asyncio.Event()  # so many that it is time for maintenance
        self._handle = handle
        self._status = status
        self._buffer = buffer
        self._events = events
        self._live: dict[str, tuple[tuple[Any, ...], Row]] = {}  # by stem; as last saved
        self._revision = 0  # of the newest row that is known

    # --- what is known -------------------------------------------------------------------

    def load(self, stored: Iterable[Row]) -> list[Call]:
        """Merge the database's rows with those of a journal: of two rows of a call the newer one counts.

        Returns the live calls.
        """
        newest = dict(self._buffer.rows)
        for row in stored:
            if row.id not in newest or row.revision > newest[row.id].revision:
                newest[row.id] = row
                self._buffer.rows.pop(row.id, None)
        found = []
        for row in newest.values():
            self.seen(row)
            if not row.ended and (call := to_call_or_none(row)):
                self._live[row.id] = (persisted_values(call), row)
                found.append(call)
        return found

    def seen(self, row: Row) -> None:
        """Rows that are written from now on are newer than this one."""
        self._revision = max(self._revision, row.revision)

    @property
    def live_rows(self) -> list[Row]:
        return [row for _, row in self._live.values()]

    def newest_row(self, stem: str) -> Row | None:
        """Of a live call, or of one that is in the buffer; others are in the database alone."""
        _, row = self._live.get(stem, (None, None))
        return row or self._buffer.rows.get(stem)

    # --- writing -------------------------------------------------------------------------

    def save(self, call: Call, events: Sequence[HookEvent] = ()) -> None:
        """Never raises. Writes no call if nothing that is persisted has changed since the last save."""
        self._events.add(events, call)
        self._write(self._changed(call))

    def write_events(self) -> None:
        """Those that wait. Never raises."""
        if self._events.pending and self._status.open:
            self._write(None)

    def _changed(self, call: Call) -> Row | None:
        """The row to be written, which counts as saved from now on."""
        values = persisted_values(call)
        try:
            known = self._live.get(stem_of(call.id))
            if known and known[0] == values:
                return None
            self._revision = max(self._revision + 1, time.time_ns() // 1000)
            row = to_row(call, self._revision, time.time())
        except (UnicodeError, TypeError):
            metrics.STORE_WRITE_FAILURES.inc()
            log.exception("cannot encode the row of a call", call=call.id)
            return None
        if row.ended:
            self._live.pop(row.id, None)
        else:
            self._live[row.id] = (values, row)
        return row

    def _write(self, row: Row | None) -> None:
        events = self._events.numbered()
        if row is None and not events:
            return
        if self._put([row] if row else [], events) or self._buffer.add(row, events):
            self._events.committed(events)
            if self._events.pending:
                self._events.on_pending()

    def buffer_live(self) -> None:
        """The file may be lost for good: buffer every live call, not only those that change."""
        self._buffer.add_all(self.live_rows)

    async def flush(self) -> None:
        """Write the buffer to the database. Raises sqlite3.Error, OSError: what is not written is still buffered."""
        while not self._buffer.empty:
            for batch in self._buffer.batches():
                self._database().put(batch)
                self._buffer.written(batch)
                await asyncio.sleep(0)
            while events := self._buffer.events_to_write(EVENTS_PER_BATCH):
                self._database().put([], events)
                self._buffer.events_written(events)
                await asyncio.sleep(0)
            if not self._buffer.rows:
                self._buffer.clear()
                return

    async def flush_or_degrade(self) -> None:
        try:
            await self.flush()
        except (sqlite3.Error, OSError) as error:
            self._status.degrade(error)

    def open_log(self) -> None:
        """The file is open: see what it has of the log, and that it was opened now. Raises sqlite3.Error, OSError."""
        connection = self._database().connection()
        if found := event_table.state(connection):
            self._events.follow_state(found)
        event_table.set_state(connection, clock.read().boot, self._events.purged_to, self._events.ari_purged_to)

    def _database(self) -> Database:
        if self._handle.database is None:
            raise sqlite3.OperationalError("not open")
        return self._handle.database

    def _put(self, rows: Sequence[Row], events: Sequence[LoggedEvent]) -> bool:
        if not self._status.healthy or self._handle.database is None:
            metrics.STORE_WRITE_FAILURES.inc()
            return False
        try:
            self._handle.database.put(rows, events)
        except (sqlite3.Error, OSError) as error:
            self._status.write_failed(error)
            return False
        for row in rows:
            self._buffer.outdated(row.id)
        self.writes += 1
        if self.writes >= WRITES_PER_MAINTENANCE:
            self.many_writes.set()
        return True
