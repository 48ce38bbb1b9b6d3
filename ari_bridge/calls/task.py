"""One call at work: its mailbox, and the requests and timers that it has under way.

Every event of the call goes through `post`, one at a time, in order; the
transition table decides, and what it wants done is begun here. Nothing here
decides anything. Requests run beside each other and come back as events.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from ari_bridge import metrics
from ari_bridge.ari.client import Ari
from ari_bridge.calls import actions
from ari_bridge.calls.actions import Action
from ari_bridge.calls.events import (
    Event,
    Failure,
    PagesRang,
    Released,
    StepDone,
    StepFailed,
    Timer,
    TimerFired,
)
from ari_bridge.calls.state import Call, CallState, Direction, Resource, RtpAddress, Step
from ari_bridge.calls.transitions import step as decide
from ari_bridge.errors import IllegalEvent, PeerError, PeerRefused, PeerTimeout, TooMany, WrongState
from ari_bridge.ids import Kind, resource_id

EXPLAIN_SECONDS = 1.0
"""After StasisEnd a ChannelDestroyed, which has the cause, follows within milliseconds."""
RELEASE_PAUSES = (0.5, 1.5)
"""Seconds between tries to release a resource; after the last try the sweep takes over."""
DIGITS_WAITING = 64
"""Digits that may wait to be sent: about 13 seconds' worth."""


class MediaEngine(Protocol):
    """What terminates the browser's media: rtpengine, or a fake. Errors: PeerError."""

    async def offer(self, call_id: str, sdp: str) -> RtpAddress:
        """Take the browser's offer; where Asterisk's RTP for this call is received."""

    async def answer(self, call_id: str, asterisk: RtpAddress) -> str:
        """The SDP answer for the browser, once it is known where Asterisk receives RTP."""

    async def delete(self, call_id: str) -> None:
        """End the session; one that is gone already is no error."""

    async def sessions(self) -> list[str]:
        """The call ids that the engine holds."""


class Pages(Protocol):
    """Who has a page open. Both are quick and never wait."""

    def ring(self, call: Call) -> frozenset[str]:
        """Tell every page of the called user; the users that ring, empty where nobody is there."""

    def stop_ringing(self, call: Call, user: str | None, reason: str) -> None:
        """`user` None: all pages, except the one that has accepted."""


@dataclass(frozen=True, slots=True)
class MediaReady:
    """The SDP answer for the browser."""

    call: Call
    sdp: str


@dataclass(frozen=True, slots=True)
class StateChanged:
    call: Call


@dataclass(frozen=True, slots=True)
class DigitReceived:
    call: Call
    digit: str


@dataclass(frozen=True, slots=True)
class HoldChanged:
    call: Call


Update = MediaReady | StateChanged | DigitReceived | HoldChanged
Listener = Callable[[Update], None]
"""Sync and quick. Gets the call's updates in order; the SDP answer comes before every state but `ended`."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds, and counts."""

    ring_timeout: float = 45.0
    setup_timeout: float = 10.0
    max_calls: int = 1000
    max_calls_per_user: int = 4


@dataclass(frozen=True)
class Peers:
    """What calls act on."""

    ari: Ari
    media: MediaEngine
    pages: Pages


class CallTask:
    """`changed(before, after, event)` is called after every event that was taken, before its actions."""

    def __init__(self, call: Call, peers: Peers, limits: Limits, changed: Callable[[Call, Call, Event], None]) -> None:
        self.call = call
        self.listeners: list[Listener] = []
        self._peers = peers
        self._seconds = {
            Timer.RING: limits.ring_timeout,
            Timer.SETUP: limits.setup_timeout,
            Timer.EXPLAIN: EXPLAIN_SECONDS,
        }
        self._changed = changed
        self._mailbox: deque[Event] = deque()
        self._at_work = False
        self._requests: set[asyncio.Task[None]] = set()
        self._timers: dict[Timer, asyncio.TimerHandle] = {}
        self._digits: deque[str] = deque()
        self._sending_digits = False
        self._log = structlog.get_logger(__name__).bind(call=call.id)

    # --- the mailbox -----------------------------------------------------------

    def ask(self, event: Event) -> None:
        """Post an event that a user of ours asks for. Raises WrongState where the call does not allow it."""
        decide(self.call, event)  # pure: raises, or shows that it will be taken
        self.post(event)

    def post(self, event: Event) -> None:
        """Take an event, now or as soon as the ones before it are done. Never raises."""
        self._mailbox.append(event)
        if self._at_work:
            return
        self._at_work = True
        try:
            while self._mailbox:
                self._take(self._mailbox.popleft())
        finally:
            self._at_work = False

    def _take(self, event: Event) -> None:
        before = self.call
        try:
            after, wanted = decide(before, event)
        except (WrongState, IllegalEvent) as error:
            self._log.error("event refused", reason=str(error))
            return
        self.call = after
        self._log_event(before, after, event)
        self._changed(before, after, event)
        for action in wanted:
            self._begin(action)

    def _log_event(self, before: Call, after: Call, event: Event) -> None:
        name = type(event).__name__
        if isinstance(event, StepFailed):
            self._log.warning("step failed", step=event.step.value, how=event.failure.value, reason=event.reason)
        if before.state is after.state:
            self._log.debug(f"{before.state.name} --{name}-->", **_detail(event))
        elif after.state is CallState.ENDING and after.outcome and after.cause:
            self._log.info(
                f"{before.state.name} --{name}--> {after.state.name}",
                outcome=after.outcome.value,
                q850=after.cause.q850,
                cause=after.cause.text,
            )
        else:
            self._log.info(f"{before.state.name} --{name}--> {after.state.name}", **_detail(event))

    # --- actions ------------------------------------------------------------------

    def _begin(self, action: Action) -> None:
        match action:
            case actions.Do(step):
                self._run(self._do(step))
            case actions.Release(resource):
                self._run(self._release(resource))
            case actions.SendDigits(digits):
                self._send_digits(digits)
            case actions.RingPages():
                self.post(PagesRang(time.time(), self._ring_pages()))
            case actions.StopRinging(user, reason):
                self._guard(lambda: self._peers.pages.stop_ringing(self.call, user, reason))
            case actions.StartTimer(timer):
                self._start_timer(timer)
            case actions.CancelTimers():
                self._cancel_timers()
            case actions.TellMedia():
                self._tell(MediaReady(self.call, self.call.answer))
            case actions.TellState():
                self._tell(StateChanged(self.call))
            case actions.TellDigit(digit):
                self._tell(DigitReceived(self.call, digit))
            case actions.TellHold():
                self._tell(HoldChanged(self.call))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    async def _do(self, step: Step) -> None:
        try:
            address, sdp = await self._request(step)
        except PeerError as error:
            self.post(StepFailed(time.time(), step, _failure(error), str(error)))
        except Exception as error:
            self._log.exception("a set-up step broke", step=step.value)
            self.post(StepFailed(time.time(), step, Failure.TIMEOUT, repr(error)))
        else:
            self.post(StepDone(time.time(), step, address, sdp))

    async def _request(self, step: Step) -> tuple[RtpAddress | None, str]:
        """The one request of a step. Raises PeerError."""
        call, ari, media = self.call, self._peers.ari, self._peers.media
        bridge = resource_id(call.id, Kind.BRIDGE)
        external = resource_id(call.id, Kind.EXTERNAL_MEDIA)
        outbound = call.direction is Direction.OUTBOUND
        address: RtpAddress | None = None
        sdp = ""
        match step:
            case Step.OFFER_MEDIA:
                address = await media.offer(call.id, call.offer)
            case Step.CREATE_EXTERNAL_MEDIA:
                assert call.media_address, "the plan waits for it"
                # The far side is shown who it is bridged with; without a name the bridge would blank its display.
                number, name = (call.caller, call.caller_name) if outbound else (call.user or call.target, "")
                address = await ari.channels.external_media(
                    external, call.media_address, caller=number, caller_name=name
                )
            case Step.ANSWER_MEDIA:
                assert call.external_media_address, "the plan waits for it"
                sdp = await media.answer(call.id, call.external_media_address)
            case Step.CREATE_BRIDGE:
                await ari.bridges.create(bridge)
            case Step.BRIDGE_EXTERNAL_MEDIA:
                await ari.bridges.add_channel(bridge, external)
            case Step.CREATE_FAR:
                await ari.channels.create(
                    call.far_channel, call.endpoint, caller=call.caller, caller_name=call.caller_name
                )
            case Step.BRIDGE_FAR:
                await ari.bridges.add_channel(bridge, call.far_channel)
            case Step.DIAL_FAR:
                # Asterisk's own limit is only the net under ours.
                await ari.channels.dial(call.far_channel, timeout=int(self._seconds[Timer.RING]) + 5)
            case Step.RING_FAR:
                await ari.channels.ring(call.far_channel)
            case Step.ANSWER_FAR:
                await ari.channels.answer(call.far_channel)
        return address, sdp

    async def _release(self, resource: Resource) -> None:
        for pause in (*RELEASE_PAUSES, None):
            try:
                await self._release_once(resource)
                break
            except Exception as error:
                if pause is None:
                    metrics.RELEASES_GIVEN_UP.labels(resource.value).inc()
                    self._log.error("release given up: the sweep will reap it", what=resource.value, reason=str(error))
                    break
                self._log.warning("release failed, trying again", what=resource.value, reason=str(error))
                await asyncio.sleep(pause)
        self.post(Released(time.time(), resource))

    async def _release_once(self, resource: Resource) -> None:
        call, ari = self.call, self._peers.ari
        match resource:
            case Resource.MEDIA_SESSION:
                await self._peers.media.delete(call.id)
            case Resource.BRIDGE:
                await ari.bridges.destroy(resource_id(call.id, Kind.BRIDGE))
            case Resource.EXTERNAL_MEDIA:
                await ari.channels.hangup(resource_id(call.id, Kind.EXTERNAL_MEDIA))
            case Resource.FAR if call.direction is Direction.INBOUND and call.dialplan_status:
                variables = {"ARI_BRIDGE_STATUS": call.dialplan_status}
                await ari.channels.continue_in_dialplan(call.far_channel, variables=variables)
            case Resource.FAR:
                await ari.channels.hangup(call.far_channel)

    # --- digits ---------------------------------------------------------------------

    def check_digits(self, digits: str) -> None:
        """Raises TooMany where so many digits wait already that these would come much too late."""
        if len(self._digits) + len(digits) > DIGITS_WAITING:
            raise TooMany(f"{len(self._digits)} digits wait to be sent already.", field="digits")

    def _send_digits(self, digits: str) -> None:
        self._digits.extend(digits)
        if not self._sending_digits:
            self._sending_digits = True
            self._run(self._drain_digits())

    async def _drain_digits(self) -> None:
        try:
            while self._digits and self.call.state.live:
                digits = "".join(self._digits)
                self._digits.clear()
                await self._peers.ari.channels.send_dtmf(self.call.far_channel, digits)
        except PeerError as error:
            self._log.warning("digits were not sent", reason=str(error))
        finally:
            self._sending_digits = False

    # --- timers, pages, listeners ------------------------------------------------------

    def _start_timer(self, timer: Timer) -> None:
        if running := self._timers.get(timer):
            running.cancel()
        loop = asyncio.get_running_loop()
        self._timers[timer] = loop.call_later(self._seconds[timer], lambda: self.post(TimerFired(time.time(), timer)))

    def _cancel_timers(self) -> None:
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()

    def _ring_pages(self) -> frozenset[str]:
        try:
            return self._peers.pages.ring(self.call)
        except Exception:
            self._log.exception("the pages could not be rung")
            return frozenset()

    def _tell(self, update: Update) -> None:
        for listener in list(self.listeners):
            self._guard(lambda listener=listener: listener(update))  # type: ignore[misc]

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            self._log.exception("a listener failed")

    async def close(self) -> None:
        """Stop all that is under way, without releasing anything."""
        self._cancel_timers()
        requests = list(self._requests)
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)


def _failure(error: PeerError) -> Failure:
    if isinstance(error, PeerRefused):
        return Failure.REFUSED
    return Failure.TIMEOUT if isinstance(error, PeerTimeout) else Failure.UNREACHABLE


def _detail(event: Event) -> dict[str, Any]:
    """What of an event helps in a log line; never SDP."""
    match event:
        case StepDone(_, step, address):
            return {"step": step.value} | ({"address": str(address)} if address else {})
        case TimerFired(_, timer):
            return {"timer": timer.value}
        case Released(_, resource):
            return {"what": resource.value}
        case _:
            return {}
