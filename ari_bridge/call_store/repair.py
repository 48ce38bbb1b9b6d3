"""Getting the database to take writes again: tried every second while the store is degraded."""

import asyncio
import sqlite3
from pathlib import Path

import structlog

from ari_bridge import tasks
from ari_bridge.call_store import clock, idempotency_keys, sqlite_file
from ari_bridge.call_store.call_writer import CallWriter
from ari_bridge.call_store.database_handle import DatabaseHandle
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.rows import Row, to_call_or_none
from ari_bridge.call_store.sqlite_file import is_passing
from ari_bridge.call_store.status import StoreState, StoreStatus
from ari_bridge.call_store.write_buffer import MAX_ROWS, WriteBuffer
from ari_bridge.event_log import EventLog, LoggedEvent
from ari_bridge.event_log import table as event_table

MAX_RESCUED_ROWS = 20_000
"""Calls, and events, the newest, that are read out of a file which was deleted."""

log = structlog.get_logger(__name__)


class Repair:
    """Writes what is buffered, and before that replaces a file that is lost.

    Args:
        handle: the database.
        status: what is wrong with it.
        buffer: what is to be written.
        writer: knows the live calls, which a fresh file gets all of.
        events: the log, of which a fresh file gets the newest.
        interval_s: seconds between attempts.
    """

    def __init__(
        self,
        handle: DatabaseHandle,
        status: StoreStatus,
        buffer: WriteBuffer,
        writer: CallWriter,
        events: EventLog,
        interval_s: float,
    ) -> None:
        self._handle = handle
        self._status = status
        self._buffer = buffer
        self._writer = writer
        self._events = events
        self._interval_s = interval_s
        self._task: asyncio.Task[None] | None = None
        self._salvaged: tuple[list[idempotency_keys.Key], list[LoggedEvent]] | None = None
        """Of a file that was replaced: what is not in the fresh file yet."""

    def start(self) -> None:
        """The store is degraded: buffer every live call, and try until it is not."""
        self._writer.buffer_live()
        self._task = asyncio.create_task(self._loop(), name="call store: repair")

    async def close(self) -> None:
        await tasks.cancel(self._task)

    async def attempt(self) -> None:
        """Try once to write everything that is buffered."""
        if self._status.maintenance_runs:  # its connection must be closed before the file is moved or reopened
            return
        rows = len(self._buffer.rows)
        try:
            if self._status.state is StoreState.CORRUPT:
                await self.replace_corrupt()
            elif self._status.state is StoreState.MOVED:
                await self._rescue()
            self._handle.open()
            self._restore()
            self._writer.open_log()
            await self._writer.flush()
        except StoreRefused as error:
            self._status.refuse(str(error))
        except (sqlite3.Error, OSError) as error:
            self._status.degrade(error)
            if not is_passing(error):
                self._handle.close()
        else:
            self._status.recover(rows)
            self._writer.write_events()

    async def replace_corrupt(self) -> list[Row]:
        """Start a fresh file with every row that is known or can still be read; keep the old one under another name.

        Returns the rows that could be read. Raises StoreRefused, sqlite3.Error, OSError.
        """
        path, reason = self._handle.path, self._status.reason
        self._handle.close()
        rows = await asyncio.to_thread(_readable_rows, path)
        keys = await asyncio.to_thread(idempotency_keys.salvage, path)
        events = await asyncio.to_thread(sqlite_file.salvage_events, path, MAX_RESCUED_ROWS)
        for row in rows:
            self._writer.seen(row)
        self._buffer.add_all([*rows, *self._writer.live_rows])
        moved = sqlite_file.move_aside(path)
        self._status.replaced()
        self._salvaged = keys, events
        log.error(
            "THE CALL STORE WAS CORRUPT: started a new one with the rows that could be read, and kept the old file",
            file=str(path),
            kept_as=str(moved),
            reason=reason,
            rows=len(rows),
        )
        self._restore()
        return rows

    async def _rescue(self) -> None:
        """Read the rows of a file that was moved or deleted: possible for as long as we have it open."""
        self._status.replaced()
        opened = self._handle.database
        if opened is None:
            return
        try:
            rows, keys, events = await asyncio.to_thread(opened.everything, MAX_RESCUED_ROWS)
        except sqlite3.Error as error:
            log.error("ended calls are lost with the call store's file", reason=str(error))
            rows, keys, events = [], [], []
        self._handle.close()
        self._buffer.add_all(rows)
        self._salvaged = keys, events

    def _restore(self) -> None:
        """Write what was salvaged into the fresh file, or keep it. Raises StoreRefused, sqlite3.Error, OSError."""
        if self._salvaged is None:
            return
        keys, read = self._salvaged
        connection = self._handle.open().connection()
        idempotency_keys.restore(connection, keys)
        self._restore_events(connection, read)
        self._salvaged = None

    def _restore_events(self, connection: sqlite3.Connection, read: list[LoggedEvent]) -> None:
        """Those that were read, and after them what memory still has."""
        events = {event.number: event for event in [*read, *self._events.recent]}
        ordered = [events[number] for number in sorted(events)]
        # At the start of a process nothing says which numbers the file had: its log has no boot, and so no certain end.
        boot = clock.read().boot if self._events.last else ""
        last = max(self._events.last, ordered[-1].number if ordered else 0)
        self._events.follow_state(event_table.restore(connection, ordered, boot, last))

    async def _loop(self) -> None:
        while self._status.buffering:
            await asyncio.sleep(self._interval_s)
            await self.attempt()


def _readable_rows(path: Path) -> list[Row]:
    return [row for row in sqlite_file.salvage(path, MAX_ROWS) if to_call_or_none(row)]
