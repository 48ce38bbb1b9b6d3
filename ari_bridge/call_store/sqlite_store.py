"""`SqliteCallStore`: the call store in a SQLite file. The package's docstring has the theory of operation."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from ari_bridge.call_store import clock, idempotency_keys, paging, spill_journal, sqlite_file
from ari_bridge.call_store.call_writer import CallWriter
from ari_bridge.call_store.database_handle import DatabaseHandle
from ari_bridge.call_store.maintenance import Maintenance
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.repair import Repair
from ari_bridge.call_store.rows import Row, to_call_or_none
from ari_bridge.call_store.spill_journal import SpillJournal
from ari_bridge.call_store.sqlite_file import is_busy, is_corrupt
from ari_bridge.call_store.status import StoreState, StoreStatus
from ari_bridge.call_store.write_buffer import WriteBuffer
from ari_bridge.cursor import Cursor
from ari_bridge.event_log import EventLog, Retention
from ari_bridge.event_log import table as event_table
from ari_bridge.fsm.call import Call
from ari_bridge.hooks import HookEvent
from ari_bridge.ids import is_call_id, stem_of

RETRY_INTERVAL_S = 1.0
START_TIMEOUT_S = 5.0
"""How long the start waits for a file that another program has locked: without it, live calls are unknown."""

log = structlog.get_logger(__name__)


class SqliteCallStore:
    """Puts the parts of the call store together, and is what the engine asks.

    Args:
        state_dir: the folder of the file; one process at a time may use it.
        days: how long ended calls are kept.
        retention: how much of the event log is kept.
        journal_dir: where the journal is written; by default see `spill_journal.directory`.
        retry_interval_s: seconds between attempts to repair a database that cannot be written.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        days: float = 30,
        retention: Retention | None = None,
        journal_dir: Path | None = None,
        retry_interval_s: float = RETRY_INTERVAL_S,
    ) -> None:
        folder = journal_dir or spill_journal.directory(state_dir)
        self._handle = DatabaseHandle(state_dir)
        self._buffer = WriteBuffer(SpillJournal(folder / spill_journal.name(state_dir)))
        self.status = StoreStatus(self._handle.path, self._buffer.journal.path)
        self.events = EventLog(self._handle.path, lambda: self._buffer.events.values())
        self._writer = CallWriter(self._handle, self.status, self._buffer, self.events)
        self._repair = Repair(self._handle, self.status, self._buffer, self._writer, self.events, retry_interval_s)
        self._maintenance = Maintenance(
            self._handle,
            self.status,
            self._writer,
            self.events,
            days=days,
            retention=retention or Retention(),
            check_interval_s=retry_interval_s,
        )
        self._events_due = False  # they are written at the end of the loop's turn
        kept_for = min(idempotency_keys.KEY_RETENTION_S, days * 86400)
        self.keys = idempotency_keys.SqliteKeys(self._connection, self.status.write_failed, kept_for)
        self._found: list[Call] = []  # live calls at the start

    @property
    def path(self) -> Path:
        return self._handle.path

    @property
    def instance(self) -> str:
        """The name of the state directory, the same over restarts; "" before the start."""
        return self._handle.instance.name

    @property
    def healthy(self) -> bool:
        """Whether the database takes writes."""
        return self.status.healthy

    @property
    def reason(self) -> str:
        """Why the database takes no writes; "" while it does."""
        reason = self.status.reason
        failed = reason and self._buffer.journal_failed
        return f"{reason}; nor can the journal {self._buffer.journal.path}" if failed else reason

    # --- start and end -----------------------------------------------------------------

    async def start(self) -> None:
        """Read what an earlier process left. Raises StoreRefused: the file is in use, or too new."""
        try:
            with suppress(OSError):  # raised again when the database is opened
                self._handle.lock.take()
            self._handle.instance.take()
            self._buffer.load()
            stored = await self._read_database()
        except BaseException:
            self._handle.lock.release()
            raise
        self._found = self._writer.load(stored)
        self._start_log()
        if not self.status.buffering:
            self.status.start()
            await self._writer.flush_or_degrade()
        self.events.on_pending = self._write_events_soon
        self._writer.write_events()
        self.status.on_degraded = self._repair.start
        if self.status.buffering:
            self._repair.start()
        self.status.publish()
        self._maintenance.start()

    async def close(self) -> None:
        """What cannot be written even now is left in the journal for the next process."""
        self.status.on_degraded = None
        self._writer.write_events()
        await self._maintenance.close()
        await self._repair.close()
        if not self._buffer.empty:
            await self._repair.attempt()
        await asyncio.to_thread(self._handle.close)
        self._buffer.close()
        self._handle.lock.release()
        self.status.close()

    def _start_log(self) -> None:
        found = None
        try:
            if self._handle.database:
                found = event_table.state(self._handle.database.connection())
        except (sqlite3.Error, OSError) as error:
            self.status.degrade(error)
        # After a reboot the end may be lost: SQLite does not wait for the disk. Nor is a journal in memory there then.
        same_boot = found is not None and found.boot == clock.read().boot
        self.events.start(found, self._buffer.events.values(), certain=same_boot and not self._buffer.refused)
        try:
            if self._handle.database:
                self._writer.open_log()
        except (sqlite3.Error, OSError) as error:
            self.status.degrade(error)

    def _write_events_soon(self) -> None:
        if not self._events_due:
            self._events_due = True
            asyncio.get_running_loop().call_soon(self._write_events)

    def _write_events(self) -> None:
        self._events_due = False
        self._writer.write_events()

    async def _read_database(self) -> list[Row]:
        """The rows of live calls, and of calls that are in the buffer; degrades the store if it cannot be opened.

        Raises StoreRefused.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                return self._handle.open().live(self._buffer.rows)
            except (sqlite3.Error, OSError) as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    self.status.degrade(error)
                    break
            await asyncio.sleep(0.05)
        self._handle.close()
        try:
            if self.status.state is StoreState.CORRUPT:
                rows = await self._repair.replace_corrupt()
                self.status.recover(len(rows))
                return rows
            return await asyncio.to_thread(
                sqlite_file.read_copy, self.path, self._buffer.journal.path.parent, [*self._buffer.rows]
            )
        except FileNotFoundError:
            return []
        except (sqlite3.Error, OSError) as error:
            log.error("cannot read the live calls of an earlier process", file=str(self.path), reason=str(error))
            return []

    # --- what the engine asks ------------------------------------------------------------

    def save(self, call: Call, events: Sequence[HookEvent] = ()) -> None:
        """Never raises. Writes no call if nothing that is persisted has changed since the last save."""
        self._writer.save(call, events)

    def live(self) -> list[Call]:
        """What was live at the start, oldest first."""
        return sorted(self._found, key=lambda call: call.created_at)

    def get(self, call_id: str) -> Call | None:
        return self.of_stem(stem_of(call_id)) if is_call_id(call_id) else None

    def of_stem(self, stem: str) -> Call | None:
        row = self._writer.newest_row(stem)
        if row is None and self._handle.database:
            try:
                row = self._handle.database.get(stem)
            except sqlite3.Error as error:
                log.error("cannot read a call", call=stem, file=str(self.path), reason=str(error))
                if is_corrupt(error):
                    self.status.degrade(error)
        return to_call_or_none(row) if row else None

    async def ended_after(self, ended_at: float, stem: str = "", *, at_most: int = 200) -> list[tuple[float, str]]:
        """Including the buffer. Raises StoreRefused."""
        try:
            found = await asyncio.to_thread(sqlite_file.ended_after, self.path, ended_at, stem, at_most)
        except (sqlite3.Error, OSError) as error:
            raise StoreRefused(f"{self.path} cannot be read: {error}") from error
        buffered = [(row.ended_at, row.id) for row in self._buffer.rows.values() if row.ended_at is not None]
        merged = {*found, *(key for key in buffered if key > (ended_at, stem))}
        return sorted(merged)[:at_most]

    async def started_before(self, cursor: Cursor, *, at_most: int) -> tuple[list[Call], Cursor | None]:
        """Including the buffer. Raises StoreRefused."""
        known = [*self._buffer.rows.values(), *self._writer.live_rows]
        rows, following = await paging.started_before(self.path, known, cursor, at_most)
        return [call for row in rows if (call := to_call_or_none(row))], following

    def _connection(self) -> sqlite3.Connection:
        """To a database that takes writes. Raises sqlite3.OperationalError, OSError."""
        if not self.healthy or self._handle.database is None:
            raise sqlite3.OperationalError(self.status.reason or "it is closed")
        return self._handle.database.connection()
