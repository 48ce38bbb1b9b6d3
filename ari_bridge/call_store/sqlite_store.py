"""The call store in force: a SQLite file, and what happens when it cannot be written.

Trouble never reaches a call. What the database does not take is set aside: in memory (the newest of each
call) and in the journal, and written as soon as the database takes it again; tried every second. Where a
file is lost or corrupt, a fresh one gets all that we know. The operator is told when it breaks and when it
heals, in one line each.
"""

import asyncio
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog

from ari_bridge import metrics
from ari_bridge.call_store import idempotency_keys, paging, spill_journal, sqlite_file
from ari_bridge.call_store.instance import FILE as INSTANCE
from ari_bridge.call_store.instance import Instance
from ari_bridge.call_store.process_lock import Lock, StoreRefused
from ari_bridge.call_store.rows import Row, kept, to_call, to_row
from ari_bridge.call_store.spill_journal import SpillJournal
from ari_bridge.call_store.sqlite_file import Database, Moved, is_busy, is_corrupt, is_passing
from ari_bridge.call_store.write_buffer import MOST_ROWS, WriteBuffer
from ari_bridge.cursor import Cursor
from ari_bridge.fsm.call import Call
from ari_bridge.ids import is_call_id, stem_of

FILE = "calls.sqlite3"
RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
"""How long the start waits for a file that another program has locked: without it, live calls are unknown."""
TIDY_SECONDS = 60.0
TIDY_WRITES = 1000
PURGE_SECONDS = 86400.0
MOST_RESCUED = 20_000
"""Calls, the newest, that are read out of a file which was deleted."""

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
        kept_for = min(idempotency_keys.KEEP_SECONDS, days * 86400)
        self.keys = idempotency_keys.SqliteKeys(self._connection, self._failed, kept_for)
        self._lock = Lock(self.path.with_suffix(".lock"))
        self._instance = Instance(state_dir / INSTANCE)
        folder = journal_dir or spill_journal.directory(state_dir)
        self._aside = WriteBuffer(SpillJournal(folder / spill_journal.name(state_dir)))
        self._database: Database | None = None
        self._live: dict[str, tuple[tuple[Any, ...], Row]] = {}  # of each call that has not ended, as last saved
        self._found: list[Call] = []  # live calls at the start
        self._corrupt: BaseException | None = None  # what showed that the file must be replaced
        self._moved = False  # somebody deleted it, or put another in its place: ours has all of it still, while open
        self._broken_since = 0.0  # on the monotonic clock
        self._revision = 0
        self._writes = 0  # since the last tidying
        self._tidying = False  # somebody of ours may hold the file's lock for a moment
        self._wake = asyncio.Event()
        self._tidier: asyncio.Task[None] | None = None
        self._mender: asyncio.Task[None] | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def instance(self) -> str:
        """The name of the state directory, the same over restarts; "" before the start."""
        return self._instance.name

    @property
    def reason(self) -> str:
        nor = f"; nor can the journal {self._aside.journal.path}" if self._reason and self._aside.journal_failed else ""
        return self._reason + nor

    # --- start and end -----------------------------------------------------------------

    async def start(self) -> None:
        """Read what an earlier process left. Raises StoreRefused: the file is in use, or too new."""
        try:
            with suppress(OSError):  # met again when the database is opened
                self._lock.take()
            self._instance.take()
            self._aside.load()
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
        self._watcher = asyncio.create_task(self._watch_for_ever())

    async def close(self) -> None:
        """What cannot be written even now is left in the journal for the next process."""
        for task in (self._tidier, self._mender, self._watcher):
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._tidier = None
        if not self._aside.empty:
            await self._mend()
        opened, self._database = self._database, None
        if opened:
            with suppress(sqlite3.Error):  # all that it had to do is done by who opens the file next
                await asyncio.to_thread(opened.close)
        self._aside.close()
        self._lock.release()

    async def _read_database(self) -> list[Row]:
        """What it has of live calls, and of those that are aside. Where it cannot be opened, the store is unhealthy.

        Raises StoreRefused.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self._open().live(self._aside.rows)
            except (sqlite3.Error, OSError) as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    self._break(error)
                    break
            await asyncio.sleep(0.05)
        self._close_database()
        try:
            if self._corrupt:
                rows = await self._replace_corrupt()
                self._heal(len(rows))
                return rows
            return await asyncio.to_thread(
                sqlite_file.read_copy, self.path, self._aside.journal.path.parent, [*self._aside.rows]
            )
        except FileNotFoundError:
            return []
        except (sqlite3.Error, OSError) as error:
            log.error("cannot read the live calls of an earlier process", file=str(self.path), reason=str(error))
            return []

    def _know(self, stored: list[Row]) -> None:
        """Make one of what the database and a journal have of the calls before our time."""
        newest = dict(self._aside.rows)
        for row in stored:
            if row.id not in newest or row.revision > newest[row.id].revision:
                newest[row.id] = row
                self._aside.rows.pop(row.id, None)
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
        try:
            known = self._live.get(stem_of(call.id))
            if known and known[0] == values:
                return
            self._revision = max(self._revision + 1, time.time_ns() // 1000)
            row = to_row(call, self._revision, time.time())
        except (UnicodeError, TypeError):
            metrics.STORE_WRITE_FAILURES.inc()
            log.exception("cannot encode the row of a call", call=call.id)
            return
        if row.ended:
            self._live.pop(row.id, None)
        else:
            self._live[row.id] = (values, row)
        if not self._put(row):
            self._aside.add(row)

    def live(self) -> list[Call]:
        """What was live at the start, oldest first."""
        return sorted(self._found, key=lambda call: call.created_at)

    def get(self, call_id: str) -> Call | None:
        return self.of_stem(stem_of(call_id)) if is_call_id(call_id) else None

    def of_stem(self, stem: str) -> Call | None:
        _, row = self._live.get(stem, (None, None))
        row = row or self._aside.rows.get(stem)
        if row is None and self._database:
            try:
                row = self._database.get(stem)
            except sqlite3.Error as error:
                log.error("cannot read a call", call=stem, file=str(self.path), reason=str(error))
                if is_corrupt(error):
                    self._break(error)
        return _decoded(row) if row else None

    async def ended_after(self, ended_at: float, stem: str = "", *, at_most: int = 200) -> list[tuple[float, str]]:
        """Also of what is set aside. Raises StoreRefused."""
        try:
            found = await asyncio.to_thread(sqlite_file.ended_after, self.path, ended_at, stem, at_most)
        except (sqlite3.Error, OSError) as error:
            raise StoreRefused(f"{self.path} cannot be read: {error}") from error
        rows = self._aside.rows.values()
        aside = [(row.ended_at, row.id) for row in rows if row.ended_at is not None]
        merged = {*found, *(key for key in aside if key > (ended_at, stem))}
        return sorted(merged)[:at_most]

    async def begun_before(self, cursor: Cursor, *, at_most: int) -> tuple[list[Call], Cursor | None]:
        """Also what is set aside. Raises StoreRefused."""
        known = [*self._aside.rows.values(), *(row for _, row in self._live.values())]
        rows, after = await paging.begun_before(self.path, known, cursor, at_most)
        return [call for row in rows if (call := _decoded(row))], after

    # --- writing ----------------------------------------------------------------------------

    def _put(self, row: Row) -> bool:
        if not self.healthy or self._database is None:
            metrics.STORE_WRITE_FAILURES.inc()
            return False
        try:
            self._database.put([row])
        except (sqlite3.Error, OSError) as error:
            self._failed(error)
            return False
        self._aside.outdated(row.id)
        self._writes += 1
        if self._writes >= TIDY_WRITES:
            self._wake.set()
        return True

    def _failed(self, error: Exception) -> None:
        if self.healthy and not (self._tidying and is_busy(error)):
            metrics.STORE_WRITE_FAILURES.inc()
            self._break(error)

    def _connection(self) -> sqlite3.Connection:
        """Of a database that takes writes. Raises sqlite3.OperationalError, OSError."""
        if not self.healthy or self._database is None:
            raise sqlite3.OperationalError(self._reason or "it is closed")
        return self._database.connection()

    async def _flush(self) -> None:
        """What was set aside goes to the database, a healthy one."""
        try:
            await self._write_aside()
        except (sqlite3.Error, OSError) as error:
            self._break(error)

    async def _write_aside(self) -> None:
        """Raises sqlite3.Error, OSError: what was not written is still aside."""
        if self._aside.empty:
            return
        for batch in self._aside.batches():
            if self._database is None:
                raise sqlite3.OperationalError("not open")
            self._database.put(batch)
            self._aside.written(batch)
            await asyncio.sleep(0)
        self._aside.clear()

    # --- trouble -----------------------------------------------------------------------------

    def _break(self, error: BaseException) -> None:
        """From now on everything is set aside, beginning with what we know of every live call."""
        self._trouble(error)
        if not self.healthy:
            return
        self.healthy = False
        self._broken_since = time.monotonic()
        metrics.STORE_HEALTHY.set(0)
        log.error(
            "cannot write the call store: calls continue, writes are buffered to the journal",
            file=str(self.path),
            reason=str(error),
            journal=str(self._aside.journal.path),
        )
        if self._tidier:  # else the start is under way, and does this at its end
            self._know_again()
            self._mender = asyncio.create_task(self._mend_for_ever())

    def _trouble(self, error: BaseException) -> None:
        self._reason = f"{self.path}: {error}"
        if is_corrupt(error):
            self._corrupt = error
        self._moved = isinstance(error, Moved)

    def _know_again(self) -> None:
        """The file may be lost for good: set aside every live call, not only those that change."""
        self._aside.add_all(row for _, row in self._live.values())

    async def _mend_for_ever(self) -> None:
        while not self.healthy:
            await asyncio.sleep(RETRY_SECONDS)
            await self._mend()

    async def _mend(self) -> None:
        """Try once to write everything that is aside."""
        if self._tidying:  # its connection must be closed before the file is moved, or opened anew
            return
        rows = len(self._aside.rows)
        try:
            if self._corrupt:
                await self._replace_corrupt()
            elif self._moved:
                await self._rescue()
            self._open()
            await self._write_aside()
        except StoreRefused as error:
            self._reason = str(error)
        except (sqlite3.Error, OSError) as error:
            self._trouble(error)
            if not is_passing(error):
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
        log.warning("the call store is writable again", file=str(self.path), records=rows, after_seconds=seconds)

    async def _replace_corrupt(self) -> list[Row]:
        """Begin a fresh file with all that is known or can still be read; the old one is kept under another name.

        What could be read. Raises StoreRefused, sqlite3.Error, OSError.
        """
        self._close_database()
        rows = await asyncio.to_thread(_readable, self.path)
        asked = await asyncio.to_thread(idempotency_keys.salvage, self.path)
        self._revision = max([self._revision, *(row.revision for row in rows)])
        self._aside.add_all([*rows, *(row for _, row in self._live.values())])
        moved, reason = sqlite_file.move_aside(self.path), self._corrupt
        self._corrupt = None
        log.error(
            "THE CALL STORE WAS CORRUPT: started a new one with the rows that could be read, and kept the old file",
            file=str(self.path),
            kept_as=str(moved),
            reason=str(reason),
            read=len(rows),
        )
        idempotency_keys.restore(self._open().connection(), asked)
        return rows

    async def _rescue(self) -> None:
        """What the file had that is not where it was: it can be read as long as we have it open."""
        self._moved = False
        opened = self._database
        if opened is None:
            return
        try:
            rows, asked = await asyncio.to_thread(opened.everything, MOST_RESCUED)
        except sqlite3.Error as error:
            log.error("ended calls are lost with the call store's file", reason=str(error))
            rows, asked = [], []
        self._close_database()
        self._aside.add_all(rows)
        idempotency_keys.restore(self._open().connection(), asked)

    def _close_database(self) -> None:
        opened, self._database = self._database, None
        if opened:
            with suppress(sqlite3.Error):
                opened.close()

    # --- housekeeping ------------------------------------------------------------------------

    async def _watch_for_ever(self) -> None:
        """Whoever deletes the folder changes no call: it is found within a second, not with the next call's change."""
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            if not self.healthy or self._database is None or self._tidying:
                continue  # it is being mended
            try:
                self._lock.take()
                if self._instance.restore():
                    log.error("the state directory's identity file was deleted: writing it again")
                self._database.connection()
            except (OSError, sqlite3.Error, StoreRefused) as error:
                self._failed(error)

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
            while ended_before and await asyncio.to_thread(sqlite_file.purge, self.path, ended_before):
                await self._flush()
                await asyncio.sleep(0.01)
            await asyncio.to_thread(sqlite_file.checkpoint, self.path)
        except (sqlite3.Error, OSError) as error:
            if is_corrupt(error):
                self._break(error)
            else:
                log.warning("cannot run the call store's maintenance now", file=str(self.path), reason=str(error))
        finally:
            self._tidying = False
        if self.healthy:
            await self._flush()


def _decoded(row: Row) -> Call | None:
    try:
        return to_call(row)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log.error("cannot decode the stored row of a call", call=row.id, reason=str(error))
        return None


def _readable(path: Path) -> list[Row]:
    return [row for row in sqlite_file.salvage(path, MOST_ROWS) if _decoded(row)]
