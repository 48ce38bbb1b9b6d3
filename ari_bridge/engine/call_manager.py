"""The calls: what users request, routed to the call that it is about. The engine's entry point for the front end.

Nothing here waits for a peer: a request is checked, then started, and the listener is notified of its progress. What is
requested of a call that exists already is `CallManager.control`; what is reported of one, `CallManager.feedback`; what
ends many at once, `CallManager.bulk`.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from ari_bridge import metrics
from ari_bridge.ari.client import Ari
from ari_bridge.audit import Audit, NoAudit
from ari_bridge.call_store import CallStore
from ari_bridge.dial_permissions import LegKind
from ari_bridge.engine.admission import CallAdmission
from ari_bridge.engine.call_control import CallControl
from ari_bridge.engine.call_events import CallEvents
from ari_bridge.engine.call_feedback import CallFeedback
from ari_bridge.engine.call_task import Listener
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.emergency_calls import EmergencyCalls
from ari_bridge.engine.event_dispatcher import AriEventDispatcher
from ari_bridge.engine.forwards import ForwardsWithinLimits
from ari_bridge.engine.leg_limits import LimitUsage
from ari_bridge.engine.limit_enforcer import enforce_limits
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.near_calls import NearCalls
from ari_bridge.engine.ports import Backends, MediaEngine, Registrar, RingPolicy
from ari_bridge.engine.prewarm import LegDiscarded, LegReady, MediaPrewarmer
from ari_bridge.engine.reconciler import Reconciler
from ari_bridge.engine.registry import CallRegistry
from ari_bridge.engine.safeguards import Safeguards
from ari_bridge.errors import CallFailed, UnknownCall, WrongState
from ari_bridge.fsm.call import Call, CallState, Direction, MediaLeg
from ari_bridge.fsm.events import (
    Accepted,
    Arrived,
    Declined,
    HungUp,
    MediaLost,
    OwnerBack,
    OwnerLost,
    PbxLost,
    Placed,
    RecordingEnded,
    Reoffered,
)
from ari_bridge.fsm.notifications import Notification
from ari_bridge.hooks import Hooks, RecordingFinished
from ari_bridge.ids import Kind, leg_number, parse_resource_id, resource_id
from ari_bridge.media.sdp import check_offer
from ari_bridge.recordings.recording import stem_of_name
from ari_bridge.tasks import TaskSet
from ari_bridge.usage import Calendar, StateTable
from ari_bridge_protocol.call_ids import new_call_id

log = structlog.get_logger(__name__)


class CallManager:
    """Every call of this process.

    Args:
        ari: Asterisk.
        media: what terminates the browsers' media.
        registrar: who is registered, and is alerted of callers.
        hooks: where call events go.
        gate: what a user may dial, and which endpoint a number is dialled at.
        limits: how many calls there may be, and how long they wait for what.
        store: where calls are saved, for the next process.
        policy: who rings for a caller.
        usage: keeps what users have caused; by default until the process ends.
        calendar: when a day of it begins.
        audit: where commands are recorded.
    """

    def __init__(
        self,
        ari: Ari,
        media: MediaEngine,
        registrar: Registrar,
        hooks: Hooks,
        gate: DialGate,
        limits: Limits,
        store: CallStore,
        policy: RingPolicy,
        audit: Audit | None = None,
        *,
        usage: StateTable | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        self.audit: Audit = audit or NoAudit()
        self._ari = ari
        ari.channels.longest_s = limits.longest_channel_s
        self._hooks = hooks
        self._gate = gate
        self.emergency = EmergencyCalls(gate)
        self._limits = limits
        self._store = store
        safeguards = Safeguards(ari, hooks, gate, limits, self.audit, self.live, self.hangup, usage, calendar)
        self._usage, self._leg_limits = safeguards.usage, safeguards.leg_limits
        self.forwards, self.bulk = safeguards.forwards, safeguards.bulk
        backends = Backends(ari, media, registrar, self.forwards)
        self._prewarmer = MediaPrewarmer(backends)
        policy = ForwardsWithinLimits(policy, self.forwards)
        self._registry = CallRegistry(backends, CallEvents(hooks), limits, store, self._prewarmer, policy)
        self._admission = CallAdmission(ari, self._registry, self._prewarmer, limits, gate, self._leg_limits)
        self.control = CallControl(self._registry, gate, self._leg_limits, ari)
        self.feedback = CallFeedback(self._registry, hooks)
        self._near_calls = NearCalls(ari, self._registry, gate, self._admission)
        self._reconciler = Reconciler(backends, self._registry, self._prewarmer)
        self._dispatcher = AriEventDispatcher(
            ari,
            hooks,
            self._registry.owners,
            id_of=self._registry.id_of,
            post=self._registry.post,
            on_caller=self._on_caller,
            on_sip_client=self._near_calls.take,
            hang_up_stray=self._reconciler.hang_up_stray,
            on_recording_over=self._on_recording_over,
        )
        self._background = TaskSet()
        self._pbx_grace: asyncio.TimerHandle | None = None
        ari.on_connect(self._on_connect)
        ari.on_disconnect(self._on_disconnect)
        media.on_lost(self._on_media_lost)

    async def start(self) -> None:
        """Begin to serve; the calls of an earlier process are adopted once the PBX is reached."""
        self._registry.unadopted.update((call.id, call) for call in self._store.live())
        self._background.start(self._reconciler.sweep_loop())
        self._background.start(enforce_limits(self._usage, self._leg_limits, self._registry.hang_up))
        self._background.start(self.forwards.watch_loop())
        self._background.start(self.emergency.prolong_loop(self._ari.channels, self.live))

    async def close(self) -> None:
        """Leave every call as it is: the next process adopts it."""
        if self._pbx_grace:
            self._pbx_grace.cancel()
        await self._prewarmer.close()
        await self._dispatcher.close()
        await self._near_calls.close()
        await self._background.cancel()
        for task in list(self._registry.tasks.values()):
            await task.close()

    @property
    def draining(self) -> bool:
        """Whether new calls are refused, as this process is about to end; existing calls continue."""
        return self._admission.draining

    @draining.setter
    def draining(self, draining: bool) -> None:
        self._admission.draining = draining

    # --- placing and accepting ------------------------------------------------------------

    def place(
        self,
        *,
        target: str,
        sdp: str,
        caller: str,
        user: str | None = None,
        session: str | None = None,
        call_id: str | None = None,
        prefer: str = "",
        metadata: dict[str, str] | None = None,
        listener: Listener | None = None,
    ) -> Call:
        """Call `target` for a browser with the offer `sdp`.

        Args:
            target: the number as dialled.
            sdp: the browser's offer.
            caller: what the far side is shown.
            user: whose call it is.
            session: of the page that owns the call and must stay connected; None if no page does, as with plain HTTP.
            call_id: chosen by the client; None: a new one.
            prefer: the codec of the browser's media, "opus" or "pcmu"; "": as the server is set.
            metadata: of the client token that it is placed with; for hooks, events and the call detail record.
            listener: notified of the call's progress.

        Raises InvalidTarget, DialForbidden, InvalidSdp, InvalidRequest, WrongState (the call id is taken), TooMany,
        Unavailable.
        """
        number, endpoint = self._gate.resolve(user, target, LegKind.CALL)
        check_offer(sdp)
        self._admission.check_caller(caller)
        if call_id is None:
            call_id = new_call_id()
        else:
            self._admission.check_new_id(call_id)
        self._admission.admit(user, number, endpoint)
        first_leg = self._prewarmer.first_number(call_id)
        call = Call(
            id=call_id,
            direction=Direction.OUTBOUND,
            target=number,
            caller=caller,
            created_at=time.time(),
            user=user,
            session=session,
            far_channel=resource_id(call_id, Kind.FAR),
            endpoint=endpoint,
            leg=MediaLeg(first_leg, sdp),
            last_leg=first_leg,
            metadata=metadata or {},
            prefer=prefer,
        )
        prepared = self._prewarmer.claim(call_id, offer=sdp, session=session)
        self._prewarmer.discard_call(call_id)
        task = self._registry.add(call, listener)
        task.post(Placed(call.created_at, prepared))
        return task.call

    def accept(
        self,
        call_id: str,
        *,
        sdp: str,
        user: str,
        session: str | None = None,
        prefer: str = "",
        metadata: dict[str, str] | None = None,
        listener: Listener | None = None,
    ) -> Call:
        """Accept an incoming call that rings for `user`. Raises UnknownCall, InvalidSdp, WrongState, TooMany.

        A call of an earlier process that is not adopted yet is accepted as soon as it is.
        """
        accepted = Accepted(time.time(), user, sdp, session, prefer, metadata=metadata or {})
        if record := self._registry.unadopted.get(call_id):
            return self._accept_later(record, accepted, listener)
        task = self._registry.task(call_id)
        if user not in task.call.users:
            raise UnknownCall(f"The call {call_id} does not ring here.", field="callId")
        check_offer(sdp)
        self._admission.check_limits(user, adding=0)
        task.check(accepted)
        prepared = self._prewarmer.claim(call_id, offer=sdp, session=session)
        task.submit(replace(accepted, prepared=prepared), listener)
        self._prewarmer.discard_call(call_id)  # those of the other pages that rang
        return task.call

    def awaits_adoption(self, call_id: str) -> bool:
        """Whether it is a call of an earlier process, and the PBX has not been reached yet."""
        return call_id in self._registry.unadopted

    def _accept_later(self, record: Call, accepted: Accepted, listener: Listener | None) -> Call:
        """Raises UnknownCall, InvalidSdp, WrongState, TooMany."""
        if accepted.user not in record.users:
            raise UnknownCall(f"The call {record.id} does not ring here.", field="callId")
        if record.direction is not Direction.INBOUND or record.state not in (CallState.RINGING, CallState.ACCEPTING):
            raise WrongState(f"The call is {record.state.value}: it cannot be accepted now.", field="callId")
        deferred = self._registry.deferred(record.id)
        accepted_by = deferred.user if isinstance(deferred, Accepted) else record.user
        if accepted_by not in (None, accepted.user):
            raise WrongState("The call was taken already, by another page.", field="callId")
        check_offer(accepted.offer)
        self._admission.check_limits(accepted.user, adding=0)
        self._registry.defer(record.id, accepted, listener)
        return record

    # --- media that is prepared, or renewed ----------------------------------------------------

    def prepare_media(
        self,
        call_id: str,
        *,
        sdp: str,
        session: str,
        user: str | None = None,
        prefer: str = "",
        listener: Callable[[LegReady | LegDiscarded], None],
    ) -> None:
        """Make a call's media leg in advance: `place` or `accept` with the same call id, offer and session uses it.

        Each page has one at most; another one replaces it. `listener` is notified of the leg.
        Raises InvalidRequest, InvalidSdp, WrongState (the call id is taken), UnknownCall (it rings elsewhere), TooMany,
        Unavailable.
        """
        check_offer(sdp)
        task = self._registry.tasks.get(call_id)
        if task is None:
            self._admission.check_new_id(call_id)
        elif user is None or user not in task.call.users:
            raise UnknownCall(f"The call {call_id} does not ring here.", field="callId")
        elif task.call.state is not CallState.RINGING:
            raise WrongState(f"The call {call_id} does not ring any more.", field="callId")
        self._admission.check_limits(None)
        self._admission.check_available()
        self._prewarmer.prepare(
            call_id,
            inbound=task is not None,
            offer=sdp,
            prefer=prefer,
            session=session,
            user=user,
            listener=listener,
        )

    def discard_media(self, session: str) -> None:
        """The page does not need its prepared leg any more; no error if it has none."""
        self._prewarmer.discard(session)

    def renew_media(self, call_id: str, *, sdp: str, session: str | None = None, prefer: str = "") -> None:
        """Give the call a new media leg for the new offer `sdp`; the listeners are notified of its answer.

        `session`: of the page that owns the call from now on. Raises UnknownCall, InvalidSdp, WrongState.
        """
        task = self._registry.task(call_id)
        check_offer(sdp)
        task.submit(Reoffered(time.time(), sdp, session, prefer))

    # --- the page that owns a call -----------------------------------------------------------

    def attach(self, call_id: str, listener: Listener) -> None:
        """The owning page is connected (again). Raises UnknownCall, WrongState (the call has ended)."""
        task = self._registry.task(call_id)
        if listener not in task.listeners:
            task.listeners.append(listener)
        task.post(OwnerBack(time.time()))

    def detach(self, call_id: str, listener: Listener) -> None:
        """The owning page has disconnected: the call continues, for the grace at least."""
        task = self._registry.tasks.get(call_id)
        if task and listener in task.listeners:
            task.listeners.remove(listener)
            task.post(OwnerLost(time.time()))

    def watch(self, call_id: str, listener: Listener) -> None:
        """Notify `listener` as well. Raises UnknownCall, WrongState (the call has ended)."""
        self._registry.task(call_id).listeners.append(listener)

    def unwatch(self, call_id: str, listener: Listener) -> None:
        task = self._registry.tasks.get(call_id)
        if task and listener in task.listeners:
            task.listeners.remove(listener)

    # --- ending --------------------------------------------------------------------------------

    def decline(self, call_id: str, *, user: str) -> None:
        """`user` does not want the call; no error if it does not ring any more. Raises UnknownCall."""
        declined = Declined(time.time(), user)
        if task := self._registry.find(call_id):
            if user in task.call.users:
                task.submit(declined)
        elif (record := self._registry.unadopted.get(call_id)) and user in record.users:
            self._registry.defer(call_id, declined)

    def hangup(self, call_id: str) -> None:
        """End the call; no error if it has ended. Raises UnknownCall."""
        if task := self._registry.find(call_id):
            task.post(HungUp(time.time()))
        elif call_id in self._registry.unadopted:
            self._registry.defer(call_id, HungUp(time.time()))

    # --- lookup --------------------------------------------------------------------------------

    def get(self, call_id: str) -> Call:
        """The call, live or ended. Raises UnknownCall."""
        return self._registry.get(call_id)

    def id_of(self, name: str) -> str | None:
        """The id of the call that a channel, bridge or media session is named after; None if it is none of ours."""
        parsed = parse_resource_id(name)
        return self._registry.id_of(parsed[0]) if parsed else None

    def limits_of(self, user: str) -> list[LimitUsage]:
        return self._leg_limits.usage_of(user, time.time())

    def live(self) -> list[Call]:
        """Calls that are not decided to end; those of an earlier process, as last saved, come first."""
        return self._registry.live()

    async def answered(self, call_id: str) -> str:
        """The SDP answer, at the latest after the set-up timeout. Raises CallFailed, UnknownCall."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def check(call: Call) -> None:
            if answer.done():
                return
            if call.answer:
                answer.set_result(call.answer)
            elif call.outcome and call.cause:
                answer.set_exception(CallFailed(call.id, call.outcome, call.cause))

        def listener(call: Call, _: Notification) -> None:
            check(call)

        check(self.get(call_id))
        if not answer.done():
            self.watch(call_id, listener)
        try:
            return await answer
        finally:
            self.unwatch(call_id, listener)

    # --- events of the peers -----------------------------------------------------------------

    def _on_caller(self, call: Call) -> bool:
        if not self._admission.has_room_for_caller():
            return False
        log.info("incoming call", call=call.id, channel=call.far_channel, target=call.target, caller=call.caller)
        self._registry.add(call).post(Arrived(call.created_at))
        return True

    def _on_recording_over(self, name: str, failure: str) -> None:
        stem = stem_of_name(name)
        if stem is None:
            return  # not ours
        call_id = self._registry.id_of(stem)
        self._registry.post(call_id, RecordingEnded(time.time(), name, failure))
        self._hooks.emit(RecordingFinished(call_id, name, failure))

    async def _on_connect(self) -> None:
        metrics.ARI_CONNECTED.set(1)
        if self._pbx_grace:
            self._pbx_grace.cancel()
        if self._ari.pbx_restarted:
            self._on_pbx_lost("the PBX was restarted")
        await self._reconciler.reconcile()
        self._background.start(self._reconciler.sweep_after_grace())

    def _on_disconnect(self, reason: str) -> None:
        metrics.ARI_CONNECTED.set(0)
        log.warning("ARI event stream lost: existing calls continue", reason=reason, calls=len(self._registry.tasks))
        loop = asyncio.get_running_loop()
        self._pbx_grace = loop.call_later(self._limits.pbx_grace, self._on_pbx_lost, f"the PBX is gone: {reason}")

    def _on_pbx_lost(self, reason: str) -> None:
        self._prewarmer.on_pbx_lost(reason)
        for task in list(self._registry.tasks.values()):
            task.post(PbxLost(time.time(), reason))

    def _on_media_lost(self, legs: frozenset[str], reason: str) -> None:
        self._near_calls.renegotiate()
        for leg in legs:
            if call_id := self.id_of(leg):
                self._registry.post(call_id, MediaLost(time.time(), leg_number(leg), reason))
