"""All calls: what users ask for, and what ARI events mean, each brought to its call.

Nothing here waits for a peer: what a user asks for is checked, then begun, and
the listener hears how it goes on.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Coroutine
from datetime import datetime
from typing import Any

import structlog
from msgspec.structs import replace

from ari_bridge import metrics
from ari_bridge.ari import events as ari_events
from ari_bridge.ari.client import Ari
from ari_bridge.ari.resources import Channel
from ari_bridge.calls import from_ari
from ari_bridge.calls.events import (
    Accepted,
    Arrived,
    Declined,
    DigitsPressed,
    Event,
    HungUp,
    PbxLost,
    Placed,
)
from ari_bridge.calls.measure import CallMeter
from ari_bridge.calls.reconcile import Reconciler
from ari_bridge.calls.state import Call, CallState, Direction, Fact, Resource
from ari_bridge.calls.task import (
    CallTask,
    DigitReceived,
    HoldChanged,
    Limits,
    Listener,
    MediaEngine,
    MediaReady,
    Pages,
    Peers,
    StateChanged,
    Update,
)
from ari_bridge.errors import (
    CallFailed,
    InvalidRequest,
    PeerError,
    TooMany,
    UnknownCall,
    WrongState,
)
from ari_bridge.hooks import AriReceived, Hooks
from ari_bridge.hooks import DigitReceived as DigitHook
from ari_bridge.ids import CALL_ID_PATTERN, Kind, new_call_id, parse_resource_id, resource_id
from ari_bridge.media.sdp import check_offer
from ari_bridge.routing import Routes

__all__ = [
    "Calls",
    "DigitReceived",
    "HoldChanged",
    "Limits",
    "Listener",
    "MediaEngine",
    "MediaReady",
    "Pages",
    "StateChanged",
    "Update",
]

ENDED_CALLS_KEPT = 1000
CLOSE_SECONDS = 5.0
"""How long `close` waits for the calls that it hangs up."""

_CALLER = re.compile(r"[0-9A-Za-z+ ._-]{0,64}")
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")
_RESOURCES = {Kind.FAR: Resource.FAR, Kind.EXTERNAL_MEDIA: Resource.EXTERNAL_MEDIA}

log = structlog.get_logger(__name__)


class Calls:
    def __init__(
        self, ari: Ari, media: MediaEngine, pages: Pages, hooks: Hooks, routes: Routes, limits: Limits
    ) -> None:
        self._ari = ari
        self._hooks = hooks
        self._routes = routes
        self._limits = limits
        self._peers = Peers(ari, media, pages)
        self._tasks: dict[str, CallTask] = {}
        self._inbound: dict[str, str] = {}  # Asterisk's channel id → call id
        self._ended: OrderedDict[str, Call] = OrderedDict()
        self._all_ended = asyncio.Event()
        self._reconciler = Reconciler(self._peers, self._tasks, self._inbound)
        self._background: set[asyncio.Task[None]] = set()
        ari.on_event(self._on_event)
        ari.on_connect(self._on_connect)
        ari.on_disconnect(self._on_disconnect)

    async def start(self) -> None:
        self._run(self._reconciler.sweep_for_ever())

    async def close(self) -> None:
        """Hang up every call, and wait until all is released, within CLOSE_SECONDS."""
        for task in list(self._tasks.values()):
            task.post(HungUp(time.time()))
        if self._tasks:
            self._all_ended.clear()
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._all_ended.wait()
            except TimeoutError:
                log.error("calls could not be released in time", calls=sorted(self._tasks))
        for work in list(self._background):
            work.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        for task in list(self._tasks.values()):
            await task.close()

    # --- what users ask for ------------------------------------------------------------

    def place(
        self,
        *,
        target: str,
        sdp: str,
        caller: str,
        user: str | None = None,
        call_id: str | None = None,
        listener: Listener | None = None,
    ) -> Call:
        """Call `target` for a browser with the offer `sdp`.

        `caller`: what the far side is shown. `call_id`: chosen by the client, else by us.
        Raises InvalidTarget, InvalidSdp, InvalidRequest, WrongState (the call id is taken), TooMany.
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
        elif call_id in self._tasks or call_id in self._ended:
            raise WrongState(f"The call id {call_id} is taken.", field="callId")
        self._check_limits(user)
        call = Call(
            id=call_id,
            direction=Direction.OUTBOUND,
            target=number,
            caller=caller,
            created_at=time.time(),
            user=user,
            far_channel=resource_id(call_id, Kind.FAR),
            endpoint=endpoint,
            offer=sdp,
        )
        task = self._add(call, listener)
        task.post(Placed(call.created_at))
        if not self._ari.connected:
            task.post(PbxLost(time.time(), "the PBX cannot be reached: there is no ARI event stream"))
        return task.call

    def accept(self, call_id: str, *, sdp: str, user: str, listener: Listener | None = None) -> Call:
        """Take an incoming call that rings for `user`. Raises UnknownCall, InvalidSdp, WrongState, TooMany."""
        task = self._task(call_id)
        if user not in task.call.users:
            raise UnknownCall(f"The call {call_id} does not ring here.", field="callId")
        check_offer(sdp)
        self._check_limits(user, adding=0)
        accepted = Accepted(time.time(), user, sdp)
        if listener:
            task.listeners.append(listener)
        try:
            task.ask(accepted)
        except WrongState:
            if listener:
                task.listeners.remove(listener)
            raise
        return task.call

    def decline(self, call_id: str, *, user: str) -> None:
        """`user` does not want the call; where it rings no more, nothing happens. Raises UnknownCall."""
        if task := self._find(call_id):
            if user in task.call.users:
                task.ask(Declined(time.time(), user))

    def hangup(self, call_id: str) -> None:
        """End the call; where it has ended, nothing happens. Raises UnknownCall."""
        if task := self._find(call_id):
            task.post(HungUp(time.time()))

    def send_dtmf(self, call_id: str, digits: str) -> None:
        """Send digits to the far side. Raises InvalidRequest, UnknownCall, WrongState, TooMany."""
        if not _DIGITS.fullmatch(digits):
            raise InvalidRequest("Digits are 0-9 * # A-D, 1 to 32 of them.", field="digits")
        task = self._task(call_id)
        task.check_digits(digits)
        task.ask(DigitsPressed(time.time(), digits))

    def get(self, call_id: str) -> Call:
        """The call, live or one of the last 1000 that ended. Raises UnknownCall."""
        task = self._find(call_id)
        return task.call if task else self._ended[call_id]

    def live(self) -> list[Call]:
        """Calls that are not decided to end, oldest first."""
        return [task.call for task in self._tasks.values() if task.call.state.live]

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
        if task is None and call_id not in self._ended:
            raise UnknownCall(f"There is no call {call_id[:64]!r}.", field="callId")
        return task

    def _task(self, call_id: str) -> CallTask:
        task = self._find(call_id)
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

    def _add(self, call: Call, listener: Listener | None = None) -> CallTask:
        meter = CallMeter(self._hooks)

        def changed(before: Call, after: Call, event: Event) -> None:
            meter.changed(before, after, event)
            if after.state is CallState.ENDED and before.state is not CallState.ENDED:
                self._forget(after)

        task = CallTask(call, self._peers, self._limits, changed)
        if listener:
            task.listeners.append(listener)
        task.listeners.append(self._digit_to_hooks)
        self._tasks[call.id] = task
        return task

    def _digit_to_hooks(self, update: Update) -> None:
        if isinstance(update, DigitReceived):
            self._hooks.emit(DigitHook(update.call, update.digit))

    def _forget(self, call: Call) -> None:
        del self._tasks[call.id]
        self._inbound.pop(call.far_channel, None)
        self._ended[call.id] = replace(call, offer="", answer="")
        if len(self._ended) > ENDED_CALLS_KEPT:
            self._ended.popitem(last=False)
        if not self._tasks:
            self._all_ended.set()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # --- what ARI tells ---------------------------------------------------------------------

    async def _on_connect(self) -> None:
        metrics.ARI_CONNECTED.set(1)
        await self._reconciler.reconcile()

    def _on_disconnect(self, reason: str) -> None:
        metrics.ARI_CONNECTED.set(0)
        log.warning("the ARI event stream is lost: calls that stand go on", reason=reason, calls=len(self._tasks))

    def _on_event(self, event: ari_events.AriEvent) -> None:
        at = time.time()
        metrics.count_event(_label(event))
        if (lag := _lag(event.timestamp, at)) is not None:
            metrics.EVENT_LAG.observe(lag)
        channel = from_ari.channel_id(event)
        call_id, resource = self._owner(channel) if channel else (None, None)
        self._hooks.emit(AriReceived(event.type, event.raw, call_id))
        task = self._tasks.get(call_id) if call_id else None
        if task and resource:
            if told := from_ari.translate(event, resource, at):
                task.post(told)
        elif isinstance(event, ari_events.StasisStart):
            self._entered(event, resource)

    def _owner(self, channel: str) -> tuple[str | None, Resource | None]:
        if call_id := self._inbound.get(channel):
            return call_id, Resource.FAR
        name = parse_resource_id(channel)
        return (name[0], _RESOURCES.get(name[1])) if name else (None, None)

    def _entered(self, event: ari_events.StasisStart, resource: Resource | None) -> None:
        """A channel that belongs to no call of ours entered our application."""
        channel = event.channel
        match event.args:
            case _ if resource:
                log.warning("a channel came after its call had ended: hung up", channel=channel.id)
                self._run(self._reconciler.reap_channel(channel.id))
            case ["inbound", number] if len(self._tasks) < self._limits.max_calls:
                self._arrived(channel, number)
            case ["inbound", _]:
                log.error("all lines are in use: the caller goes on in the dialplan", channel=channel.id)
                self._run(self._send_on(channel.id))
            case args:
                log.error(
                    "a channel came with arguments that mean nothing: it goes on in the dialplan",
                    channel=channel.id,
                    args=args,
                    expected="Stasis(APP,inbound,NUMBER)",
                )
                self._run(self._send_on(channel.id))

    def _arrived(self, channel: Channel, number: str) -> None:
        call = Call(
            id=new_call_id(),
            direction=Direction.INBOUND,
            target=number,
            caller=channel.caller.number,
            caller_name=channel.caller.name,
            created_at=time.time(),
            far_channel=channel.id,
            facts=frozenset({Fact.FAR_CREATED, Fact.FAR_ENTERED}),
            holds=frozenset({Resource.FAR}),
        )
        self._inbound[channel.id] = call.id
        log.info("a caller arrived", call=call.id, channel=channel.id, target=number, caller=call.caller)
        self._add(call).post(Arrived(call.created_at))
        self._run(self._follow(channel.id))

    async def _follow(self, channel: str) -> None:
        try:
            await self._ari.channels.follow(channel)
        except PeerError as error:
            log.warning("the end of a caller's channel may not be told", channel=channel, reason=str(error))

    async def _send_on(self, channel: str) -> None:
        try:
            await self._ari.channels.continue_in_dialplan(channel, variables={"ARI_BRIDGE_STATUS": "UNAVAILABLE"})
        except PeerError as error:
            log.error("the caller could not be sent on", channel=channel, reason=str(error))


def _label(event: ari_events.AriEvent) -> str:
    """Unknown types share one label: what a peer sends must not make up new metrics."""
    return "unknown" if isinstance(event, ari_events.UnknownEvent) else event.type


def _lag(timestamp: str, now: float) -> float | None:
    """Seconds since Asterisk stamped the event; None where it has no stamp that can be read."""
    try:
        return max(0.0, now - datetime.fromisoformat(timestamp).timestamp())
    except ValueError:
        return None
