"""The call memory in force: a SQLite file, and what happens when it cannot be written.

Trouble never reaches a call. What the database does not take is set aside: in memory (the newest of each
call) and in the journal, and written as soon as the database takes it again; tried every second. Where a
file is lost or corrupt, a fresh one gets all that we know. The operator is told when it breaks and when it
heals, in one line each.
"""

import asyncio
import sqlite3
import time
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import structlog

from ari_bridge import metrics
from ari_bridge.calls.state import Call
from ari_bridge.ids import CALL_ID_PATTERN
from ari_bridge.store import database, journal
from ari_bridge.store.database import Database, is_busy, is_corrupt, is_passing
from ari_bridge.store.journal import Journal
from ari_bridge.store.lock import Lock, StoreRefused
from ari_bridge.store.record import Row, kept, to_call, to_row

FILE = "calls.sqlite3"
RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
"""How long the start waits for a file that another program has locked: without it, live calls are unknown."""
TIDY_SECONDS = 60.0
TIDY_WRITES = 1000
PURGE_SECONDS = 86400.0
BATCH = 100
"""Rows written without letting the event loop do anything else: about 2 ms."""
MOST_ASIDE = 100_000
"""Calls set aside in memory (about 100 MB); above it the oldest ended ones are in the journal alone."""

log = structlog.get_logger(__name__)


class SqliteStore:
    """`days`: how long ended calls are kept. `journal_dir`: where the journal goes, by default see `journal.directory`.

    `healthy`: the database takes writes. `reason`: why it does not; "" where it does.
    """

    def __init__(self, state_dir: Path, *, days: float = 30, journal_dir: Path | None = None) -> None:
        self.path = state_dir / FILE
        self.healthy = True
        self._reason = ""
        self._days = days
        self._lock = Lock(self.path.with_suffix(".lock"))
        self._journal = Journal((journal_dir or journal.directory(state_dir)) / journal.name(state_dir))
        self._database: Database | None = None
        self._live: dict[str, tuple[tuple[Any, ...], Row]] = {}  # of each call that has not ended, as last saved
        self._found: list[Call] = []  # live calls at the start
        self._aside: dict[str, Row] = {}  # what the database has not taken yet, oldest first
        self._only_in_journal = False  # something was set aside that memory had no room for
        self._journal_failed = False
        self._broken_since = 0.0  # on the monotonic clock
        self._revision = 0
        self._writes = 0  # since the last tidying
        self._tidying = False  # somebody of ours may hold the file's lock for a moment
        self._wake = asyncio.Event()
        self._tidier: asyncio.Task[None] | None = None
        self._mender: asyncio.Task[None] | None = None

    @property
    def reason(self) -> str:
        nor = f"; nor can the journal {self._journal.path}" if self._reason and self._journal_failed else ""
        return self._reason + nor

    # --- start and end -----------------------------------------------------------------

    async def start(self) -> None:
        """Read what an earlier process left. Raises StoreRefused: the file is in use, or too new."""
        try:
            with suppress(OSError):  # met again when the database is opened
                self._lock.take()
            self._read_journal()
            stored = await self._read_database()
        except BaseException:
            self._lock.release()
            raise
        self._know(stored)
        if self.healthy:
            await self._flush()
        if not self.healthy:
            self._know_again()
            self._mender = asyncio.create_task(self._mend_for_ever())
        metrics.STORE_HEALTHY.set(self.healthy)
        self._tidier = asyncio.create_task(self._tidy_for_ever())

    async def close(self) -> None:
        """What cannot be written even now is left in the journal for the next process."""
        for task in (self._tidier, self._mender):
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._tidier = None
        if self._aside:
            await self._mend()
        opened, self._database = self._database, None
        if opened:
            with suppress(sqlite3.Error):  # all that it had to do is done by who opens the file next
                await asyncio.to_thread(opened.close)
        self._journal.close()
        self._lock.release()

    async def _read_database(self) -> list[Row]:
        """What it has of live calls, and of those that are aside. Where it cannot be opened, the store is unhealthy.

        Raises StoreRefused.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._open().live(self._aside)
            except (sqlite3.Error, OSError) as error:
                if is_corrupt(error):
                    return await self._replace_corrupt(error)
                if not is_busy(error) or time.monotonic() > deadline:
                    self._break(error)
                    break
            await asyncio.sleep(0.05)
        self._close_database()
        try:
            return await asyncio.to_thread(database.read_copy, self.path, self._journal.path.parent, [*self._aside])
        except FileNotFoundError:
            return []
        except (sqlite3.Error, OSError) as error:
            log.error("live calls of an earlier process cannot be read", file=str(self.path), reason=str(error))
            return []

    def _read_journal(self) -> None:
        """What it has is aside from then on."""
        try:
            rows = list(self._journal.rows())
            if not rows:
                self._journal.remove()
        except OSError as error:
            log.error("the journal that was found is not used", journal=str(self._journal.path), reason=str(error))
            self._journal.move_aside()
            return
        if rows:
            log.warning("a journal of the call memory was found", journal=str(self._journal.path), rows=len(rows))
        for row in rows:
            if (before := self._aside.get(row.id)) is None or row.revision > before.revision:
                self._aside[row.id] = row

    def _know(self, stored: list[Row]) -> None:
        """Make one of what the database and a journal have of the calls before our time."""
        newest = dict(self._aside)
        for row in stored:
            if row.id not in newest or row.revision > newest[row.id].revision:
                newest[row.id] = row
                self._aside.pop(row.id, None)
        for row in newest.values():
            self._revision = max(self._revision, row.revision)
            if not row.ended and (call := _decoded(row)):
                self._live[row.id] = (kept(call), row)
                self._found.append(call)

    def _open(self) -> Database:
        """Raises StoreRefused, sqlite3.Error, OSError."""
        self._lock.take()
        if self._database is None:
            self._database = Database(self.path)
        return self._database

    # --- what the engine asks ------------------------------------------------------------

    def save(self, call: Call) -> None:
        """Never raises. Does nothing where nothing that is kept has changed since the last save."""
        values = kept(call)
        known = self._live.get(call.id)
        if known and known[0] == values:
            return
        self._revision = max(self._revision + 1, time.time_ns() // 1000)
        try:
            row = to_row(call, self._revision, time.time())
        except (UnicodeError, TypeError):
            metrics.STORE_WRITE_FAILURES.inc()
            log.exception("a call cannot be recorded", call=call.id)
            return
        if row.ended:
            self._live.pop(call.id, None)
        else:
            self._live[call.id] = (values, row)
        if not self._put(row):
            self._set_aside(row)

    def live(self) -> list[Call]:
        """What was live at the start, oldest first."""
        return sorted(self._found, key=lambda call: call.created_at)

    def get(self, call_id: str) -> Call | None:
        if not CALL_ID_PATTERN.fullmatch(call_id):
            return None
        _, row = self._live.get(call_id, (None, None))
        row = row or self._aside.get(call_id)
        if row is None and self._database:
            try:
                row = self._database.get(call_id)
            except sqlite3.Error as error:
                log.error("a call cannot be read", call=call_id, file=str(self.path), reason=str(error))
                if self.healthy and is_corrupt(error):
                    self._break(error)
        return _decoded(row) if row else None

    # --- writing ----------------------------------------------------------------------------

    def _put(self, row: Row) -> bool:
        if not self.healthy or self._database is None:
            metrics.STORE_WRITE_FAILURES.inc()
            return False
        try:
            self._database.put([row])
        except (sqlite3.Error, OSError) as error:
            if not (self._tidying and is_busy(error)):
                metrics.STORE_WRITE_FAILURES.inc()
                self._break(error)
            return False
        self._writes += 1
        if self._writes >= TIDY_WRITES:
            self._wake.set()
        return True

    def _set_aside(self, row: Row) -> None:
        self._aside.pop(row.id, None)
        self._aside[row.id] = row
        self._to_journal(row)
        if len(self._aside) > MOST_ASIDE:
            self._make_room()

    def _to_journal(self, row: Row | None) -> None:
        """Add the row; None: all that is aside."""
        journal_ = self._journal
        try:
            if row and journal_.stands and (self._only_in_journal or not journal_.outgrown):
                journal_.append(row)
            else:
                journal_.rewrite(self._aside.values())
            self._journal_failed = False
        except OSError as error:
            if not self._journal_failed:
                log.error(
                    "the journal of the call memory cannot be written: were this process killed now, records are lost",
                    journal=str(journal_.path),
                    reason=str(error),
                )
            self._journal_failed = True

    def _make_room(self) -> None:
        oldest = next((row.id for row in self._aside.values() if row.ended), None)
        if oldest is None:
            return
        del self._aside[oldest]
        self._only_in_journal = True
        if self._journal_failed:
            log.error("the record of an ended call is lost: there is no place left for it", call=oldest)

    async def _flush(self) -> None:
        """What was set aside goes to the database, a healthy one."""
        try:
            await self._write_aside()
        except (sqlite3.Error, OSError) as error:
            self._break(error)

    async def _write_aside(self) -> None:
        """Write what is aside, and remove the journal. Raises sqlite3.Error, OSError: the rest is still aside."""
        if not (self._aside or self._journal.in_use):
            return
        if self._only_in_journal:
            rows = self._journal.rows()
            while batch := list(islice(rows, BATCH)):
                await self._write(batch)
        while self._aside:
            await self._write(list(islice(self._aside.values(), BATCH)))
        self._only_in_journal = False
        try:
            self._journal.remove()
        except OSError as error:  # harmless: what it has is older than what is in the database from now on
            log.error("the journal cannot be removed", journal=str(self._journal.path), reason=str(error))

    async def _write(self, batch: list[Row]) -> None:
        if self._database is None:
            raise sqlite3.OperationalError("not open")
        self._database.put(batch)
        for row in batch:
            if self._aside.get(row.id) is row:  # no newer one has come meanwhile
                del self._aside[row.id]
        await asyncio.sleep(0)

    # --- trouble -----------------------------------------------------------------------------

    def _break(self, error: BaseException) -> None:
        """From now on everything is set aside, beginning with what we know of every live call."""
        self._reason = f"{self.path}: {error}"
        if not self.healthy:
            return
        self.healthy = False
        self._broken_since = time.monotonic()
        metrics.STORE_HEALTHY.set(0)
        log.error(
            "the call memory cannot be written: calls go on, their records are set aside",
            file=str(self.path),
            reason=str(error),
            journal=str(self._journal.path),
        )
        if self._tidier:  # else the start is under way, and does this at its end
            self._know_again()
            self._mender = asyncio.create_task(self._mend_for_ever())

    def _know_again(self) -> None:
        """The file may be lost for good: set aside every live call, not only those that change."""
        for _, row in self._live.values():
            self._aside[row.id] = row
        self._to_journal(None)

    async def _mend_for_ever(self) -> None:
        while not self.healthy:
            await asyncio.sleep(RETRY_SECONDS)
            await self._mend()

    async def _mend(self) -> None:
        """Try once to write everything that is aside."""
        rows = len(self._aside)
        try:
            self._open()
            await self._write_aside()
        except StoreRefused as error:
            self._reason = str(error)
        except (sqlite3.Error, OSError) as error:
            self._reason = f"{self.path}: {error}"
            if is_corrupt(error):
                await self._replace_corrupt(error)
            elif not is_passing(error):
                self._close_database()
        else:
            self._heal(rows)

    def _heal(self, rows: int) -> None:
        if self.healthy:
            return
        self.healthy = True
        self._reason = ""
        metrics.STORE_HEALTHY.set(1)
        seconds = round(time.monotonic() - self._broken_since, 1)
        log.warning("the call memory is written again", file=str(self.path), records=rows, after_seconds=seconds)

    async def _replace_corrupt(self, error: BaseException) -> list[Row]:
        """Begin a fresh file with all that is known or can still be read; the old one is kept under another name."""
        self._close_database()
        rows = await asyncio.to_thread(_readable, self.path)
        for row in rows:
            self._revision = max(self._revision, row.revision)
            if (newer := self._aside.get(row.id)) is None or newer.revision < row.revision:
                self._aside[row.id] = row
        self._know_again()
        try:
            moved = database.move_aside(self.path)
            self._open()
        except (StoreRefused, sqlite3.Error, OSError) as failure:
            self._break(failure)
            return rows
        log.error(
            "THE CALL MEMORY WAS CORRUPT: a new one was begun with what could be read, the old one is kept",
            file=str(self.path),
            kept_as=str(moved),
            reason=str(error),
            read=len(rows),
        )
        return rows

    def _close_database(self) -> None:
        opened, self._database = self._database, None
        if opened:
            with suppress(sqlite3.Error):
                opened.close()

    # --- housekeeping ------------------------------------------------------------------------

    async def _tidy_for_ever(self) -> None:
        purge_at = time.monotonic()
        while True:
            if self.healthy and (self._writes or time.monotonic() >= purge_at):
                if time.monotonic() >= purge_at:
                    purge_at += PURGE_SECONDS
                    await self._tidy(time.time() - self._days * 86400)
                else:
                    await self._tidy(None)
            self._wake.clear()
            try:
                async with asyncio.timeout(TIDY_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _tidy(self, ended_before: float | None) -> None:
        """Delete calls that ended before then (Unix seconds), and bring SQLite's log into its file."""
        self._writes = 0
        self._tidying = True
        try:
            while ended_before and await asyncio.to_thread(database.purge, self.path, ended_before):
                await self._flush()
                await asyncio.sleep(0.01)
            await asyncio.to_thread(database.checkpoint, self.path)
        except (sqlite3.Error, OSError) as error:
            if is_corrupt(error):
                self._break(error)
            else:
                log.warning("the call memory cannot be tidied now", file=str(self.path), reason=str(error))
        finally:
            self._tidying = False
        if self.healthy:
            await self._flush()


def _decoded(row: Row) -> Call | None:
    try:
        return to_call(row)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log.error("the record of a call cannot be understood", call=row.id, reason=str(error))
        return None


def _readable(path: Path) -> list[Row]:
    return [row for row in database.salvage(path, MOST_ASIDE) if _decoded(row)]
