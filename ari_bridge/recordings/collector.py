"""Brings finished recordings from Asterisk to the library, and then deletes them from Asterisk.

Each goes through three steps: fetch, store, delete. A failed step is retried with increasing delays, without limit;
completed steps are not repeated, also by the next process. Asterisk's copy is never deleted before the store
has returned the same bytes. Calls are never delayed by this.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import BinaryIO, Protocol

import structlog

from ari_bridge import metrics
from ari_bridge.ari.events import AriEvent, RecordingFailed, RecordingFinished
from ari_bridge.ari.models import LiveRecording, StoredRecording
from ari_bridge.backoff import delay, jittered
from ari_bridge.errors import PeerError
from ari_bridge.fsm.call import Call, RecordingStatus
from ari_bridge.hooks import CallReleased, HookEvent
from ari_bridge.recordings import wav
from ari_bridge.recordings.library import Library
from ari_bridge.recordings.protocol import StoreFailed
from ari_bridge.recordings.recording import Recording, stem_of_name
from ari_bridge.recordings.spool import Spool
from ari_bridge.service_health import ServiceHealth
from ari_bridge.tasks import TaskSet, wait_at_most

FOLDER = "recordings-spool"
WORKERS = 2
FIRST_RETRY_S, MAX_RETRY_S = 1.0, 60.0
"""Until a failed step is tried again: twice as long each time."""
SWEEP_INTERVAL_S = 300.0
"""How often Asterisk is asked which recordings it has, for those without an event."""
MAX_PENDING = 10_000
"""More are left in Asterisk, where a later sweep finds them."""
MAX_NOT_FOUND = 3
"""How often Asterisk must say that it has no such file: its event may come before the file exists."""

log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """What is needed of ARI. Each method raises PeerError."""

    async def live(self, name: str) -> LiveRecording | None: ...

    async def stored(self) -> list[StoredRecording]: ...

    async def download(self, name: str, take: Callable[[bytes], Awaitable[None]]) -> bool: ...

    async def delete(self, name: str) -> bool: ...


class Step(Enum):
    """The steps of collecting a recording. The values are used in logs and metrics."""

    FETCH = "fetch"
    STORE = "store"
    DELETE = "delete"


@dataclass
class _Job:
    name: str
    stem: str  # of its call
    step: Step = Step.FETCH
    tries: int = 0  # that failed, in a row
    not_found: int = 0  # how many of these failed because Asterisk had no such file
    reported: bool = True  # as complete, by Asterisk; if False, Asterisk is asked first


class Collector:
    """Moves finished recordings from Asterisk to the store, in steps that a later process can continue.

    Register `on_event` and `on_connect` with the ARI client, and `on_hook` with the hooks.

    Args:
        recorder: ARI's recordings.
        library: Where the recordings go.
        state_dir: Has the spool folder.
        call: The call, live or ended, of a stem (the call store's `of_stem`); None if it is not one of ours.
    """

    def __init__(
        self, recorder: Recorder, library: Library, state_dir: Path, call: Callable[[str], Call | None]
    ) -> None:
        self._recorder = recorder
        self._library = library
        self._spool = Spool(state_dir / FOLDER)
        self._call = call
        self._jobs: dict[str, _Job] = {}  # by name: queued, or in progress
        self._queue: list[tuple[float, str]] = []  # a heap: when (monotonic), and the job's name
        self._failing: dict[Step, dict[str, str]] = {step: {} for step in Step}  # names, and why
        self._health = {
            step: ServiceHealth(degraded="recordings are delayed", recovered="recordings are processed again", log=log)
            for step in Step
        }
        self._wake = asyncio.Event()
        self._sweep_wanted = asyncio.Event()
        self._tasks = TaskSet()

    # --- events -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Continue what an earlier process left. Never raises: a failing folder is reported when it is used again."""
        try:
            left = await asyncio.to_thread(self._spool.start)
        except OSError as error:
            log.error("cannot read the recordings spool", reason=str(error))
            left = []
        for name in left:
            self.finished(name)
        for number in range(WORKERS):
            self._tasks.start(self._work(), name=f"recordings: collect {number}")
        self._tasks.start(self._sweep_loop(), name="recordings: sweep")

    async def close(self) -> None:
        """The next process continues."""
        await self._tasks.cancel()

    def finished(self, name: str, *, reported: bool = True) -> None:
        """A recording is complete: collect it. Calling it twice is fine. `reported`: Asterisk has said so."""
        stem = stem_of_name(name)
        if name in self._jobs or stem is None:
            return
        if len(self._jobs) >= MAX_PENDING:
            log.error("the recordings queue is full: leaving a recording in Asterisk for now", recording=name)
            return
        job = self._jobs[name] = _Job(name, stem, reported=reported)
        metrics.RECORDINGS_PENDING.set(len(self._jobs))
        self._put(job, 0.0)

    def on_event(self, event: AriEvent) -> None:
        if isinstance(event, RecordingFinished | RecordingFailed):
            self.finished(event.recording.name)

    def on_hook(self, event: HookEvent) -> None:
        """A recording ends with its call's bridge: a busy Asterisk was seen not to report it."""
        if isinstance(event, CallReleased):
            for recording in event.call.recordings:
                if recording.state is not RecordingStatus.OVER:
                    self.finished(recording.name, reported=False)

    async def on_connect(self) -> None:
        """Asterisk is connected (again): retry at once, and look for recordings that finished meanwhile."""
        self._queue = [(0.0, name) for _, name in self._queue]
        heapify(self._queue)
        self._wake.set()
        self._sweep_wanted.set()

    @property
    def pending(self) -> int:
        return len(self._jobs)

    @property
    def troubles(self) -> dict[Step, str]:
        """The last failure of each step that fails; empty if none does."""
        return {step: list(names.values())[-1] for step, names in self._failing.items() if names}

    # --- what Asterisk has -----------------------------------------------------------------

    async def sweep(self) -> None:
        """Collect finished recordings of our calls that Asterisk has. Raises PeerError."""
        for stored in await self._recorder.stored():
            stem = stem_of_name(stored.name)
            if stem is None or stored.name in self._jobs or self._call(stem) is None:
                continue
            if await self._recorder.live(stored.name) is None:
                self.finished(stored.name)

    async def _sweep_loop(self) -> None:
        while True:
            await wait_at_most(self._sweep_wanted, SWEEP_INTERVAL_S)
            self._sweep_wanted.clear()
            try:
                await self.sweep()
            except PeerError as error:
                log.debug("cannot list Asterisk's recordings now", reason=str(error))
            except Exception:
                log.exception("unexpected error while scanning Asterisk's recordings")

    # --- the work --------------------------------------------------------------------------

    def _put(self, job: _Job, seconds: float) -> None:
        heappush(self._queue, (time.monotonic() + seconds, job.name))
        self._wake.set()

    async def _next(self) -> _Job:
        """Wait for the first job that is due."""
        while True:
            until = self._queue[0][0] - time.monotonic() if self._queue else None
            if until is not None and until <= 0:
                return self._jobs[heappop(self._queue)[1]]
            self._wake.clear()
            await wait_at_most(self._wake, until)

    async def _work(self) -> None:
        while True:
            job = await self._next()
            try:
                done = await self._collect(job)
            except (PeerError, StoreFailed, OSError) as error:
                self._failed(job, str(error))
                done = False
            except Exception as error:  # a bug of ours must not lose a recording
                log.exception("unexpected error while collecting a recording", recording=job.name)
                self._failed(job, repr(error))
                done = False
            if done:
                del self._jobs[job.name]
                for step in Step:
                    self._succeeded(job, step)
            else:
                self._put(job, jittered(delay(job.tries, FIRST_RETRY_S, MAX_RETRY_S)))
            metrics.RECORDINGS_PENDING.set(len(self._jobs))

    async def _collect(self, job: _Job) -> bool:
        """Do the remaining steps. False: retry later. Raises PeerError, StoreFailed, OSError."""
        spool, name = self._spool, job.name
        if not await asyncio.to_thread(spool.is_stored, name):
            if not await asyncio.to_thread(spool.has, name):
                job.step = Step.FETCH
                if not job.reported and await self._recorder.live(name) is not None:
                    return False
                if not await self._fetch(name):
                    return self._is_gone(job)
                self._succeeded(job, Step.FETCH)
            job.step = Step.STORE
            recording = await asyncio.to_thread(self._describe, job, self._call(job.stem))
            kept = await self._library.add(recording, spool.sound(name))
            await asyncio.to_thread(spool.mark_stored, name)
            self._succeeded(job, Step.STORE)
            log.info("stored a recording", recording=kept.name, call=kept.call_id, seconds=round(kept.seconds, 1))
        job.step = Step.DELETE
        await self._recorder.delete(name)
        await asyncio.to_thread(spool.forget, name)
        return True

    async def _fetch(self, name: str) -> bool:
        """False: Asterisk has no such recording."""
        file = await asyncio.to_thread(self._spool.begin, name)
        complete = False
        try:
            with file:
                complete = await self._recorder.download(name, lambda piece: asyncio.to_thread(_write, file, piece))
            if complete:
                await asyncio.to_thread(self._spool.complete, name)
        finally:
            if not complete:
                self._spool.abandon(name)
        return complete

    def _describe(self, job: _Job, call: Call | None) -> Recording:
        """Its metadata. Runs in a thread; raises OSError."""
        if noted := self._spool.about(job.name):
            return noted
        sound = self._spool.sound(job.name)
        try:
            seconds = wav.finish(sound)
        except wav.NotWav as error:
            log.error(
                "a recording is not a valid WAV file: storing it unchanged", recording=job.name, reason=str(error)
            )
            seconds = 0.0
        began = time.time() - seconds
        if call:
            began = next((one.started_at for one in call.recordings if one.name == job.name), call.created_at)
        recording = Recording(
            name=job.name,
            call_id=call.id if call else job.stem,
            user=call.user if call else None,
            caller=call.caller if call else "",
            target=call.target if call else "",
            started_at=began,
            seconds=round(seconds, 3),
            size=sound.stat().st_size,
            sha256=_sha256(sound),
        )
        self._spool.note(recording)
        return recording

    # --- failures --------------------------------------------------------------------------

    def _is_gone(self, job: _Job) -> bool:
        """Asterisk has no such recording. Returns whether to believe it."""
        job.not_found += 1
        if self._library.get(job.name):
            return True
        if job.not_found < MAX_NOT_FOUND:
            job.tries = 0
            return False
        log.error("Asterisk has no recording of this name", recording=job.name)
        return True

    def _failed(self, job: _Job, reason: str) -> None:
        """Logged once for each failing step, however many recordings it affects."""
        job.tries += 1
        metrics.RECORDING_FAILURES.labels(job.step.value).inc()
        self._failing[job.step][job.name] = reason
        self._health[job.step].fail(reason, step=job.step.value, waiting=len(self._jobs))

    def _succeeded(self, job: _Job, step: Step) -> None:
        """A step works again once every recording that it failed for has passed it."""
        job.tries = 0
        failing = self._failing[step]
        if failing.pop(job.name, None) is not None and not failing:
            self._health[step].succeed(step=step.value, waiting=len(self._jobs))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(file: BinaryIO, piece: bytes) -> None:
    file.write(piece)
