"""Writes each ended call to the database of call detail records, buffers them while it is away, and deletes old ones.

A call that ends is put in a queue, and the queue is written in batches. A call that the queue had no room for, or that
was in it when the process was killed, is still in the call store: after the start, and after every failure of the
database, the two are compared, and every call without a row gets one. So no row is lost as long as the database is back
within the days for which the call store keeps ended calls.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, Protocol

import structlog
from msgspec.structs import replace

from ari_bridge import metrics, tasks
from ari_bridge.backoff import Backoff
from ari_bridge.cdr.cdr import Cdr, from_call
from ari_bridge.cdr.database import Database
from ari_bridge.cdr.errors import CdrUnavailable, RowsRejected
from ari_bridge.cdr.quality import QualityBuffer
from ari_bridge.errors import BridgeError
from ari_bridge.fsm.call import Call
from ari_bridge.hooks import CallEnded, CallReleased, FeedbackGiven, HookEvent, LegReleased, QualityReported
from ari_bridge.ids import is_digest
from ari_bridge.service_health import ServiceHealth

MAX_QUEUED_ROWS = 10_000
"""Calls that wait to be written; further ones are left to the comparison."""
BATCH_ROWS = 200
MAX_QUEUED_FEEDBACK = 10_000
"""While the database is unavailable."""
BATCH_DELAY_S = 0.2
"""From the first queued call to the write: a call's end and its release, a moment later, become one write."""
FIRST_RETRY_S, MAX_RETRY_S = 1.0, 30.0
"""Between attempts while the database is unavailable: doubled each time, up to the maximum."""
FIRST_MAINTENANCE_S, MAINTENANCE_INTERVAL_S = 30.0, 3600.0
"""After the start, and then repeatedly: old rows are deleted and everything is compared. Calls that had ended before
the start emit no hook; the first comparison finds them."""
PURGE_BATCH_ROWS, PURGE_PAUSE_S = 500, 0.05
CLOSE_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


class EndedCalls(Protocol):
    """What the writer needs of the call store."""

    async def ended_after(self, ended_at: float, stem: str, *, at_most: int) -> Sequence[tuple[float, str]]:
        """When each of the calls ended that ended after this one, and its stem, oldest first. Raises BridgeError."""

    def get(self, call_id: str) -> Call | None:
        """A call as last saved."""

    def of_stem(self, stem: str) -> Call | None:
        """The same, by its stem (`ids.stem_of`)."""


class Writer:
    """The queue, and the task that writes it.

    Args:
        database: where rows go.
        memory: the call store.
        days: how long rows are kept.
    """

    def __init__(self, database: Database, memory: EndedCalls, *, days: float) -> None:
        self._tried = asyncio.Event()
        self.health = ServiceHealth(
            degraded="cannot write call detail records: they are queued and retried",
            recovered="call detail records are written again",
            gauge=metrics.CDR_HEALTHY,
            log=log,
        )
        self._database = database
        self._store = memory
        self._days = days
        self._queue: dict[str, Cdr] = {}  # by call id, oldest first: the bounded queue
        self._qualities = QualityBuffer(time.monotonic)
        self._feedback: dict[str, dict[str, Any]] = {}  # by call id: waits to be written
        self._compare = True  # the call store may have ended calls without a row
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._maintenance_at = 0.0  # on the monotonic clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to write. Never fails: an unavailable database is retried without limit."""
        self.health.publish()
        self._maintenance_at = time.monotonic() + FIRST_MAINTENANCE_S
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Write the queue, if that is quick; the next process finds what is not written."""
        if self._task is None:
            return
        self._closing.set()
        self._wake.set()
        await tasks.finish(self._task, within=CLOSE_TIMEOUT_S)
        self._task = None

    def tap(self, event: HookEvent) -> None:
        """For `Hooks.tap`. A call's release has what its end did not know yet."""
        if isinstance(event, LegReleased):
            self._qualities.leg(event)
        elif isinstance(event, QualityReported):
            self._on_quality_report(event)
        elif isinstance(event, FeedbackGiven):
            self._queue_feedback(event)
        elif isinstance(event, CallEnded | CallReleased) and event.call.outcome:
            self._qualities.ended(event.call.id)
            self._put(self._record(event.call))

    def _on_quality_report(self, event: QualityReported) -> None:
        """A client's last report comes just after the end: the row is written again."""
        if not self._qualities.page(event):
            return
        call = self._store.get(event.call_id)
        if call and call.outcome:
            self._qualities.ended(call.id)
            self._put(self._record(call))

    def _record(self, call: Call) -> Cdr:
        return replace(from_call(call), codecs=self._qualities.codecs(call.id), quality=self._qualities.of(call.id))

    def _queue_feedback(self, event: FeedbackGiven) -> None:
        if len(self._feedback) >= MAX_QUEUED_FEEDBACK and event.call_id not in self._feedback:
            log.error("the feedback queue is full: dropped feedback", call=event.call_id)
            return
        self._feedback[event.call_id] = event.feedback
        self._wake.set()

    def _put(self, record: Cdr) -> None:
        if len(self._queue) >= MAX_QUEUED_ROWS and record.call_id not in self._queue:
            self._compare = True
        else:
            self._queue[record.call_id] = record
            metrics.CDR_PENDING.set(len(self._queue))
        self._wake.set()

    async def first_attempt(self, seconds: float) -> None:
        """Wait until the database was opened, or could not be, for at most `seconds`: before, it may have no table."""
        await tasks.wait_at_most(self._tried, seconds)

    # --- the task ----------------------------------------------------------------------

    async def _run(self) -> None:
        backoff = Backoff(FIRST_RETRY_S, MAX_RETRY_S)
        while not self._closing.is_set():
            try:
                await self._database.open()
                self._tried.set()
                while not self._closing.is_set():
                    await self._write_and_maintain()
                    self.health.succeed(database=self._database.name)
                    backoff.reset()
                    await self._wait_for_work()
                await self._write()
                return
            except CdrUnavailable as error:
                self._failed(error.reason)
            except Exception as error:  # a bug of ours must not end the task
                log.exception("unexpected error while writing call detail records")
                self._failed(repr(error))
            self._tried.set()
            await tasks.wait_at_most(self._closing, backoff.next())

    async def _write_and_maintain(self) -> None:
        """Raises CdrUnavailable."""
        await self._write()
        if self._compare:
            await self._write_missing()
        if time.monotonic() >= self._maintenance_at:
            await self._purge()
            self._qualities.forget_old()
            self._maintenance_at = time.monotonic() + MAINTENANCE_INTERVAL_S
            self._compare = True
            self._wake.set()

    async def _wait_for_work(self) -> None:
        await tasks.wait_at_most(self._wake, max(0.0, self._maintenance_at - time.monotonic()))
        await tasks.wait_at_most(self._closing, BATCH_DELAY_S)
        self._wake.clear()

    # --- writing -------------------------------------------------------------------------

    async def _write(self) -> None:
        """Write the queue. Raises CdrUnavailable: the rest stays queued."""
        while batch := list(islice(self._queue.values(), BATCH_ROWS)):
            await self._put_all(batch)
            for record in batch:
                if self._queue.get(record.call_id) is record:  # else a newer one was queued meanwhile
                    del self._queue[record.call_id]
            metrics.CDR_PENDING.set(len(self._queue))
        await self._write_feedback()

    async def _write_feedback(self) -> None:
        """After the rows that it belongs to. Raises CdrUnavailable: the rest stays queued."""
        for call_id, feedback in list(self._feedback.items()):
            try:
                call = self._store.get(call_id)
                if not await self._database.set_feedback(call_id, feedback, call.created_at if call else None):
                    log.warning("received feedback on a call without a call detail record", call=call_id)
            except RowsRejected as error:
                log.error("the database rejected feedback", call=call_id, reason=error.reason)
            if self._feedback.get(call_id) is feedback:
                del self._feedback[call_id]

    async def _put_all(self, batch: Sequence[Cdr]) -> None:
        """A rejected row must not block the others. Raises CdrUnavailable."""
        try:
            await self._database.put(batch)
        except RowsRejected:
            for record in batch:
                try:
                    await self._database.put([record])
                except RowsRejected as error:
                    metrics.CDR_REJECTED.inc()
                    log.error("the database rejected a call detail record", call=record.call_id, reason=error.reason)

    async def _write_missing(self) -> None:
        """Write the rows of ended calls in the call store that have none. Raises CdrUnavailable."""
        self._compare = False  # first: a call that finds the queue full meanwhile may be behind our cursor
        oldest = time.time() - self._days * 86400
        cursor, written = (oldest, ""), 0
        try:
            while not self._closing.is_set() and (ended := await self._store.ended_after(*cursor, at_most=BATCH_ROWS)):
                missing = await self._database.missing([(at, self._id_of(stem)) for at, stem in ended])
                calls = [call for call_id in missing if (call := self._store.get(call_id)) and call.outcome]
                if batch := [self._record(call) for call in calls if call.created_at >= oldest]:  # else it was purged
                    await self._put_all(batch)
                    written += len(batch)
                cursor = ended[-1]
        except CdrUnavailable:
            self._compare = True
            raise
        except BridgeError as error:  # of the call store, which reports its own failures; compared again later
            log.warning("cannot compare ended calls with the call detail records now", reason=str(error))
        if written:
            log.info("wrote missing call detail records", records=written)

    def _id_of(self, stem: str) -> str:
        """A stem is the call id, unless it is a digest of it: then the id is read."""
        call = self._store.of_stem(stem) if is_digest(stem) else None
        return call.id if call else stem

    async def _purge(self) -> None:
        """Delete old rows, a few at a time, so that no query waits for it. Raises CdrUnavailable."""
        before = time.time() - self._days * 86400
        while not self._closing.is_set() and await self._database.purge(before, PURGE_BATCH_ROWS):
            await tasks.wait_at_most(self._closing, PURGE_PAUSE_S)

    # --- trouble -------------------------------------------------------------------------

    def _failed(self, reason: str) -> None:
        self._compare = True  # a database that was unavailable may have been recreated
        self.health.fail(reason)
