"""The audit log of a server: keeps entries in memory until they are written, deletes old ones, and is read.

Nobody waits for it. While the database is away, entries stay in memory, are written to the server's log too, and are
tried again; a process that is killed then loses them from the audit log alone. When there is no more room, further
entries are counted, and an entry with their number follows once the database is back.
"""

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import msgspec
import structlog

from ari_bridge import metrics, tasks
from ari_bridge.audit.action import Action
from ari_bridge.audit.audit import current_actor
from ari_bridge.audit.chain import Break, Chain, Head
from ari_bridge.audit.database import FILE, Database
from ari_bridge.audit.entry import Actor, Detail, Result, Unsealed
from ari_bridge.audit.errors import AuditUnavailable, EntryRejected
from ari_bridge.audit.new_entry import new_entry
from ari_bridge.audit.query import AuditPage, AuditQuery
from ari_bridge.audit.repeated_refusals import WINDOW_S, RepeatedRefusals
from ari_bridge.backoff import Backoff
from ari_bridge.service_health import ServiceHealth

MAX_QUEUED = 10_000
"""Entries that wait for a database that is away; further ones are lost, and counted."""
BATCH_ENTRIES = 200
FIRST_RETRY_S, MAX_RETRY_S = 0.5, 15.0
PURGE_INTERVAL_S = 6 * 3600.0
CLOSE_TIMEOUT_S = 2.0
_LIFE = (Action.SERVER_START, Action.SERVER_STOP)

log = structlog.get_logger(__name__)


class AuditLog:
    """An `Audit` with a database.

    Args:
        state_dir: Where `audit.db` is, without a `url`.
        url: Of a PostgreSQL, or "".
        days: How long an entry is kept.

    Raises ValueError if the URL is not one of PostgreSQL.
    """

    def __init__(self, state_dir: Path, *, url: str = "", days: float = 730.0) -> None:
        self._database = Database(url, state_dir / FILE)
        self._days = days
        self.health = ServiceHealth(
            degraded="cannot write the audit log: entries are kept in memory and tried again",
            recovered="the audit log is written again",
            gauge=metrics.AUDIT_HEALTHY,
            log=log,
        )
        self._queue: deque[Unsealed] = deque()
        self._repeated = RepeatedRefusals()
        self._head = Head()  # as last written by us
        self._lost = 0  # since the last `audit.lost`
        self._lost_since = 0.0
        self._opened = False
        self._writing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._instance: str | None = None  # of the server; None: another program
        self._purge_at = 0.0  # on the monotonic clock
        self._task: asyncio.Task[None] | None = None

    # --- life ------------------------------------------------------------------------

    def start(self, instance: str, settings: Sequence[str] = ()) -> None:
        """Write from now on; never fails.

        Args:
            instance: Which server it is.
            settings: Names of those that have another value than the default.
        """
        self._instance = instance
        self.health.publish()
        self.record(Action.SERVER_START, instance, settings=tuple(settings))
        self._task = asyncio.create_task(self._run(), name="audit log")

    async def close(self) -> None:
        """What is queued is written, if that can be done now; else the server's log has it. May be called twice."""
        if self._task:
            for entry in self._repeated.rest():
                self._enqueue(entry)
            self.record(Action.SERVER_STOP, self._instance or "")
            self._closing.set()
            self._wake.set()
            await tasks.finish(self._task, within=CLOSE_TIMEOUT_S)
            self._task = None
            log.info("the audit log is closed", last=str(self._head))
        for entry in self._queue:
            _log_entry("an audit entry was not written", entry)
        self._queue.clear()
        await self._database.close()

    # --- writing ---------------------------------------------------------------------

    def record(
        self,
        action: Action,
        object: str = "",
        *,
        result: Result = Result.OK,
        actor: Actor | None = None,
        details: Mapping[str, Detail] | None = None,
        **more: Detail,
    ) -> None:
        """See `Audit.record`."""
        told = {**(details or {}), **more}
        entry = new_entry(action, object, result=result, actor=actor or current_actor(), details=told)
        if result is Result.REFUSED and not self._repeated.admit(entry, time.monotonic()):
            self._wake.set()  # for the time at which the number of those follows
            return
        self._enqueue(entry)

    def _enqueue(self, entry: Unsealed) -> None:
        full = len(self._queue) >= MAX_QUEUED
        if full or not self.health.healthy:
            _log_entry("an audit entry is lost" if full else "an audit entry waits", entry)
        if full:
            self._lose()
            return
        self._queue.append(entry)
        metrics.AUDIT_PENDING.set(len(self._queue))
        self._wake.set()

    async def flush(self) -> None:
        """Write what is queued. Raises AuditUnavailable."""
        async with self._writing:
            try:
                while self._queue or self._lost:
                    await self._open()
                    await self._write_batch()
            except AuditUnavailable:
                self._opened = False  # it may have been deleted or replaced
                raise

    async def _open(self) -> None:
        if not self._opened:
            await self._database.open()
            self._opened = True
            if self._instance is not None:
                log.info("the audit log is open", database=self._database.name, last=str(await self._database.head()))
            await self._tell_of_last_life()

    async def _write_batch(self) -> None:
        if self._lost and len(self._queue) < MAX_QUEUED:
            self._queue.append(self._entry_of_lost())
            self._lost = 0
        batch = list(islice(self._queue, BATCH_ENTRIES))
        try:
            self._head = await self._database.append(batch)
        except EntryRejected:
            await self._write_each(batch)
        for _ in batch:
            self._queue.popleft()
        metrics.AUDIT_PENDING.set(len(self._queue))

    async def _write_each(self, batch: list[Unsealed]) -> None:
        """One that the database never takes must not hold up the others."""
        for entry in batch:
            try:
                self._head = await self._database.append([entry])
            except EntryRejected as error:
                _log_entry("the database does not take an audit entry", entry, reason=error.reason)
                self._lose()

    def _lose(self) -> None:
        if not self._lost:
            self._lost_since = time.time()
            log.error("there is no room for audit entries: they are only in this log", queued=len(self._queue))
        self._lost += 1
        metrics.AUDIT_LOST.inc()

    def _entry_of_lost(self) -> Unsealed:
        since = round(self._lost_since, 3)
        return new_entry(Action.AUDIT_LOST, result=Result.FAILED, details={"count": self._lost, "since": since})

    async def _tell_of_last_life(self) -> None:
        """The entry of our start says how the process before ended: entries of its last moment may be missing."""
        if self._instance is None or not self._queue or self._queue[0].action is not Action.SERVER_START:
            return
        last = await self._database.last_of(_LIFE, self._instance)
        ended = "unknown" if last is None else "stopped" if last.action == Action.SERVER_STOP else "killed"
        first = self._queue[0]
        self._queue[0] = msgspec.structs.replace(first, details={**first.details, "before": ended})

    async def _run(self) -> None:
        backoff = Backoff(FIRST_RETRY_S, MAX_RETRY_S)
        while True:
            try:
                while True:
                    self._wake.clear()
                    for entry in self._repeated.due(time.monotonic()):
                        self._enqueue(entry)
                    await self.flush()
                    self.health.succeed(database=self._database.name)
                    backoff.reset()
                    if self._closing.is_set():
                        return
                    await self._purge()
                    await tasks.wait_at_most(self._wake, WINDOW_S if self._repeated.pending else PURGE_INTERVAL_S)
            except AuditUnavailable as error:
                self._failed(error.reason)
            except Exception as error:  # a bug of ours must not end the task
                log.exception("unexpected error while writing the audit log")
                self._failed(repr(error))
            if self._closing.is_set():
                return
            await tasks.wait_at_most(self._closing, backoff.next())

    def _failed(self, reason: str) -> None:
        if self.health.fail(reason):
            for entry in self._queue:
                _log_entry("an audit entry waits", entry)

    async def _purge(self) -> None:
        """Delete what is too old, now and then. Raises AuditUnavailable."""
        if time.monotonic() < self._purge_at:
            return
        before = time.time() - self._days * 86400.0
        while not self._closing.is_set() and await self._database.purge(before):
            pass
        self._purge_at = time.monotonic() + PURGE_INTERVAL_S

    # --- reading ---------------------------------------------------------------------

    async def page(self, query: AuditQuery) -> AuditPage:
        """Newest first; what was recorded just now is there. Raises AuditUnavailable."""
        await self._catch_up()
        return await self._database.page(query)

    async def verify(self, known: Head | None = None) -> tuple[Chain, list[Break]]:
        """Read everything, and find where it is broken. Raises AuditUnavailable."""
        await self._catch_up()
        return await self._database.verify(known)

    async def _catch_up(self) -> None:
        await self.flush()
        async with self._writing:
            await self._open()


def _log_entry(event: str, entry: Unsealed, **more: str) -> None:
    log.warning(event, entry=msgspec.to_builtins(entry), **more)
