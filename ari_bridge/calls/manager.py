"""All calls: what users ask for, brought to the call that it is about.

Nothing here waits for a peer: what a user asks for is checked, then begun, and
the listener hears how it goes on.
"""

import asyncio
import re
import time
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from ari_bridge import metrics
from ari_bridge.ari.client import Ari
from ari_bridge.calls.events import (
    Accepted,
    Arrived,
    Declined,
    DigitsPressed,
    Event,
    FarGivenAway,
    Held,
    HungUp,
    Left,
    MediaLost,
    OwnerBack,
    OwnerLost,
    PartyDropped,
    PartyGiven,
    PartyInvited,
    PbxLost,
    Placed,
    RecordingAsked,
    RecordingEnded,
    RecordingVerb,
    Reoffered,
)
from ari_bridge.calls.measure import CallMeter
from ari_bridge.calls.parties import shown
from ari_bridge.calls.peers import MediaEngine, Pages, Peers
from ari_bridge.calls.reconcile import Reconciler
from ari_bridge.calls.rule import Decision
from ari_bridge.calls.state import Call, CallState, Direction, PartyState, Resource
from ari_bridge.calls.switchboard import Owner, Switchboard
from ari_bridge.calls.task import (
    CallTask,
    DigitReceived,
    HoldChanged,
    Limits,
    Listener,
    MediaNeeded,
    MediaReady,
    PartyChanged,
    RecordingChanged,
    StateChanged,
    TransferEnded,
    Update,
)
from ari_bridge.calls.warm import Cooled, Told, Warmed, WarmLegs
from ari_bridge.errors import CallFailed, InvalidRequest, TooMany, Unavailable, UnknownCall, WrongState
from ari_bridge.hooks import CallAdopted, CallEnded, CallReleased, Hooks, RecordingOver
from ari_bridge.hooks import DigitReceived as DigitHook
from ari_bridge.ids import (
    CALL_ID_PATTERN,
    Kind,
    leg_number,
    new_call_id,
    parse_resource_id,
    party_id,
    resource_id,
)
from ari_bridge.media.sdp import check_offer
from ari_bridge.routing import Routes
from ari_bridge.store import CallStore

__all__ = [
    "Calls",
    "Cooled",
    "DigitReceived",
    "HoldChanged",
    "Limits",
    "Listener",
    "MediaEngine",
    "MediaNeeded",
    "MediaReady",
    "Pages",
    "PartyChanged",
    "RecordingChanged",
    "RecordingVerb",
    "StateChanged",
    "TransferEnded",
    "Update",
    "Warmed",
]

HANG_UP_SECONDS = 5.0
"""How long `hang_up_all` waits until all is released."""

_CALLER = re.compile(r"[0-9A-Za-z+ ._-]{0,64}")
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")

log = structlog.get_logger(__name__)


class Calls:
    """`draining`: no call is begun any more; those that stand go on."""

    def __init__(
        self,
        ari: Ari,
        media: MediaEngine,
        pages: Pages,
        hooks: Hooks,
        routes: Routes,
        limits: Limits,
        store: CallStore,
    ) -> None:
        self._ari = ari
        self._hooks = hooks
        self._routes = routes
        self._limits = limits
        self._store = store
        self._peers = Peers(ari, media, pages)
        self._tasks: dict[str, CallTask] = {}
        self._owners: dict[str, Owner] = {}  # of the channels whose name does not tell whose they are
        self._wishes: dict[str, Event] = {}  # call id → what its user wants of a call that is about to be adopted
        self._all_ended = asyncio.Event()
        self._warm = WarmLegs(self._peers)
        self._reconciler = Reconciler(self._peers, self._tasks, self._warm, self._adopt)
        self._switchboard = Switchboard(
            ari,
            hooks,
            self._owners,
            post=self._post,
            arrived=self._arrived,
            stray=self._reconciler.hang_up_stray,
            recorded=self._recorded,
        )
        self._background: set[asyncio.Task[None]] = set()
        self._pbx_gone: asyncio.TimerHandle | None = None
        self.draining = False
        ari.on_connect(self._on_connect)
        ari.on_disconnect(self._on_disconnect)
        media.on_lost(self._on_media_lost)

    async def start(self) -> None:
        """Begin to look after calls; those that an earlier process left are adopted once the PBX is reached."""
        self._reconciler.records = {call.id: call for call in self._store.live()}
        self._run(self._reconciler.sweep_for_ever())

    async def close(self) -> None:
        """Leave every call as it stands: the next process adopts it."""
        if self._pbx_gone:
            self._pbx_gone.cancel()
        await self._warm.close()
        await self._switchboard.close()
        for work in list(self._background):
            work.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for task in list(self._tasks.values()):
            await task.close()

    async def hang_up_all(self) -> None:
        """Hang up every call, and wait until all is released, within HANG_UP_SECONDS."""
        for task in list(self._tasks.values()):
            task.post(HungUp(time.time()))
        if not self._tasks:
            return
        self._all_ended.clear()
        try:
            async with asyncio.timeout(HANG_UP_SECONDS):
                await self._all_ended.wait()
        except TimeoutError:
            log.error("calls could not be released in time", calls=sorted(self._tasks))

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
        task = self._add(call, listener)
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
        """Take an incoming call that rings for `user`. Raises UnknownCall, InvalidSdp, WrongState, TooMany."""
        task = self._task(call_id)
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
        task = self._tasks.get(call_id)
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
        task = self._task(call_id)
        check_offer(sdp)
        task.ask(Reoffered(time.time(), sdp, session, prefer))

    def attach(self, call_id: str, listener: Listener) -> None:
        """The page that holds the call is connected (again). Raises UnknownCall, WrongState (it has ended)."""
        task = self._task(call_id)
        if listener not in task.listeners:
            task.listeners.append(listener)
        task.post(OwnerBack(time.time()))

    def detach(self, call_id: str, listener: Listener) -> None:
        """The page that holds the call is gone: the call goes on, for the grace at least."""
        task = self._tasks.get(call_id)
        if task and listener in task.listeners:
            task.listeners.remove(listener)
            task.post(OwnerLost(time.time()))

    def decline(self, call_id: str, *, user: str) -> None:
        """`user` does not want the call; where it rings no more, nothing happens. Raises UnknownCall."""
        declined = Declined(time.time(), user)
        if task := self._find(call_id):
            if user in task.call.users:
                task.ask(declined)
        elif (record := self._reconciler.records.get(call_id)) and user in record.users:
            self._wishes[call_id] = declined

    def hangup(self, call_id: str) -> None:
        """End the call; where it has ended, nothing happens. Raises UnknownCall."""
        if task := self._find(call_id):
            task.post(HungUp(time.time()))
        elif call_id in self._reconciler.records:
            self._wishes[call_id] = HungUp(time.time())

    def send_dtmf(self, call_id: str, digits: str) -> None:
        """Send digits to the far side. Raises InvalidRequest, UnknownCall, WrongState, TooMany."""
        if not _DIGITS.fullmatch(digits):
            raise InvalidRequest("Digits are 0-9 * # A-D, 1 to 32 of them.", field="digits")
        task = self._task(call_id)
        task.check_digits(digits)
        task.ask(DigitsPressed(time.time(), digits))

    def hold(self, call_id: str, held: bool) -> None:
        """Hold: the others hear music, and nothing goes to or from the page. Raises UnknownCall, WrongState."""
        self._task(call_id).ask(Held(time.time(), held))

    def transfer(self, call_id: str, target: str) -> None:
        """Blind transfer: `target` is called, and takes our side's place when it answers; until then music plays.

        Raises UnknownCall, WrongState, InvalidTarget, InvalidRequest (it is in the call already), TooMany.
        """
        self._invite(call_id, target, transfer=True)

    def add_party(self, call_id: str, target: str) -> None:
        """Conference: `target` is called, and joins when it answers. Raises as `transfer` does."""
        self._invite(call_id, target, transfer=False)

    def join(self, call_id: str, from_call_id: str, *, transfer: bool) -> None:
        """The far side of another call comes over, and that call ends.

        With `transfer` (attended transfer) our side leaves `call_id` as well. The other call may still ring then.
        Raises UnknownCall, WrongState, InvalidRequest (it is the same call), TooMany.
        """
        if call_id == from_call_id:
            raise InvalidRequest("A call cannot be joined with itself.", field="callId")
        task, other = self._task(call_id), self._task(from_call_id)
        given = other.call
        if any(party.here for party in given.parties) or not given.far_is_here:
            raise WrongState("Only a call of two can be joined to another.", field="callId")
        talks = given.state is CallState.UP
        if not (talks or (transfer and given.state in (CallState.RINGING, CallState.EARLY) and given.endpoint)):
            raise WrongState(f"The call {from_call_id} has not been answered.", field="callId")
        now = time.time()
        away = FarGivenAway(now)
        other.check(away)
        number, name = shown(given)
        state = PartyState.UP if talks else PartyState.RINGING
        task.ask(PartyGiven(now, given.far_channel, number, name, state, transfer))
        other.post(away)  # from here on its channel is the other's: so it was saved, in this order

    def drop_party(self, call_id: str, party: int) -> None:
        """Let one party go, 1 for the far side; of one that takes over: take the transfer back.

        Raises UnknownCall, WrongState, InvalidRequest (there is no such party).
        """
        self._task(call_id).ask(PartyDropped(time.time(), party))

    def leave(self, call_id: str) -> None:
        """Our side leaves, the others go on. Raises UnknownCall, WrongState (there are not two others)."""
        self._task(call_id).ask(Left(time.time()))

    def record(self, call_id: str, verb: RecordingVerb) -> None:
        """Record the call. What is so already is no fault. Raises UnknownCall, WrongState, TooMany."""
        self._task(call_id).ask(RecordingAsked(time.time(), verb))

    def get(self, call_id: str) -> Call:
        """The call, live or ended. Raises UnknownCall."""
        if task := self._tasks.get(call_id):
            return task.call
        call = self._reconciler.records.get(call_id) or self._store.get(call_id)
        if call is None:
            raise UnknownCall(f"There is no call {call_id[:64]!r}.", field="callId")
        return call

    def live(self) -> list[Call]:
        """Calls that are not decided to end, oldest first; those of an earlier process as they were last known."""
        calls = [*self._reconciler.records.values(), *(task.call for task in self._tasks.values())]
        return [call for call in calls if call.state.live]

    def watch(self, call_id: str, listener: Listener) -> None:
        """Raises UnknownCall; also for a call that has ended: it has nothing more to tell."""
        self._task(call_id).listeners.append(listener)

    def unwatch(self, call_id: str, listener: Listener) -> None:
        task = self._tasks.get(call_id)
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

    def _invite(self, call_id: str, target: str, *, transfer: bool) -> None:
        task = self._task(call_id)
        number, endpoint = self._routes.resolve(target)
        self._ari.check_available()
        task.ask(PartyInvited(time.time(), number, endpoint, transfer))

    def _find(self, call_id: str) -> CallTask | None:
        """The task of a call that has not ended; None where it has. Raises UnknownCall."""
        task = self._tasks.get(call_id)
        if task is None:
            self.get(call_id)
        return task

    def _task(self, call_id: str) -> CallTask:
        task = self._find(call_id)
        if task is None and call_id in self._reconciler.records:
            raise Unavailable("the PBX is not reached yet since the server's start", retry_after=1.0)
        if task is None:
            raise WrongState(f"The call {call_id} has ended.", field="callId")
        return task

    def _check_new(self, call_id: str) -> None:
        if not CALL_ID_PATTERN.fullmatch(call_id):
            raise InvalidRequest("A call id has 4 to 64 letters, digits, dots and underscores.", field="callId")
        if call_id in self._tasks or self._store.get(call_id):
            raise WrongState(f"The call id {call_id} is taken.", field="callId")

    def _check_limits(self, user: str | None, adding: int = 1) -> None:
        if len(self._tasks) + len(self._warm.names) + adding > self._limits.max_calls:
            raise TooMany(f"All {self._limits.max_calls} lines are in use: try again later.")
        if user is not None:
            held = sum(call.user == user and not call.left for call in self.live())
            if held >= self._limits.max_calls_per_user:
                raise TooMany(f"{user} has {held} calls already: end one first.")

    # --- registry ------------------------------------------------------------------------

    def _add(self, call: Call, listener: Listener | None = None, *, adopted: bool = False) -> CallTask:
        meter = CallMeter(self._hooks)

        def changed(before: Call, after: Call, event: Event) -> None:
            self._store.save(after)  # before its actions: what is done is known, whatever comes next
            if after.parties is not before.parties or after.far_channel != before.far_channel:
                self._know_channels(after)
            meter.changed(before, after, event)
            if after.state is CallState.UP and before.state is not CallState.UP and self._limits.record_all:
                task.post(RecordingAsked(event.at, RecordingVerb.START))
            if after.state is CallState.ENDED and before.state is not CallState.ENDED:
                self._forget(after)

        task = CallTask(call, self._peers, self._limits, changed)
        if listener:
            task.listeners.append(listener)
        task.listeners.append(self._digit_to_hooks)
        self._tasks[call.id] = task
        self._know_channels(call)
        if adopted:
            meter.adopted(call)
        return task

    def _digit_to_hooks(self, update: Update) -> None:
        if isinstance(update, DigitReceived):
            self._hooks.emit(DigitHook(update.call, update.digit))

    def _forget(self, call: Call) -> None:
        self._tasks.pop(call.id, None)
        self._warm.drop_call(call.id)
        for channel in [call.far_channel, *(party.channel for party in call.parties)]:
            if self._owners.get(channel, ("",))[0] == call.id:
                del self._owners[channel]
        if not self._tasks:
            self._all_ended.set()

    def _know_channels(self, call: Call) -> None:
        """Of parties that another call gave, and of whoever took somebody's place."""
        if call.far_channel != resource_id(call.id, Kind.FAR):
            self._owners[call.far_channel] = (call.id, Resource.FAR, 0)
        for party in call.parties:
            if party.channel == party_id(call.id, party.number):
                continue
            if party.state is not PartyState.GONE:
                self._owners[party.channel] = (call.id, Resource.PARTY, party.number)
            elif self._owners.get(party.channel) == (call.id, Resource.PARTY, party.number):
                del self._owners[party.channel]

    def _adopt(self, decision: Decision) -> None:
        """A call of an earlier process stands, or has ended meanwhile."""
        call, actions = decision
        self._store.save(call)
        wish = self._wishes.pop(call.id, None)
        if call.state is CallState.ENDED:
            self._hooks.emit(CallEnded(call))
            self._hooks.emit(CallReleased(call))
            return
        task = self._add(call, adopted=True)
        task.adopt(actions)
        self._hooks.emit(CallAdopted(task.call))  # its page, where it is back already, takes it now
        if wish:
            task.post(wish)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # --- what the peers tell -----------------------------------------------------------------

    def _post(self, call_id: str, event: Event) -> bool:
        if self._warm.hear(call_id, event):
            return True
        task = self._tasks.get(call_id)
        if task:
            task.post(event)
        return task is not None

    def _arrived(self, call: Call) -> bool:
        if len(self._tasks) >= self._limits.max_calls:
            return False
        log.info("a caller arrived", call=call.id, channel=call.far_channel, target=call.target, caller=call.caller)
        self._add(call).post(Arrived(call.created_at))
        return True

    def _recorded(self, name: str, failure: str) -> None:
        call_id, found, _ = name.rpartition("-rec")
        if not found:
            return  # somebody else's
        self._post(call_id, RecordingEnded(time.time(), name, failure))
        self._hooks.emit(RecordingOver(call_id, name, failure))

    async def _on_connect(self) -> None:
        metrics.ARI_CONNECTED.set(1)
        if self._pbx_gone:
            self._pbx_gone.cancel()
        if not self._ari.same_pbx:
            self._lose_pbx("the PBX was restarted")
        await self._reconciler.reconcile()
        self._run(self._reconciler.sweep_again())

    def _on_disconnect(self, reason: str) -> None:
        metrics.ARI_CONNECTED.set(0)
        log.warning("the ARI event stream is lost: calls that stand go on", reason=reason, calls=len(self._tasks))
        loop = asyncio.get_running_loop()
        self._pbx_gone = loop.call_later(self._limits.pbx_grace, self._lose_pbx, f"the PBX is gone: {reason}")

    def _lose_pbx(self, reason: str) -> None:
        self._warm.lose(reason)
        for task in list(self._tasks.values()):
            task.post(PbxLost(time.time(), reason))

    def _on_media_lost(self, legs: frozenset[str], reason: str) -> None:
        for leg in legs:
            if parsed := parse_resource_id(leg):
                self._post(parsed[0], MediaLost(time.time(), leg_number(leg), reason))
