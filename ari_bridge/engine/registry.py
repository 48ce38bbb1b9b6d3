"""Every call that stands, by its id: begun, adopted, told what happened to it, forgotten."""

import asyncio
import time

import structlog

from ari_bridge.call_store import CallStore
from ari_bridge.engine.call_metrics import CallObserver
from ari_bridge.engine.call_task import CallTask
from ari_bridge.engine.event_dispatcher import Owner
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.notifications import DigitReceived, Listener, StateChanged, Update
from ari_bridge.engine.ports import Backends, RingPolicy
from ari_bridge.engine.prewarm import MediaPrewarmer
from ari_bridge.errors import Unavailable, UnknownCall, WrongState
from ari_bridge.fsm.call import Call, CallState, PartyState, Resource
from ari_bridge.fsm.deadlines import take_up
from ari_bridge.fsm.decisions import Decision
from ari_bridge.fsm.events import Accepted, Event, RecordingAsked, RecordingVerb
from ari_bridge.hooks import CallAdopted, CallEnded, CallReleased, Hooks
from ari_bridge.hooks import DigitReceived as DigitHook
from ari_bridge.ids import Kind, is_digest, party_id, resource_id, stem_of
from ari_bridge.preferences.ring_decision import RingDecision

log = structlog.get_logger(__name__)


class CallRegistry:
    """`tasks`: of the calls that have not ended. `records`: those that an earlier process left, not adopted yet.

    `owners`: of the channels whose name does not tell whose they are. `wishes`: what the users of records want done.
    `wishing`: who is told of a call that it takes by its wish.
    """

    def __init__(
        self,
        peers: Backends,
        hooks: Hooks,
        limits: Limits,
        store: CallStore,
        warm: MediaPrewarmer,
        policy: RingPolicy,
    ) -> None:
        self.tasks: dict[str, CallTask] = {}
        self.records: dict[str, Call] = {}
        self.owners: dict[str, Owner] = {}
        self.wishes: dict[str, Event] = {}
        self.wishing: dict[str, Listener] = {}
        self._ids: dict[str, str] = {}  # of `tasks`, by their stems
        self.empty = asyncio.Event()  # set when the last one ends
        self._peers = peers
        self._hooks = hooks
        self._limits = limits
        self._store = store
        self._warm = warm
        self._policy = policy

    def add(self, call: Call, listener: Listener | None = None, *, adopted: bool = False) -> CallTask:
        meter = CallObserver(self._hooks)

        def changed(before: Call, after: Call, event: Event) -> None:
            self._store.save(after)  # before its actions: what is done is known, whatever comes next
            if after.parties is not before.parties or after.far_channel != before.far_channel:
                self._know_channels(after)
            meter.changed(before, after, event)
            if after.state is CallState.UP and before.state is not CallState.UP and self._limits.record_all:
                task.post(RecordingAsked(event.at, RecordingVerb.START))
            if after.state is CallState.ENDED and before.state is not CallState.ENDED:
                self._forget(after)

        task = CallTask(call, self._peers, self._limits, changed, self._who_rings)
        if listener:
            task.listeners.append(listener)
        task.listeners.append(self._digit_to_hooks)
        self.tasks[call.id] = task
        self._ids[stem_of(call.id)] = call.id
        self._know_channels(call)
        if adopted:
            meter.adopted(call)
        return task

    def _who_rings(self, call: Call) -> RingDecision:
        return self._policy.decide(call, self.live())

    def adopt(self, record: Call, decision: Decision) -> None:
        """A call of an earlier process stands, or has ended meanwhile. What is left of its time is what it has."""
        call, actions = decision
        call = take_up(call, actions, record, time.time(), self._limits.timing())
        self._store.save(call)
        wish, listener = self.wishes.pop(call.id, None), self.wishing.pop(call.id, None)
        if listener and not call.state.live:
            listener(StateChanged(call))
        if call.state is CallState.ENDED:
            self._hooks.emit(CallEnded(call))
            self._hooks.emit(CallReleased(call))
            return
        task = self.add(call, adopted=True)
        task.adopt(actions)
        if isinstance(wish, Accepted):
            self._accept(task, wish, listener)
            wish = None
        self._hooks.emit(CallAdopted(task.call))  # its page, where it is back already, takes it now
        if self._limits.record_all and call.state is CallState.UP and not call.left and not call.recordings:
            task.post(RecordingAsked(time.time(), RecordingVerb.START))  # it was answered while nobody looked
        if wish:
            task.post(wish)

    def _accept(self, task: CallTask, accepted: Accepted, listener: Listener | None) -> None:
        """A page has taken the call before it was adopted. Where it rings no more, its page is told how it stands."""
        if listener:
            task.listeners.append(listener)
        try:
            task.ask(accepted)
        except WrongState as error:
            log.info(
                "a call that was accepted during a start does not ring any more", call=task.call.id, reason=str(error)
            )
            if listener:
                task.listeners.remove(listener)

    def post(self, call_id: str, event: Event) -> bool:
        """False: there is no such call, nor a leg ahead of it, that this could concern."""
        if self._warm.hear(call_id, event):
            return True
        task = self.tasks.get(call_id)
        if task:
            task.post(event)
        return task is not None

    # --- found again -----------------------------------------------------------------------

    def get(self, call_id: str) -> Call:
        """The call, live or ended. Raises UnknownCall."""
        if task := self.tasks.get(call_id):
            return task.call
        call = self.records.get(call_id) or self._store.get(call_id)
        if call is None:
            raise UnknownCall.named(call_id)
        return call

    def live(self) -> list[Call]:
        """Calls that are not decided to end, oldest first; those of an earlier process as they were last known."""
        calls = [*self.records.values(), *(task.call for task in self.tasks.values())]
        return [call for call in calls if call.state.live]

    def find(self, call_id: str) -> CallTask | None:
        """The task of a call that has not ended; None where it has, or is not adopted yet. Raises UnknownCall."""
        task = self.tasks.get(call_id)
        if task is None:
            self.get(call_id)
        return task

    def task(self, call_id: str) -> CallTask:
        """Raises UnknownCall, WrongState (it has ended), Unavailable (it is not adopted yet)."""
        task = self.find(call_id)
        if task is None and call_id in self.records:
            raise Unavailable("the PBX is not reached yet since the server's start", retry_after=1.0)
        if task is None:
            raise WrongState(f"The call {call_id} has ended.", field="callId")
        return task

    def id_of(self, stem: str) -> str:
        """The id of the call whose resources' names begin with the stem; the stem itself where there is none."""
        if not is_digest(stem):
            return stem
        if known := self._ids.get(stem) or self._warm.id_of(stem):
            return known
        call = self._store.of_stem(stem)
        return call.id if call else stem

    def knows(self, stem: str) -> bool:
        """Whether there is, or was, a call of ours whose resources' names begin with the stem (`ids.stem_of`)."""
        if stem in self._ids or any(stem_of(call_id) == stem for call_id in self.records):
            return True
        return self._store.of_stem(stem) is not None

    def is_taken(self, call_id: str) -> bool:
        """Whether there is, or was, such a call."""
        return call_id in self.tasks or self._store.get(call_id) is not None

    # --- what it keeps ---------------------------------------------------------------------

    def _digit_to_hooks(self, update: Update) -> None:
        if isinstance(update, DigitReceived):
            self._hooks.emit(DigitHook(update.call, update.digit))

    def _forget(self, call: Call) -> None:
        self.tasks.pop(call.id, None)
        self._ids.pop(stem_of(call.id), None)
        self._warm.drop_call(call.id)
        for channel in [call.far_channel, *(party.channel for party in call.parties)]:
            if self.owners.get(channel, ("",))[0] == call.id:
                del self.owners[channel]
        if not self.tasks:
            self.empty.set()

    def _know_channels(self, call: Call) -> None:
        """Of parties that another call gave, and of whoever took somebody's place."""
        if call.far_channel != resource_id(call.id, Kind.FAR):
            self.owners[call.far_channel] = (call.id, Resource.FAR, 0)
        for party in call.parties:
            if party.channel == party_id(call.id, party.number):
                continue
            if party.state is not PartyState.GONE:
                self.owners[party.channel] = (call.id, Resource.PARTY, party.number)
            elif self.owners.get(party.channel) == (call.id, Resource.PARTY, party.number):
                del self.owners[party.channel]
