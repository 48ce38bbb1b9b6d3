"""One call at work: its mailbox, and the requests and timers that are pending for it.

Every event of the call passes `post`, one at a time, in order: the transition table decides, `on_transition` saves
and publishes the result (`engine.lifecycle`), and only then its actions begin here. Nothing here decides anything.
Requests run beside each other and come back as events.
"""

import asyncio
import dataclasses
import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from ari_bridge import metrics
from ari_bridge.backoff import jittered
from ari_bridge.clock import steady
from ari_bridge.engine.call_timers import CallTimers
from ari_bridge.engine.dtmf import DtmfSender
from ari_bridge.engine.early_media import await_early_media
from ari_bridge.engine.executor import execute_step, release_resource
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.ports import Backends
from ari_bridge.engine.recording_control import RecordingControl
from ari_bridge.engine.sound import SoundControl
from ari_bridge.errors import IllegalEvent, PeerError, PeerRefused, PeerTimeout, WrongState
from ari_bridge.fsm import actions, timeline
from ari_bridge.fsm.actions import Action
from ari_bridge.fsm.call import Call, CallState, LegRef, MediaLeg, Resource, Step, Target
from ari_bridge.fsm.events import (
    ChannelDestroyed,
    ConnectedLineChanged,
    Event,
    Failure,
    MediaChecked,
    NobodyRings,
    PagesRang,
    PartyAnswered,
    PartyFailed,
    PartyHangsUp,
    PartyRang,
    Released,
    ReleaseFailed,
    StepDone,
    StepFailed,
    TimerFired,
)
from ari_bridge.fsm.notifications import HoldChanged, Notification, RecordingChanged
from ari_bridge.fsm.transitions import step as decide
from ari_bridge.ids import leg_id
from ari_bridge.leg_stats import LegStats
from ari_bridge.outcomes import pbx_at_fault
from ari_bridge.preferences.ring_decision import RingDecision
from ari_bridge.tasks import TaskSet

SIP_STATUS_TIMEOUT_S = 0.5
"""How long a failed call waits to learn the SIP status that it failed with."""
RELEASE_RETRY_INTERVALS_S = (0.5, 1.5, 3.0, 6.0)
"""Between tries to release a resource; the last one repeats. A quarter of jitter is added."""
MAX_RELEASE_RETRIES = 2
"""Unless the PBX is at fault; then the sweep takes over."""

Listener = Callable[[Call, Notification], None]
"""Sync and quick. Called in order, with the call as it is then."""


class CallTask:
    """One call at work; implements `CallContext` for its parts.

    Args:
        call: as it is before its first event.
        backends: what it acts on.
        limits: how long it waits for what.
        on_transition: called with (before, after, event) after every applied event, before its actions begin.
        decide_ringing: who rings for the call, an inbound one.
    """

    def __init__(
        self,
        call: Call,
        backends: Backends,
        limits: Limits,
        on_transition: Callable[[Call, Call, Event], None],
        decide_ringing: Callable[[Call], RingDecision],
    ) -> None:
        self.call = call
        self.backends = backends
        self.limits = limits
        # Contextvars of whoever started the call: most of its log lines are caused by later events of the PBX.
        started_by = {f"started_by_{name}": value for name, value in structlog.contextvars.get_contextvars().items()}
        self.log = structlog.get_logger(__name__).bind(call=call.id, **started_by)
        self.listeners: list[Listener] = []
        self.dtmf = DtmfSender(self)
        self._sound = SoundControl(self)
        self._recording = RecordingControl(self)
        self._timers = CallTimers(self)
        self._on_transition = on_transition
        self._decide_ringing = decide_ringing
        self._timeline = timeline.start(call, time.time(), time.monotonic())
        self._mailbox: deque[Event] = deque()
        self._busy = False  # an event is being applied
        self._closed = False
        self.requests = TaskSet()
        self._early_media: asyncio.Task[None] | None = None

    # --- the mailbox -----------------------------------------------------------

    def submit(self, event: Event, listener: Listener | None = None) -> None:
        """Post an event that one of our users requests; `listener` is notified from then on.

        Raises WrongState if the call does not allow it.
        """
        self.check(event)
        if listener:
            self.listeners.append(listener)
        self.post(event)

    def check(self, event: Event) -> None:
        """Raises WrongState if the call would not accept the event now."""
        decide(self.call, event)

    def post(self, event: Event) -> None:
        """Apply an event, now or as soon as the ones before it are done. Never raises.

        Ignored after `close`: what happens then is for the next process to find.
        """
        if self._closed:
            return
        # By the call's own clock, whoever observed it: the wall clock may be set at any moment.
        self._mailbox.append(dataclasses.replace(event, at=self._timeline.at(time.monotonic())))
        if self._busy:
            return
        self._busy = True
        try:
            while self._mailbox:
                self._apply(self._mailbox.popleft())
        finally:
            self._busy = False

    def _apply(self, event: Event) -> None:
        before = self.call
        try:
            after, decided = decide(before, event, self.limits.timing())
        except (WrongState, IllegalEvent) as error:
            self.log.error("event refused", reason=str(error))
            return
        self.call = after
        self._log_event(before, after, event)
        self._on_transition(before, after, event)
        self.perform(decided)

    def _log_event(self, before: Call, after: Call, event: Event) -> None:
        name = type(event).__name__
        if isinstance(event, StepFailed):
            self.log.warning("step failed", step=event.step.value, how=event.failure.value, reason=event.reason)
        if before.state is after.state:
            self.log.debug(f"{before.state.name} --{name}-->", **_detail(event))
        elif after.state is CallState.ENDING and after.outcome and after.cause:
            self.log.info(
                f"{before.state.name} --{name}--> {after.state.name}",
                outcome=after.outcome.value,
                q850=after.cause.q850,
                cause=after.cause.text,
            )
        else:
            self.log.info(f"{before.state.name} --{name}--> {after.state.name}", **_detail(event))

    # --- actions ------------------------------------------------------------------

    def perform(self, decided: list[Action]) -> None:
        """Begin actions; from outside, those that a recovered call needs before its first event."""
        for action in decided:
            self._perform(action)

    def _perform(self, action: Action) -> None:
        match action:
            case actions.Do(step, target):
                self.requests.start(self._execute(self.call, step, target))
            case actions.Release(resource, target):
                self.requests.start(self._release(self.call, resource, target))
            case actions.Notify(notification):
                self._notify_when_so(notification)
            case actions.SendDigits(digits):
                self.dtmf.send(digits)
            case actions.RingPages():
                ringing = self._ring()
                self.post(
                    PagesRang(
                        time.time(),
                        ringing.users,
                        ringing.status,
                        ringing.forward,
                        ringing.ring_seconds,
                        ringing.phone,
                    )
                )
            case actions.CheckRinging():
                self._check_ringing()
            case actions.StopRinging(user, reason):
                self._guard(lambda: self.backends.registrar.stop_ringing(self.call, user, reason))
            case actions.UpdateCaller():
                self._guard(lambda: self.backends.registrar.update_caller(self.call))
            case actions.StartTimer(timer, party, ago):
                self._timers.start(timer, party, ago)
            case actions.CancelTimer(timer, party):
                self._timers.cancel(timer, party)
            case actions.CancelTimers():
                self._timers.cancel_all()
            case actions.AskSipStatus(gone):
                self.requests.start(self._ask_sip_status(gone, self.call.near_channel))
            case actions.CheckMedia(within):
                self.requests.start(self._check_media(self.call.leg, within))
            case actions.AwaitEarlyMedia():
                if self._early_media:
                    self._early_media.cancel()
                self._early_media = self.requests.start(
                    await_early_media(self.backends.media, lambda: self.call, self.post)
                )
            case actions.PlayMusic(on):
                self._sound.play_music(on)
            case actions.Mute(on):
                self._sound.isolate(on)
            case actions.Record(verb, name):
                self._recording.request(verb, name)

    async def _execute(self, call: Call, step: Step, target: Target) -> None:
        try:
            address, sdp = await execute_step(self.backends, call, step, target, ring_timeout=self.limits.ring_timeout)
        except PeerError as error:
            status = error.status if isinstance(error, PeerRefused) else 0
            self.post(StepFailed(time.time(), step, _failure(error), str(error), target, status))
        except Exception as error:
            self.log.exception("a set-up step raised", step=step.value)
            self.post(StepFailed(time.time(), step, Failure.TIMEOUT, repr(error), target))
        else:
            self.post(StepDone(time.time(), step, address, sdp, target))

    async def _ask_sip_status(self, gone: ChannelDestroyed, bridged_with: str) -> None:
        """Asterisk before 22 has no event for it, but hands it to the channels that the failed one is bridged with."""
        sip = 0
        try:
            async with asyncio.timeout(SIP_STATUS_TIMEOUT_S):
                sip = await self.backends.ari.channels.sip_status(bridged_with, gone.name)
        except (PeerError, TimeoutError) as error:
            self.log.debug("the SIP status is unknown", reason=str(error))
        finally:
            self.post(replace(gone, sip=sip, name=""))

    async def _release(self, call: Call, resource: Resource, target: Target) -> None:
        """Retried until it works if the PBX is at fault, so that no line stays open; else left to the sweep."""
        figures: LegStats | None = None
        for tries in itertools.count():
            try:
                figures = await release_resource(self.backends, call, resource, target)
                break
            except Exception as error:
                persists = resource is not Resource.MEDIA_SESSION and _may_work_later(error)
                if tries >= MAX_RELEASE_RETRIES and not persists:
                    metrics.RELEASE_FAILURES.labels(resource.value).inc()
                    self.log.error("release given up: left to the sweep", what=resource.value, reason=str(error))
                    break
                self.log.warning("release failed: retrying", what=resource.value, reason=str(error), tries=tries)
                if tries == 0 and persists:
                    self.post(ReleaseFailed(time.time(), resource, target, str(error)))
            interval = RELEASE_RETRY_INTERVALS_S[min(tries, len(RELEASE_RETRY_INTERVALS_S) - 1)]
            await asyncio.sleep(jittered(interval))
        self.post(Released(time.time(), resource, target, figures))

    async def _check_media(self, leg: MediaLeg | None, within: float | None) -> None:
        heard_at: float | None = None
        try:
            if leg:
                heard_at = await self.backends.media.last_packet_at(leg_id(self.call.id, leg.number)) or 0.0
        except PeerRefused:
            heard_at = 0.0  # the session does not exist any more
        except PeerError as error:
            self.log.debug("rtpengine does not say when the browser was last heard", reason=str(error))
        if heard_at:
            heard_at = self._timeline.at(time.monotonic()) - (steady() - heard_at)
        self.post(MediaChecked(time.time(), heard_at, within))

    # --- clients and listeners ------------------------------------------------------

    def _ring(self) -> RingDecision:
        try:
            decision = self._decide_ringing(self.call)
            if decision.users:
                self.backends.registrar.ring(self.call, decision.users)
            return decision
        except Exception:
            self.log.exception("ringing the clients failed")
            return RingDecision()

    def _check_ringing(self) -> None:
        call = self.call
        if any(self.backends.registrar.is_registered(user) for user in call.users):
            return  # its pages ring, also those that were opened since
        decision = self._decide_ringing(call)
        if not decision.users:
            self.post(NobodyRings(time.time(), decision.status, decision.forward))

    def _notify_when_so(self, notification: Notification) -> None:
        """A change that Asterisk has yet to confirm is held back until then."""
        match notification:
            case HoldChanged(by_us=True):
                self._sound.notify_hold()
            case RecordingChanged(failure):
                self._recording.notify(failure)
            case _:
                self.notify(notification)

    def notify(self, notification: Notification) -> None:
        call = self.call
        for listener in list(self.listeners):
            self._guard(lambda listener=listener: listener(call, notification))  # type: ignore[misc]

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            self.log.exception("a listener failed")

    async def close(self) -> None:
        """Stop all that is pending, without releasing anything."""
        self._closed = True
        self._timers.cancel_all()
        await self.requests.cancel()


def _may_work_later(error: Exception) -> bool:
    """Whether the PBX is at fault, and may work again later."""
    return isinstance(error, PeerError) and (not isinstance(error, PeerRefused) or pbx_at_fault(error.status))


def _failure(error: PeerError) -> Failure:
    if isinstance(error, PeerRefused):
        return Failure.REFUSED
    return Failure.TIMEOUT if isinstance(error, PeerTimeout) else Failure.UNREACHABLE


def _detail(event: Event) -> dict[str, Any]:
    """The details of an event for its log line; never SDP."""
    match event:
        case StepDone(_, step, address, _, target):
            numbered = {"leg": target.number} if isinstance(target, LegRef) and target.number > 1 else {}
            return {"step": step.value} | ({"address": str(address)} if address else {}) | numbered
        case TimerFired(_, timer):
            return {"timer": timer.value}
        case ConnectedLineChanged(_, resource, _, number, name):
            return {"told_by": resource.value, "number": number, "name": name}
        case PartyRang(_, party) | PartyAnswered(_, party) | PartyFailed(_, party) | PartyHangsUp(_, party):
            return {"party": party}
        case Released(_, resource):
            return {"what": resource.value}
        case _:
            return {}
