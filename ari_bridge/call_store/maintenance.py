"""What the database needs from time to time: a look whether it is still there, checkpoints, and purging what is old."""

import asyncio
import sqlite3
import time

import structlog

from ari_bridge.call_store import sqlite_file
from ari_bridge.call_store.call_writer import CallWriter
from ari_bridge.call_store.database_handle import DatabaseHandle
from ari_bridge.call_store.process_lock import StoreRefused
from ari_bridge.call_store.sqlite_file import is_corrupt
from ari_bridge.call_store.status import StoreStatus
from ari_bridge.event_log import EventLog, Retention
from ari_bridge.tasks import TaskSet, wait_at_most

MAINTENANCE_INTERVAL_S = 60.0
PURGE_INTERVAL_S = 86400.0
PURGE_PAUSE_S = 0.01

log = structlog.get_logger(__name__)


class Maintenance:
    """Runs while the store is healthy.

    Args:
        handle: the database.
        status: whether the store is healthy; set when that changes.
        writer: writes what it buffered while maintenance had the file locked.
        events: the log, which is told what was purged of it.
        days: how long ended calls are kept.
        retention: how many events are kept.
        check_interval_s: seconds between looks whether the file is still there.
    """

    def __init__(
        self,
        handle: DatabaseHandle,
        status: StoreStatus,
        writer: CallWriter,
        events: EventLog,
        *,
        days: float,
        retention: Retention,
        check_interval_s: float,
    ) -> None:
        self._handle = handle
        self._status = status
        self._writer = writer
        self._events = events
        self._days = days
        self._retention = retention
        self._check_interval_s = check_interval_s
        self._tasks = TaskSet()

    def start(self) -> None:
        self._tasks.start(self._maintenance_loop(), name="call store: maintenance")
        self._tasks.start(self._check_loop(), name="call store: check")

    async def close(self) -> None:
        await self._tasks.cancel()

    async def _check_loop(self) -> None:
        """Find a folder that was deleted within a second, and not only with the next change of a call."""
        while True:
            await asyncio.sleep(self._check_interval_s)
            if not self._status.healthy or self._handle.database is None or self._status.maintenance_runs:
                continue
            try:
                self._handle.check()
            except (OSError, sqlite3.Error, StoreRefused) as error:
                self._status.write_failed(error)

    async def _maintenance_loop(self) -> None:
        purge_at = time.monotonic()
        while True:
            purge_due = time.monotonic() >= purge_at
            if self._status.healthy and (self._writer.writes or purge_due):
                if purge_due:
                    purge_at += PURGE_INTERVAL_S
                await self._maintain(time.time() - self._days * 86400 if purge_due else None)
            self._writer.many_writes.clear()
            await wait_at_most(self._writer.many_writes, MAINTENANCE_INTERVAL_S)

    async def _maintain(self, ended_before: float | None) -> None:
        """Delete calls that ended before then (Unix seconds), and move SQLite's write-ahead log into its file."""
        path = self._handle.path
        self._writer.writes = 0
        self._status.maintenance_runs = True
        try:
            while ended_before and await asyncio.to_thread(sqlite_file.purge, path, ended_before):
                await self._writer.flush_or_degrade()
                await asyncio.sleep(PURGE_PAUSE_S)
            await self._purge_events()
            await asyncio.to_thread(sqlite_file.checkpoint, path)
        except (sqlite3.Error, OSError) as error:
            if is_corrupt(error):
                self._status.degrade(error)
            else:
                log.warning("cannot run the call store's maintenance now", file=str(path), reason=str(error))
        finally:
            self._status.maintenance_runs = False
        if self._status.healthy:
            await self._writer.flush_or_degrade()

    async def _purge_events(self) -> None:
        purged = True
        while purged:
            purged, state = await asyncio.to_thread(sqlite_file.purge_events, self._handle.path, self._retention)
            if state:
                self._events.follow_state(state)
            if purged:
                await self._writer.flush_or_degrade()
                await asyncio.sleep(PURGE_PAUSE_S)
