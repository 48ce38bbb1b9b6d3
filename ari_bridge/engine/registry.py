"""Every call that has not ended, by its id: added, adopted, given its events, forgotten."""

import time
from dataclasses import dataclass

import structlog

from ari_bridge.call_store import CallStore
from ari_bridge.engine.call_events import CallEvents
from ari_bridge.engine.call_metrics import CallMetrics
from ari_bridge.engine.call_task import CallTask, Listener
from ari_bridge.engine.channel_owners import ChannelOwners
from ari_bridge.engine.lifecycle import CallLifecycle
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.ports import Backends, RingPolicy
from ari_bridge.engine.prewarm import MediaPrewarmer
from ari_bridge.errors import Unavailable, UnknownCall, WrongState
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.fsm.deadlines import resume
from ari_bridge.fsm.decisions import Decision
from ari_bridge.fsm.events import Accepted, Event, HungUp, RecordingRequested, RecordingVerb
from ari_bridge.fsm.notifications import StateChanged
from ari_bridge.ids import is_digest, stem_of
from ari_bridge.preferences.ring_decision import RingDecision

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class DeferredRequest:
    """What a user requested of a call that is not adopted yet. `listener`: of the page that accepts it."""

    event: Event
    listener: Listener | None = None


class CallRegistry:
    """`tasks`: of the calls that have not ended. `unadopted`: calls of an earlier process, as it saved them.

    Args:
        backends: what calls act on.
        events: what hooks are given of calls.
        limits: how long calls wait for what.
        store: where calls are saved.
        prewarmer: has legs for calls that are not placed or accepted yet.
        policy: who rings for a caller.
    """

    def __init__(
        self,
        backends: Backends,
        events: CallEvents,
        limits: Limits,
        store: CallStore,
        prewarmer: MediaPrewarmer,
        policy: RingPolicy,
    ) -> None:
        self.tasks: dict[str, CallTask] = {}
        self.unadopted: dict[str, Call] = {}
        self.owners = ChannelOwners()
        self._deferred: dict[str, DeferredRequest] = {}
        self._ids: dict[str, str] = {}  # of `tasks`, by their stems
        self._backends = backends
        self._events = events
        self._limits = limits
        self._store = store
        self._prewarmer = prewarmer
        self._policy = policy

    def add(self, call: Call, listener: Listener | None = None) -> CallTask:
        """A new call."""
        return self._add(call, CallMetrics(), listener)

    def adopt(self, record: Call, decision: Decision) -> None:
        """A call of an earlier process: it continues, or has ended meanwhile. Its deadlines continue too."""
        call, actions = decision
        call = resume(call, actions, record, time.time(), self._limits.timing())
        happened = self._events.of_adoption(call)
        self._store.save(call, self._events.not_recorded_before(record, happened))
        request = self._deferred.pop(call.id, None)
        if request and request.listener and not call.state.live:
            request.listener(call, StateChanged())
        if call.state is CallState.ENDED:
            self._events.emit(happened)
            return
        metrics = CallMetrics()
        task = self._add(call, metrics)
        metrics.adopted(call)
        self._events.emit(happened)
        task.perform(actions)
        if request and isinstance(request.event, Accepted):
            self._accept(task, request.event, request.listener)
            request = None
        self._events.adopted(task.call)  # its page, if it is back already, attaches now
        if self._limits.record_all and call.state is CallState.UP and not call.left_outcome and not call.recordings:
            task.post(RecordingRequested(time.time(), RecordingVerb.START))  # it was answered while no process ran
        if request:
            task.post(request.event)

    def defer(self, call_id: str, event: Event, listener: Listener | None = None) -> None:
        """Request it of an unadopted call as soon as that is adopted; replaces a request that is deferred already."""
        self._deferred[call_id] = DeferredRequest(event, listener)

    def deferred(self, call_id: str) -> Event | None:
        """The request that waits for the call's adoption."""
        request = self._deferred.get(call_id)
        return request.event if request else None

    def post(self, call_id: str, event: Event) -> bool:
        """Give the event to the call, or to the leg prepared for it. False if there is neither."""
        if self._prewarmer.handle(call_id, event):
            return True
        task = self.tasks.get(call_id)
        if task:
            task.post(event)
        return task is not None

    def hang_up(self, call_id: str) -> None:
        """End it, if it has been adopted and has not ended."""
        if task := self.tasks.get(call_id):
            task.post(HungUp(time.time()))

    # --- lookup -----------------------------------------------------------------------

    def get(self, call_id: str) -> Call:
        """The call, live or ended. Raises UnknownCall."""
        if task := self.tasks.get(call_id):
            return task.call
        call = self.unadopted.get(call_id) or self._store.get(call_id)
        if call is None:
            raise UnknownCall.named(call_id)
        return call

    def live(self) -> list[Call]:
        """Calls that are not decided to end; those of an earlier process, as last saved, come first."""
        calls = [*self.unadopted.values(), *(task.call for task in self.tasks.values())]
        return [call for call in calls if call.state.live]

    def find(self, call_id: str) -> CallTask | None:
        """The task of a call; None if it has ended or is not adopted yet. Raises UnknownCall."""
        task = self.tasks.get(call_id)
        if task is None:
            self.get(call_id)
        return task

    def task(self, call_id: str) -> CallTask:
        """Raises UnknownCall, WrongState (it has ended), Unavailable (it is not adopted yet)."""
        task = self.find(call_id)
        if task is None and call_id in self.unadopted:
            raise Unavailable("the server has not reached the PBX since its start", retry_after=1.0)
        if task is None:
            raise WrongState(f"The call {call_id} has ended.", field="callId")
        return task

    def id_of(self, stem: str) -> str:
        """The id of the call whose resources are named after the stem; the stem itself if there is none."""
        if not is_digest(stem):
            return stem
        if known := self._ids.get(stem) or self._prewarmer.id_of(stem):
            return known
        call = self._store.of_stem(stem)
        return call.id if call else stem

    def knows(self, stem: str) -> bool:
        """Whether a call of ours has, or had, resources named after the stem (`ids.stem_of`)."""
        if stem in self._ids or any(stem_of(call_id) == stem for call_id in self.unadopted):
            return True
        return self._store.of_stem(stem) is not None

    def is_taken(self, call_id: str) -> bool:
        """Whether a call has, or had, this id."""
        return call_id in self.tasks or self._store.get(call_id) is not None

    # --- adding and forgetting -------------------------------------------------------------

    def _add(self, call: Call, metrics: CallMetrics, listener: Listener | None = None) -> CallTask:
        lifecycle = CallLifecycle(
            save=self._store.save,
            owners=self.owners,
            metrics=metrics,
            events=self._events,
            post=self.post,
            forget=self._forget,
            record_all=self._limits.record_all,
        )
        task = CallTask(call, self._backends, self._limits, lifecycle.on_transition, self._decide_ringing)
        if listener:
            task.listeners.append(listener)
        task.listeners.append(self._events.on_notification)
        self.tasks[call.id] = task
        self._ids[stem_of(call.id)] = call.id
        self.owners.update(call)
        return task

    def _accept(self, task: CallTask, accepted: Accepted, listener: Listener | None) -> None:
        """A page accepted the call before its adoption; if it does not ring any more, the page is not attached."""
        try:
            task.submit(accepted, listener)
        except WrongState as error:
            log.info(
                "a call that was accepted before its adoption does not ring any more",
                call=task.call.id,
                reason=str(error),
            )

    def _decide_ringing(self, call: Call) -> RingDecision:
        return self._policy.decide(call, self.live())

    def _forget(self, call: Call) -> None:
        self.tasks.pop(call.id, None)
        self._ids.pop(stem_of(call.id), None)
        self._prewarmer.discard_call(call.id)
