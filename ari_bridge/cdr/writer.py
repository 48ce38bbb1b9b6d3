"""Writes each ended call to the database of call detail records, whatever happens to either.

A call that ends is put in a queue, and the queue is written in batches. What the queue has no room for, or a
killed process had in it, stands in the call store still: after the start, and after every trouble, the two
are compared, and what lacks a row gets one. So nothing is lost as long as a trouble is over within the days
for which the call store keeps ended calls.
"""

import asyncio
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, Protocol

import structlog
from msgspec.structs import replace

from ari_bridge import metrics
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
from ari_bridge.tasks import wait_at_most

MAX_QUEUED_ROWS = 10_000
"""Calls that wait to be written; above it they are left to the comparison."""
BATCH_ROWS = 200
MAX_QUEUED_FEEDBACK = 10_000
"""What was given while the database is away."""
BATCH_DELAY_S = 0.2
"""From the first call that waits to the write: a call's end and its release, a moment later, become one write."""
FIRST_RETRY_S, MAX_RETRY_S = 1.0, 30.0
"""Between tries while the database is away: doubled each time, up to the second."""
FIRST_MAINTENANCE_S, MAINTENANCE_INTERVAL_S = 30.0, 3600.0
"""After the start, and then: old rows are deleted and everything is compared. Calls that a start found ended
tell no hook; the first comparison after it finds them."""
PURGE_BATCH_ROWS, PURGE_PAUSE_S = 500, 0.05
CLOSE_TIMEOUT_S = 2.0

log = structlog.get_logger(__name__)


class EndedCalls(Protocol):
    """What is needed of the call store."""

    async def ended_after(self, ended_at: float, stem: str, *, at_most: int) -> Sequence[tuple[float, str]]:
        """When each of the calls ended that ended after this one, and its stem, oldest first. Raises BridgeError."""

    def get(self, call_id: str) -> Call | None:
        """A call as last saved."""

    def of_stem(self, stem: str) -> Call | None:
        """The same, by its stem (`ids.stem_of`)."""


class Writer:
    """`healthy`: rows are written. `reason`: why not; "" where they are. `days`: how long rows are kept."""

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
        self._compare = True  # the call store may have ended calls that have no row
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._maintenance_at = 0.0  # on the monotonic clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write. Never fails: where the database is away, it is tried again for ever."""
        self.health.publish()
        self._maintenance_at = time.monotonic() + FIRST_MAINTENANCE_S
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Write what waits, where that is quick; what is not written is found by the next process."""
        if self._task is None:
            return
        # Not cancelled at once: what is asked of the database would leave its connection behind.
        self._closing.set()
        self._wake.set()
        await asyncio.wait([self._task], timeout=CLOSE_TIMEOUT_S)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    def tap(self, event: HookEvent) -> None:
        """For `Hooks.tap`. The release of a call tells what its end did not know yet."""
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
        """The last report of a page comes just after the end: the row is written once more."""
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
        """Until the database was opened, or could not be: a fresh one has no table before. At most so long."""
        await wait_at_most(self._tried, seconds)

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
            except Exception as error:  # a bug of ours must not end the task: it would never write again
                log.exception("unexpected error while writing call detail records")
                self._failed(repr(error))
            self._tried.set()
            await wait_at_most(self._closing, backoff.next())

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
        await wait_at_most(self._wake, max(0.0, self._maintenance_at - time.monotonic()))
        await wait_at_most(self._closing, BATCH_DELAY_S)
        self._wake.clear()

    # --- writing -------------------------------------------------------------------------

    async def _write(self) -> None:
        """What waits. Raises CdrUnavailable: it waits on."""
        while batch := list(islice(self._queue.values(), BATCH_ROWS)):
            await self._put_all(batch)
            for record in batch:
                if self._queue.get(record.call_id) is record:  # else a newer one has come meanwhile
                    del self._queue[record.call_id]
            metrics.CDR_PENDING.set(len(self._queue))
        await self._write_feedback()

    async def _write_feedback(self) -> None:
        """After the rows, which it belongs to. Raises CdrUnavailable: it waits on."""
        for call_id, feedback in list(self._feedback.items()):
            try:
                if not await self._database.set_feedback(call_id, feedback):
                    log.warning("received feedback on a call without a call detail record", call=call_id)
            except RowsRejected as error:
                log.error("the database rejected feedback", call=call_id, reason=error.reason)
            if self._feedback.get(call_id) is feedback:
                del self._feedback[call_id]

    async def _put_all(self, batch: Sequence[Cdr]) -> None:
        """A row that is refused must not keep the others back. Raises CdrUnavailable."""
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
        """Give every ended call of the call store its row. Raises CdrUnavailable."""
        self._compare = False  # before: what finds the queue full meanwhile may be behind us
        oldest = time.time() - self._days * 86400
        cursor, written = (oldest, ""), 0
        try:
            while not self._closing.is_set() and (ended := await self._store.ended_after(*cursor, at_most=BATCH_ROWS)):
                missing = await self._database.missing([self._id_of(stem) for _, stem in ended])
                calls = [call for call_id in missing if (call := self._store.get(call_id)) and call.outcome]
                if batch := [
                    self._record(call) for call in calls if call.created_at >= oldest
                ]:  # else the purge had it
                    await self._put_all(batch)
                    written += len(batch)
                cursor = ended[-1]
        except CdrUnavailable:
            self._compare = True
            raise
        except BridgeError as error:  # the call store: it tells of its own trouble, and comparing is tried in time
            log.warning("cannot compare ended calls with the call detail records now", reason=str(error))
        if written:
            log.info("wrote missing call detail records", records=written)

    def _id_of(self, stem: str) -> str:
        """Only the id that a digest stands for has to be read."""
        call = self._store.of_stem(stem) if is_digest(stem) else None
        return call.id if call else stem

    async def _purge(self) -> None:
        """Delete old rows, few at a time, so that nobody waits for it. Raises CdrUnavailable."""
        before = time.time() - self._days * 86400
        while not self._closing.is_set() and await self._database.purge(before, PURGE_BATCH_ROWS):
            await wait_at_most(self._closing, PURGE_PAUSE_S)

    # --- trouble -------------------------------------------------------------------------

    def _failed(self, reason: str) -> None:
        self._compare = True  # a database that was away may have been made anew
        self.health.fail(reason)
