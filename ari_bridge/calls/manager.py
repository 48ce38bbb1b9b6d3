"""All calls: what users ask for, brought to the call that it is about.

Nothing here waits for a peer: what a user asks for is checked, then begun, and
the listener hears how it goes on.
"""

import asyncio
import re
import time
from collections.abc import Coroutine
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
    HungUp,
    MediaLost,
    OwnerBack,
    OwnerLost,
    PbxLost,
    Placed,
    Reoffered,
)
from ari_bridge.calls.measure import CallMeter
from ari_bridge.calls.peers import MediaEngine, Pages, Peers
from ari_bridge.calls.reconcile import Reconciler
from ari_bridge.calls.rule import Decision
from ari_bridge.calls.state import Call, CallState, Direction
from ari_bridge.calls.switchboard import Switchboard
from ari_bridge.calls.task import (
    CallTask,
    DigitReceived,
    HoldChanged,
    Limits,
    Listener,
    MediaNeeded,
    MediaReady,
    StateChanged,
    Update,
)
from ari_bridge.errors import CallFailed, InvalidRequest, TooMany, Unavailable, UnknownCall, WrongState
from ari_bridge.hooks import CallAdopted, Hooks
from ari_bridge.hooks import DigitReceived as DigitHook
from ari_bridge.ids import CALL_ID_PATTERN, Kind, leg_number, new_call_id, parse_resource_id, resource_id
from ari_bridge.media.sdp import check_offer
from ari_bridge.routing import Routes
from ari_bridge.store import CallStore

__all__ = [
    "Calls",
    "DigitReceived",
    "HoldChanged",
    "Limits",
    "Listener",
    "MediaEngine",
    "MediaNeeded",
    "MediaReady",
    "Pages",
    "StateChanged",
    "Update",
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
        self._inbound: dict[str, str] = {}  # Asterisk's channel id → call id
        self._wishes: dict[str, Event] = {}  # call id → what its user wants of a call that is about to be adopted
        self._all_ended = asyncio.Event()
        self._reconciler = Reconciler(self._peers, self._tasks, self._adopt)
        self._switchboard = Switchboard(
            ari,
            hooks,
            self._inbound,
            post=self._post,
            arrived=self._arrived,
            stray=self._reconciler.hang_up_stray,
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
        listener: Listener | None = None,
    ) -> Call:
        """Call `target` for a browser with the offer `sdp`.

        `caller`: what the far side is shown. `call_id`: chosen by the client, else by us. `session`: of the page
        that holds the call and must stay connected; None where nobody has to, as with plain HTTP.
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
        elif not CALL_ID_PATTERN.fullmatch(call_id):
            raise InvalidRequest("A call id has 4 to 64 letters, digits, dots and underscores.", field="callId")
        elif call_id in self._tasks or self._store.get(call_id):
            raise WrongState(f"The call id {call_id} is taken.", field="callId")
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
            offer=sdp,
        )
        task = self._add(call, listener)
        task.post(Placed(call.created_at))
        return task.call

    def accept(
        self, call_id: str, *, sdp: str, user: str, session: str | None = None, listener: Listener | None = None
    ) -> Call:
        """Take an incoming call that rings for `user`. Raises UnknownCall, InvalidSdp, WrongState, TooMany."""
        task = self._task(call_id)
        if user not in task.call.users:
            raise UnknownCall(f"The call {call_id} does not ring here.", field="callId")
        check_offer(sdp)
        self._check_limits(user, adding=0)
        accepted = Accepted(time.time(), user, sdp, session)
        if listener:
            task.listeners.append(listener)
        try:
            task.ask(accepted)
        except WrongState:
            if listener:
                task.listeners.remove(listener)
            raise
        return task.call

    def renew_media(self, call_id: str, *, sdp: str, session: str | None = None) -> None:
        """Give the call a new media leg for the new offer `sdp`; its answer comes to the listeners.

        `session`: of the page that holds the call from now on. Raises UnknownCall, InvalidSdp, WrongState.
        """
        task = self._task(call_id)
        check_offer(sdp)
        task.ask(Reoffered(time.time(), sdp, session))

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

    def _check_limits(self, user: str | None, adding: int = 1) -> None:
        if len(self._tasks) + adding > self._limits.max_calls:
            raise TooMany(f"All {self._limits.max_calls} lines are in use: try again later.")
        if user is not None:
            held = sum(call.user == user for call in self.live())
            if held >= self._limits.max_calls_per_user:
                raise TooMany(f"{user} has {held} calls already: end one first.")

    # --- registry ------------------------------------------------------------------------

    def _add(self, call: Call, listener: Listener | None = None, *, adopted: bool = False) -> CallTask:
        meter = CallMeter(self._hooks)

        def changed(before: Call, after: Call, event: Event) -> None:
            self._store.save(after)  # before its actions: what is done is known, whatever comes next
            meter.changed(before, after, event)
            if after.state is CallState.ENDED and before.state is not CallState.ENDED:
                self._forget(after)

        task = CallTask(call, self._peers, self._limits, changed)
        if listener:
            task.listeners.append(listener)
        task.listeners.append(self._digit_to_hooks)
        self._tasks[call.id] = task
        if call.direction is Direction.INBOUND:
            self._inbound[call.far_channel] = call.id
        if adopted:
            meter.adopted(call)
        return task

    def _digit_to_hooks(self, update: Update) -> None:
        if isinstance(update, DigitReceived):
            self._hooks.emit(DigitHook(update.call, update.digit))

    def _forget(self, call: Call) -> None:
        self._tasks.pop(call.id, None)
        self._inbound.pop(call.far_channel, None)
        if not self._tasks:
            self._all_ended.set()

    def _adopt(self, decision: Decision) -> None:
        """A call of an earlier process stands, or has ended meanwhile."""
        call, actions = decision
        self._store.save(call)
        wish = self._wishes.pop(call.id, None)
        if call.state is CallState.ENDED:
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
        for task in list(self._tasks.values()):
            task.post(PbxLost(time.time(), reason))

    def _on_media_lost(self, legs: frozenset[str], reason: str) -> None:
        for leg in legs:
            if parsed := parse_resource_id(leg):
                self._post(parsed[0], MediaLost(time.time(), leg_number(leg), reason))
