"""Hooks: every call event and every ARI event passes one emitter.

Plugins listen with `Hooks.on`:

    def setup(hooks: Hooks) -> None:
        hooks.on(CallEnded, write_missed_call)

Each handler has a thread and a bounded queue of its own, so one that raises, blocks
or hangs harms neither a call nor another handler; what it did wrong is logged and
counted. Trusted parts of the server itself, which are quick and do not block,
listen with `Hooks.tap`.
"""

import asyncio
import importlib
import inspect
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import msgspec
import structlog
from pyee.base import EventEmitter

from ari_bridge import metrics
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.call_data import CallData
from ari_bridge.leg_stats import LegFigures

log = structlog.get_logger(__name__)

QUEUE_SIZE = 1000
"""Events that wait for one handler; when it is full, new ones are dropped for this handler and counted."""
HANDLER_SECONDS = 10.0
"""How long an async handler may take for one event before it is cancelled."""


def call_data(call: Call) -> dict[str, Any]:
    """The call as a JSON-ready dict, as `CallData` has it."""
    data: dict[str, Any] = msgspec.to_builtins(CallData.of(call))
    return data


# --- events ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HookEvent:
    """Base of every event. `name` is stable and meant for programs; `at`: Unix seconds."""

    name: ClassVar[str] = ""
    at: float = field(default_factory=time.time, kw_only=True)

    @property
    def call_id(self) -> str | None:
        return None

    def data(self) -> dict[str, Any]:
        """The event as a JSON-ready dict."""
        return {}


@dataclass(frozen=True, slots=True)
class CallEvent(HookEvent):
    call: Call

    @property
    def call_id(self) -> str:
        return self.call.id

    def data(self) -> dict[str, Any]:
        return call_data(self.call)


@dataclass(frozen=True, slots=True)
class CallStarted(CallEvent):
    """A call was placed, or a caller arrived."""

    name: ClassVar[str] = "call.started"


@dataclass(frozen=True, slots=True)
class CallAdopted(CallEvent):
    """A call of an earlier process was found again, and goes on."""

    name: ClassVar[str] = "call.adopted"


@dataclass(frozen=True, slots=True)
class CallChanged(CallEvent):
    """The call's state changed, or who is in it, who holds it, or whether it is recorded."""

    name: ClassVar[str] = "call.changed"


@dataclass(frozen=True, slots=True)
class CallEnded(CallEvent):
    """The call was decided to end: `call.outcome` and `call.cause` say how. Comes once for each call."""

    name: ClassVar[str] = "call.ended"


@dataclass(frozen=True, slots=True)
class CallReleased(CallEvent):
    """Nothing of the call is left in Asterisk or rtpengine. Comes once, after CallEnded."""

    name: ClassVar[str] = "call.released"


@dataclass(frozen=True, slots=True)
class LegReleased(HookEvent):
    """A media leg is gone, and this is what rtpengine has counted of it. Comes before CallReleased.

    `leg`: 1 for the first; each reload, and each lost rtpengine, makes another. docs/QUALITY.md tells the figures.
    """

    name: ClassVar[str] = "leg.released"
    of_call: str
    leg: int
    figures: LegFigures

    @property
    def call_id(self) -> str:
        return self.of_call

    def data(self) -> dict[str, Any]:
        return {"callId": self.of_call, "leg": self.leg, **self.figures.data()}


@dataclass(frozen=True, slots=True)
class QualityReported(HookEvent):
    """How a call has sounded on its page until now: replaces what was told of it before.

    `report`: JSON-ready, in camelCase, as docs/QUALITY.md tells.
    """

    name: ClassVar[str] = "quality"
    of_call: str
    report: dict[str, Any]

    @property
    def call_id(self) -> str:
        return self.of_call

    def data(self) -> dict[str, Any]:
        return {"callId": self.of_call, "report": self.report}


@dataclass(frozen=True, slots=True)
class FeedbackGiven(HookEvent):
    """What a call's user thought of it. `feedback`: JSON-ready: score (1 to 5), and perhaps issue and comment."""

    name: ClassVar[str] = "feedback"
    of_call: str
    feedback: dict[str, Any]

    @property
    def call_id(self) -> str:
        return self.of_call

    def data(self) -> dict[str, Any]:
        return {"callId": self.of_call, **self.feedback}


@dataclass(frozen=True, slots=True)
class DigitReceived(CallEvent):
    """The far side pressed a key."""

    name: ClassVar[str] = "call.digit"
    digit: str

    def data(self) -> dict[str, Any]:
        return {"callId": self.call.id, "digit": self.digit}


@dataclass(frozen=True, slots=True)
class RecordingFinished(HookEvent):
    """Asterisk has a recording complete; or it failed, as `failure` says, and may have a part of it."""

    name: ClassVar[str] = "recording.finished"
    recorded_call_id: str
    recording: str
    failure: str = ""

    @property
    def call_id(self) -> str:
        return self.recorded_call_id

    def data(self) -> dict[str, Any]:
        return {"callId": self.recorded_call_id, "recording": self.recording, "failure": self.failure}


@dataclass(frozen=True, slots=True)
class AriReceived(HookEvent):
    """An event of Asterisk, as ARI sent it. `type`: ARI's name for it, e.g. StasisStart."""

    name: ClassVar[str] = "ari"
    type: str
    raw: dict[str, Any]
    of_call: str | None = None

    @property
    def call_id(self) -> str | None:
        return self.of_call

    def data(self) -> dict[str, Any]:
        return self.raw


E = TypeVar("E", bound=HookEvent)
Handler = Callable[[E], Awaitable[None] | None]


# --- the emitter ----------------------------------------------------------------


class Hooks:
    def __init__(self) -> None:
        self._emitter = EventEmitter()
        self._emitter.on("error", self._tap_failed)
        self._workers: list[_Worker] = []
        self._taps: list[Callable[[HookEvent], None]] = []

    def on(self, event: type[E], handler: Handler[E]) -> None:
        """Call `handler` for every `event`, also of classes under it (`HookEvent`: for every event).

        `handler` may be async. It runs outside of the server's loop, in order, one event at a time.
        """
        worker = _Worker(handler)
        self._workers.append(worker)
        for cls in _with_subclasses(event):
            self._emitter.on(cls.__name__, worker.put)

    def tap(self, callback: Callable[[HookEvent], None]) -> None:
        """Call `callback` for every event at once, in the server's loop: it must be quick and never block."""
        self._taps.append(callback)

    def emit(self, event: HookEvent) -> None:
        """Give the event to who listens. Never raises, never waits."""
        for tap in self._taps:
            try:
                tap(event)
            except Exception as error:
                self._tap_failed(error)
        self._emitter.emit(type(event).__name__, event)

    def close(self) -> None:
        """Let every handler finish what is queued, for a second at most; one that hangs is left behind."""
        deadline = time.monotonic() + 1.0
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
        self._queue: queue.Queue[HookEvent | None] = queue.Queue(QUEUE_SIZE)
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
            if self._dropped % QUEUE_SIZE == 0:
                log.error("a hook is too slow or hangs: events are dropped for it", hook=self.name, on=event.name)
            self._dropped += 1

    def stop(self) -> None:
        """Ask the thread to end after what is queued."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            log.warning("a hook has not kept up: what waits for it is lost", hook=self.name, events=QUEUE_SIZE)

    def join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            while (event := self._queue.get()) is not None:
                try:
                    result = self._handler(event)
                    if inspect.isawaitable(result):
                        runner.run(_within(result, HANDLER_SECONDS))
                except TimeoutError:
                    metrics.HOOK_FAILURES.labels("hung").inc()
                    log.error("a hook took too long and was cancelled", hook=self.name, on=event.name)
                except Exception as error:
                    metrics.HOOK_FAILURES.labels("raised").inc()
                    log.error("a hook failed", hook=self.name, on=event.name, error=repr(error), exc_info=error)


async def _within(result: Awaitable[None], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await result


# --- plugins ----------------------------------------------------------------------


class PluginError(Exception):
    """A plugin cannot be loaded; the text says which and why."""


def load_plugins(hooks: Hooks, names: list[str]) -> None:
    """Import each module and call its `setup(hooks)`. Raises PluginError."""
    for name in names:
        try:
            importlib.import_module(name).setup(hooks)
        except Exception as error:
            raise PluginError(f"the plugin {name!r} cannot be loaded: {error!r}") from error
        log.info("plugin loaded", plugin=name)
