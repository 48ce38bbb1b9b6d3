"""All calls: what users ask for, brought to the call that it is about.

Nothing here waits for a peer: what a user asks for is checked, then begun, and
the listener hears how it goes on.
"""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any

import structlog

from ari_bridge import metrics
from ari_bridge.ari.client import Ari
from ari_bridge.call_store import CallStore
from ari_bridge.engine.call_control import CallControl
from ari_bridge.engine.event_dispatcher import AriEventDispatcher
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.notifications import (
    DigitReceived,
    HoldChanged,
    Listener,
    MediaNeeded,
    MediaReady,
    PartyChanged,
    RecordingChanged,
    RequestRefused,
    StateChanged,
    TransferEnded,
    Update,
)
from ari_bridge.engine.ports import Backends, MediaEngine, Registrar, RingPolicy
from ari_bridge.engine.prewarm import LegDiscarded, LegReady, MediaPrewarmer, Told
from ari_bridge.engine.reconciler import Reconciler
from ari_bridge.engine.registry import CallRegistry
from ari_bridge.errors import CallFailed, InvalidRequest, TooMany, Unavailable, UnknownCall, WrongState
from ari_bridge.fsm.call import Call, CallState, Direction
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
    RecordingVerb,
    Reoffered,
)
from ari_bridge.hooks import FeedbackGiven, Hooks, QualityReported, RecordingFinished
from ari_bridge.ids import (
    CALL_ID_CHARACTERS,
    Kind,
    is_call_id,
    leg_number,
    parse_resource_id,
    resource_id,
)
from ari_bridge.media.sdp import check_offer
from ari_bridge.number_routing import Routes
from ari_bridge.outcomes import Detail
from ari_bridge.tasks import TaskSet
from ari_bridge_protocol.call_ids import new_call_id

__all__ = [
    "CallManager",
    "LegDiscarded",
    "DigitReceived",
    "HoldChanged",
    "Limits",
    "Listener",
    "MediaEngine",
    "MediaNeeded",
    "MediaReady",
    "Registrar",
    "PartyChanged",
    "RecordingChanged",
    "RecordingVerb",
    "RequestRefused",
    "StateChanged",
    "TransferEnded",
    "Update",
    "LegReady",
]

HANG_UP_SECONDS = 5.0
"""How long `hang_up_all` waits until all is released."""

_CALLER = re.compile(r"[0-9A-Za-z+ ._-]{0,64}")

FEEDBACK_SECONDS = 86400.0
"""After a call's end."""

log = structlog.get_logger(__name__)


class CallManager(CallControl):
    """`draining`: no call is begun any more; those that stand go on."""

    def __init__(
        self,
        ari: Ari,
        media: MediaEngine,
        registrar: Registrar,
        hooks: Hooks,
        routes: Routes,
        limits: Limits,
        store: CallStore,
        policy: RingPolicy,
    ) -> None:
        self._ari = ari
        self._hooks = hooks
        self._routes = routes
        self._limits = limits
        self._store = store
        peers = Backends(ari, media, registrar)
        self._warm = MediaPrewarmer(peers)
        self._registry = CallRegistry(peers, hooks, limits, store, self._warm, policy)
        super().__init__(self._registry, routes, ari)
        self._reconciler = Reconciler(peers, self._registry, self._warm)
        self._switchboard = AriEventDispatcher(
            ari,
            hooks,
            self._registry.owners,
            id_of=self._registry.id_of,
            post=self._registry.post,
            arrived=self._arrived,
            stray=self._reconciler.hang_up_stray,
            recorded=self._recorded,
        )
        self._background = TaskSet()
        self._pbx_gone: asyncio.TimerHandle | None = None
        self.draining = False
        ari.on_connect(self._on_connect)
        ari.on_disconnect(self._on_disconnect)
        media.on_lost(self._on_media_lost)

    async def start(self) -> None:
        """Begin to look after calls; those that an earlier process left are adopted once the PBX is reached."""
        self._registry.records.update((call.id, call) for call in self._store.live())
        self._background.start(self._reconciler.sweep_for_ever())

    async def close(self) -> None:
        """Leave every call as it stands: the next process adopts it."""
        if self._pbx_gone:
            self._pbx_gone.cancel()
        await self._warm.close()
        await self._switchboard.close()
        await self._background.cancel()
        for task in list(self._registry.tasks.values()):
            await task.close()

    async def hang_up_all(self) -> None:
        """Hang up every call, and wait until all is released, within HANG_UP_SECONDS."""
        for task in list(self._registry.tasks.values()):
            task.post(HungUp(time.time()))
        if not self._registry.tasks:
            return
        self._registry.empty.clear()
        try:
            async with asyncio.timeout(HANG_UP_SECONDS):
                await self._registry.empty.wait()
        except TimeoutError:
            log.error("calls could not be released in time", calls=sorted(self._registry.tasks))

    # --- what users ask for ------------------------------------------------------------

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
        listener: Listener | None = None,
    ) -> Call:
        """Call `target` for a browser with the offer `sdp`.

        `caller`: what the far side is shown. `call_id`: chosen by the client, else by us. `session`: of the page
        that holds the call and must stay connected; None where nobody has to, as with plain HTTP. `prefer`: the
        codec of the browser's media, "opus" or "pcmu"; "" as the server is set.
        Raises InvalidTarget, InvalidSdp, InvalidRequest, WrongState (the call id is taken), TooMany, Unavailable.
        """
        number, endpoint = self._routes.resolve(target)
        check_offer(sdp)
        if not _CALLER.fullmatch(caller):
            raise InvalidRequest(
                "The caller may have letters, digits, spaces and + . _ -, at most 64 in all.", field="caller"
            )
        if call_id is None:
            call_id = new_call_id()
        else:
            self._check_new(call_id)
        self._check_limits(user)
        if self.draining:
            raise Unavailable("the server is being replaced", retry_after=2.0)
        self._ari.check_available()
        self._check_route(endpoint)
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
            leg=self._warm.first_number(call_id),
            offer=sdp,
            prefer=prefer,
        )
        warm = self._warm.take(call_id, offer=sdp, session=session)
        self._warm.drop_call(call_id)
        task = self._registry.add(call, listener)
        task.post(Placed(call.created_at, warm))
        return task.call

    def accept(
        self,
        call_id: str,
        *,
        sdp: str,
        user: str,
        session: str | None = None,
        prefer: str = "",
        listener: Listener | None = None,
    ) -> Call:
        """Take an incoming call that rings for `user`. Raises UnknownCall, InvalidSdp, WrongState, TooMany.

        One of an earlier process, which is not adopted yet, is taken as soon as it is.
        """
        if record := self._registry.records.get(call_id):
            return self._accept_later(record, Accepted(time.time(), user, sdp, session, prefer), listener)
        task = self._registry.task(call_id)
        if user not in task.call.users:
            raise UnknownCall(f"The call {call_id} does not ring here.", field="callId")
        check_offer(sdp)
        self._check_limits(user, adding=0)
        task.check(Accepted(time.time(), user, sdp, session, prefer))
        accepted = Accepted(
            time.time(), user, sdp, session, prefer, self._warm.take(call_id, offer=sdp, session=session)
        )
        if listener:
            task.listeners.append(listener)
        try:
            task.ask(accepted)
        except WrongState:
            if listener:
                task.listeners.remove(listener)
            raise
        self._warm.drop_call(call_id)  # of the other pages that rang
        return task.call

    def awaits_adoption(self, call_id: str) -> bool:
        """Whether it is a call of an earlier process, and the PBX is not reached yet."""
        return call_id in self._registry.records

    def _accept_later(self, record: Call, accepted: Accepted, listener: Listener | None) -> Call:
        """Raises UnknownCall, InvalidSdp, WrongState, TooMany."""
        if accepted.user not in record.users:
            raise UnknownCall(f"The call {record.id} does not ring here.", field="callId")
        if record.direction is not Direction.INBOUND or record.state not in (CallState.RINGING, CallState.ACCEPTING):
            raise WrongState(f"The call is {record.state.value}: it cannot be accepted now.", field="callId")
        taken = self._registry.wishes.get(record.id)
        by = taken.user if isinstance(taken, Accepted) else record.user
        if by not in (None, accepted.user):
            raise WrongState("The call was taken already, by another page.", field="callId")
        check_offer(accepted.offer)
        self._check_limits(accepted.user, adding=0)
        self._registry.wishes[record.id] = accepted
        if listener:
            self._registry.wishing[record.id] = listener
        return record

    def warm(
        self,
        call_id: str,
        *,
        sdp: str,
        session: str,
        user: str | None = None,
        prefer: str = "",
        listener: Callable[[Told], None],
    ) -> None:
        """Make a call's media leg ahead of it: `place` or `accept` with the same call id, offer and session takes it.

        Each page has one at most; another one takes its place. `listener` is told what comes of it.
        Raises InvalidRequest, InvalidSdp, WrongState (the call id is taken), UnknownCall (it rings elsewhere), TooMany,
        Unavailable.
        """
        check_offer(sdp)
        task = self._registry.tasks.get(call_id)
        if task is None:
            self._check_new(call_id)
        elif user is None or user not in task.call.users:
            raise UnknownCall(f"The call {call_id} does not ring here.", field="callId")
        elif task.call.state is not CallState.RINGING:
            raise WrongState(f"The call {call_id} does not ring any more.", field="callId")
        self._check_limits(None)
        if self.draining:
            raise Unavailable("the server is being replaced", retry_after=2.0)
        self._ari.check_available()
        self._warm.make(
            call_id,
            inbound=task is not None,
            offer=sdp,
            prefer=prefer,
            session=session,
            user=user,
            listener=listener,
        )

    def cool(self, session: str) -> None:
        """The page wants its leg ahead of a call no more; where it has none, nothing happens."""
        self._warm.drop(session)

    def renew_media(self, call_id: str, *, sdp: str, session: str | None = None, prefer: str = "") -> None:
        """Give the call a new media leg for the new offer `sdp`; its answer comes to the listeners.

        `session`: of the page that holds the call from now on. Raises UnknownCall, InvalidSdp, WrongState.
        """
        task = self._registry.task(call_id)
        check_offer(sdp)
        task.ask(Reoffered(time.time(), sdp, session, prefer))

    def attach(self, call_id: str, listener: Listener) -> None:
        """The page that holds the call is connected (again). Raises UnknownCall, WrongState (it has ended)."""
        task = self._registry.task(call_id)
        if listener not in task.listeners:
            task.listeners.append(listener)
        task.post(OwnerBack(time.time()))

    def detach(self, call_id: str, listener: Listener) -> None:
        """The page that holds the call is gone: the call goes on, for the grace at least."""
        task = self._registry.tasks.get(call_id)
        if task and listener in task.listeners:
            task.listeners.remove(listener)
            task.post(OwnerLost(time.time()))

    def decline(self, call_id: str, *, user: str) -> None:
        """`user` does not want the call; where it rings no more, nothing happens. Raises UnknownCall."""
        declined = Declined(time.time(), user)
        if task := self._registry.find(call_id):
            if user in task.call.users:
                task.ask(declined)
        elif (record := self._registry.records.get(call_id)) and user in record.users:
            self._registry.wishes[call_id] = declined

    def hangup(self, call_id: str) -> None:
        """End the call; where it has ended, nothing happens. Raises UnknownCall."""
        if task := self._registry.find(call_id):
            task.post(HungUp(time.time()))
        elif call_id in self._registry.records:
            self._registry.wishes[call_id] = HungUp(time.time())

    def get(self, call_id: str) -> Call:
        """The call, live or ended. Raises UnknownCall."""
        return self._registry.get(call_id)

    def id_of(self, name: str) -> str | None:
        """The id of the call that a channel, bridge or media session was named after; None: it is none of ours."""
        parsed = parse_resource_id(name)
        return self._registry.id_of(parsed[0]) if parsed else None

    def live(self) -> list[Call]:
        """Calls that are not decided to end, oldest first; those of an earlier process as they were last known."""
        return self._registry.live()

    def watch(self, call_id: str, listener: Listener) -> None:
        """Raises UnknownCall; also for a call that has ended: it has nothing more to tell."""
        self._registry.task(call_id).listeners.append(listener)

    def unwatch(self, call_id: str, listener: Listener) -> None:
        task = self._registry.tasks.get(call_id)
        if task and listener in task.listeners:
            task.listeners.remove(listener)

    async def answered(self, call_id: str) -> str:
        """The SDP answer, once it is there; at the latest after the set-up timeout. Raises CallFailed, UnknownCall."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def look(call: Call) -> None:
            if answer.done():
                return
            if call.answer:
                answer.set_result(call.answer)
            elif call.outcome and call.cause:
                answer.set_exception(CallFailed(call.id, call.outcome, call.cause))

        def listener(update: Update) -> None:
            look(update.call)

        look(self.get(call_id))
        if not answer.done():
            self.watch(call_id, listener)
        try:
            return await answer
        finally:
            self.unwatch(call_id, listener)

    def _check_route(self, endpoint: str) -> None:
        """Raises Unavailable where the PBX is known not to have what `endpoint` begins in."""
        missing = self._ari.missing_context
        if missing and endpoint.endswith(f"@{missing}/n"):
            raise Unavailable(f"the PBX's dialplan has no context {missing}", 5.0, Detail.NO_ROUTE)

    def _check_new(self, call_id: str) -> None:
        if not is_call_id(call_id):
            raise InvalidRequest(
                f"A call id has 1 to {CALL_ID_CHARACTERS} printable characters, whichever you like.", field="callId"
            )
        if self._registry.is_taken(call_id):
            raise WrongState(f"The call id {call_id} is taken.", field="callId")

    def _check_limits(self, user: str | None, adding: int = 1) -> None:
        if len(self._registry.tasks) + len(self._warm.names) + adding > self._limits.max_calls:
            raise TooMany(f"All {self._limits.max_calls} lines are in use: try again later.")
        if user is not None:
            held = sum(call.user == user and not call.left for call in self.live())
            if held >= self._limits.max_calls_per_user:
                raise TooMany(f"{user} has {held} calls already: end one first.")

    # --- what pages tell of a call, also after its end -----------------------------------------

    def measured(self, call_id: str, report: dict[str, Any]) -> None:
        """How the call has sounded on its page until now; JSON-ready. Raises UnknownCall."""
        self._hooks.emit(QualityReported(self.get(call_id).id, report))

    def give_feedback(self, call_id: str, feedback: dict[str, Any]) -> None:
        """What the call's user thought of it; JSON-ready. Raises UnknownCall, WrongState."""
        call = self.get(call_id)
        ended_at = call.left_at or call.ended_at
        if ended_at is None:
            raise WrongState("The call goes on: feedback is given after its end.", field="callId")
        if time.time() - ended_at > FEEDBACK_SECONDS:
            raise WrongState("The call is too long ago: feedback is taken for a day.", field="callId")
        self._hooks.emit(FeedbackGiven(call.id, feedback))

    # --- what the peers tell -----------------------------------------------------------------

    def _arrived(self, call: Call) -> bool:
        if len(self._registry.tasks) >= self._limits.max_calls:
            return False
        log.info("a caller arrived", call=call.id, channel=call.far_channel, target=call.target, caller=call.caller)
        self._registry.add(call).post(Arrived(call.created_at))
        return True

    def _recorded(self, name: str, failure: str) -> None:
        stem, found, _ = name.rpartition("-rec")
        if not found:
            return  # somebody else's
        call_id = self._registry.id_of(stem)
        self._registry.post(call_id, RecordingEnded(time.time(), name, failure))
        self._hooks.emit(RecordingFinished(call_id, name, failure))

    async def _on_connect(self) -> None:
        metrics.ARI_CONNECTED.set(1)
        if self._pbx_gone:
            self._pbx_gone.cancel()
        if not self._ari.same_pbx:
            self._lose_pbx("the PBX was restarted")
        await self._reconciler.reconcile()
        self._background.start(self._reconciler.sweep_again())

    def _on_disconnect(self, reason: str) -> None:
        metrics.ARI_CONNECTED.set(0)
        log.warning(
            "the ARI event stream is lost: calls that stand go on", reason=reason, calls=len(self._registry.tasks)
        )
        loop = asyncio.get_running_loop()
        self._pbx_gone = loop.call_later(self._limits.pbx_grace, self._lose_pbx, f"the PBX is gone: {reason}")

    def _lose_pbx(self, reason: str) -> None:
        self._warm.lose(reason)
        for task in list(self._registry.tasks.values()):
            task.post(PbxLost(time.time(), reason))

    def _on_media_lost(self, legs: frozenset[str], reason: str) -> None:
        for leg in legs:
            if call_id := self.id_of(leg):
                self._registry.post(call_id, MediaLost(time.time(), leg_number(leg), reason))
