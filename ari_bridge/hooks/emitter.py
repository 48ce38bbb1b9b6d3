"""The emitter that every event passes. It knows nothing of calls, and nothing of what the events mean.

Plugins listen with `Hooks.on`:

    def setup(hooks: Hooks) -> None:
        hooks.on(CallEnded, write_missed_call)

Each handler has its own thread and bounded queue, so one that raises, blocks or hangs harms neither a call nor
another handler; its failures are logged and counted. Trusted parts of the server itself, which are quick and do not
block, listen with `Hooks.tap`. Dispatch by event class is pyee's.
"""

import asyncio
import inspect
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import structlog
from pyee.base import EventEmitter

from ari_bridge import metrics

log = structlog.get_logger(__name__)

MAX_QUEUED_EVENTS = 1000
"""Per handler; when its queue is full, new events are dropped for this handler and counted."""
HANDLER_TIMEOUT_S = 10.0
"""For one event in an async handler, which is then cancelled."""
CLOSE_TIMEOUT_S = 1.0
"""For all handlers together to finish what is queued."""


@dataclass(frozen=True, slots=True)
class HookEvent:
    """Base of every event. `name` is stable and meant for programs; `at`: Unix seconds; `call_id`: None if the event
    is not about a call of ours.
    """

    name: ClassVar[str] = ""
    at: float = field(default_factory=time.time, kw_only=True)
    call_id: str | None = field(default=None, kw_only=True)

    def data(self) -> dict[str, Any]:
        """The event as a JSON-ready dict."""
        return {}


E = TypeVar("E", bound=HookEvent)
Handler = Callable[[E], Awaitable[None] | None]


class Hooks:
    def __init__(self) -> None:
        self._emitter = EventEmitter()
        self._emitter.on("error", self._tap_failed)
        self._workers: list[_Worker] = []
        self._taps: list[Callable[[HookEvent], None]] = []
        self.recorder: Callable[[HookEvent], None] | None = None
        """Given every event that is not recorded when it is emitted, before anybody else is."""

    def on(self, event: type[E], handler: Handler[E]) -> None:
        """Call `handler` for every `event`, including its subclasses (`HookEvent`: for every event).

        `handler` may be async. It runs outside of the server's loop, in order, one event at a time.
        """
        worker = _Worker(handler)
        self._workers.append(worker)
        for cls in _with_subclasses(event):
            self._emitter.on(cls.__name__, worker.put)

    def tap(self, callback: Callable[[HookEvent], None]) -> None:
        """Call `callback` for every event at once, in the server's loop: it must be quick and never block."""
        self._taps.append(callback)

    def emit(self, event: HookEvent, *, recorded: bool = False) -> None:
        """Give the event to every listener. Never raises, never waits.

        `recorded`: it was written to the event log already, with the change of a call that it tells.
        """
        recorder = [self.recorder] if self.recorder and not recorded else []
        for tap in [*recorder, *self._taps]:
            try:
                tap(event)
            except Exception as error:
                self._tap_failed(error)
        self._emitter.emit(type(event).__name__, event)

    def close(self) -> None:
        """Let every handler finish what is queued, within CLOSE_TIMEOUT_S; one that hangs is abandoned."""
        deadline = time.monotonic() + CLOSE_TIMEOUT_S
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))

    def _tap_failed(self, error: Exception) -> None:
        metrics.HOOK_FAILURES.labels("raised").inc()
        log.error("a listener failed", error=repr(error), exc_info=error)


def _with_subclasses(event: type[HookEvent]) -> list[type[HookEvent]]:
    return [event, *(cls for child in event.__subclasses__() for cls in _with_subclasses(child))]


class _Worker:
    """One handler, its thread and its queue. The thread starts with the first event and is a daemon:
    a handler that hangs cannot keep the process from ending.
    """

    def __init__(self, handler: Handler[Any]) -> None:
        self._handler = handler
        self.name = getattr(handler, "__qualname__", repr(handler))
        self._queue: queue.Queue[HookEvent | None] = queue.Queue(MAX_QUEUED_EVENTS)
        self._thread: threading.Thread | None = None
        self._dropped = 0

    def put(self, event: HookEvent) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"hook {self.name}", daemon=True)
            self._thread.start()
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            metrics.HOOK_FAILURES.labels("too_slow").inc()
            if self._dropped % MAX_QUEUED_EVENTS == 0:
                log.error("a hook is too slow or hangs: dropping events for it", hook=self.name, on=event.name)
            self._dropped += 1

    def stop(self) -> None:
        """Ask the thread to end after what is queued."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            log.warning("a hook did not keep up: its queued events are lost", hook=self.name, events=MAX_QUEUED_EVENTS)

    def join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while (event := self._queue.get()) is not None:
                try:
                    result = self._handler(event)
                    if inspect.isawaitable(result):
                        runner.run(_within(result, HANDLER_TIMEOUT_S))
                except TimeoutError:
                    metrics.HOOK_FAILURES.labels("hung").inc()
                    log.error("a hook took too long and was cancelled", hook=self.name, on=event.name)
                except Exception as error:
                    metrics.HOOK_FAILURES.labels("raised").inc()
                    log.error("a hook failed", hook=self.name, on=event.name, error=repr(error), exc_info=error)


async def _within(result: Awaitable[None], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await result
