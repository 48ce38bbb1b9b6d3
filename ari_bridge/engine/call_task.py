"""One call at work: its mailbox, and the requests and timers that it has under way.

Every event of the call goes through `post`, one at a time, in order; the
transition table decides, and what it wants done is begun here. Nothing here
decides anything. Requests run beside each other and come back as events.
"""

import asyncio
import dataclasses
import itertools
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import structlog

from ari_bridge import metrics
from ari_bridge.backoff import jittered
from ari_bridge.clock import steady
from ari_bridge.engine.early_media import await_early_media
from ari_bridge.engine.executor import execute_step, release_resource
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
from ari_bridge.engine.ports import Backends
from ari_bridge.errors import IllegalEvent, PeerError, PeerRefused, PeerTimeout, TooMany, WrongState
from ari_bridge.fsm import actions, timeline
from ari_bridge.fsm.actions import Action
from ari_bridge.fsm.call import Call, CallState, Resource, Step
from ari_bridge.fsm.events import (
    ChannelGone,
    ConnectedLineChanged,
    Event,
    Failure,
    MediaChecked,
    MuteFailed,
    PagesRang,
    PartyAnswered,
    PartyFailed,
    PartyHangsUp,
    PartyRang,
    RecordingEnded,
    RecordingRefused,
    RecordingVerb,
    Released,
    ReleaseFailed,
    StepDone,
    StepFailed,
    Timer,
    TimerFired,
)
from ari_bridge.fsm.timing import find
from ari_bridge.fsm.transitions import step as decide
from ari_bridge.ids import Kind, leg_id, resource_id
from ari_bridge.leg_stats import LegFigures
from ari_bridge.outcomes import pbx_at_fault
from ari_bridge.preferences.ring_decision import RingDecision
from ari_bridge.tasks import TaskSet

SIP_STATUS_SECONDS = 0.5
"""A call that failed waits so long, at most, until it is known who refused it."""
RELEASE_PAUSES = (0.5, 1.5, 3.0, 6.0)
"""Seconds between tries to release a resource, the last one for ever; a quarter of jitter."""
RELEASE_TRIES = 2
"""Further ones where the PBX is not at fault: then the sweep takes over."""
DIGITS_WAITING = 64
"""Digits that may wait to be sent: about 13 seconds' worth."""


@dataclass(slots=True)
class Wish:
    """Something that is either on or off in Asterisk, and takes a request to change."""

    on: bool = False  # what is wanted
    under_way: bool = False


class CallTask:
    """`changed(before, after, event)` is called after every event that was taken, before its actions."""

    def __init__(
        self,
        call: Call,
        peers: Backends,
        limits: Limits,
        changed: Callable[[Call, Call, Event], None],
        who_rings: Callable[[Call], RingDecision],
    ) -> None:
        self.call = call
        self.listeners: list[Listener] = []
        self._peers = peers
        self._limits = limits
        self._changed = changed
        self._who_rings = who_rings
        self._timeline = timeline.begin(call, time.time(), time.monotonic())
        self._mailbox: deque[Event] = deque()
        self._at_work = False
        self._closed = False
        self._requests = TaskSet()
        self._timers: dict[tuple[Timer, int], asyncio.TimerHandle] = {}
        self._digits: deque[str] = deque()
        self._sending_digits = False
        self._early: asyncio.Task[None] | None = None  # looks for the far side's first sound
        self._hold_untold = False
        self._music_waits = False
        self._recording_asked = 0  # requests under way
        self._recording_untold = False
        self._music = Wish()
        self._apart = Wish()
        # In whose course the call was begun: most of its lines come from what the PBX tells later.
        begun = {f"begun_by_{name}": value for name, value in structlog.contextvars.get_contextvars().items()}
        self._log = structlog.get_logger(__name__).bind(call=call.id, **begun)

    # --- the mailbox -----------------------------------------------------------

    def ask(self, event: Event) -> None:
        """Post an event that a user of ours asks for. Raises WrongState where the call does not allow it."""
        self.check(event)
        self.post(event)

    def check(self, event: Event) -> None:
        """Raises WrongState where the call would not take the event now."""
        decide(self.call, event)

    def post(self, event: Event) -> None:
        """Take an event, now or as soon as the ones before it are done. Never raises.

        After `close` nothing is taken: what comes then is for the next process to see.
        """
        if self._closed:
            return
        # By the call's own clock, whoever has noted it: the wall clock may be set at any moment.
        self._mailbox.append(dataclasses.replace(event, at=self._timeline.at(time.monotonic())))
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
            after, wanted = decide(before, event, self._limits.timing())
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

    def adopt(self, actions_due: list[Action]) -> None:
        """Begin what a call that was found again wants done, before its first event."""
        for action in actions_due:
            self._begin(action)

    # --- actions ------------------------------------------------------------------

    def _begin(self, action: Action) -> None:
        match action:
            case actions.Do(step, leg):
                self._requests.start(self._do(self.call, step, leg))
            case actions.Release(resource, leg):
                self._requests.start(self._release(self.call, resource, leg))
            case actions.SendDigits(digits):
                self._send_digits(digits)
            case actions.RingPages():
                decision = self._ring_pages()
                self.post(
                    PagesRang(time.time(), decision.users, decision.status, decision.forward, decision.ring_seconds)
                )
            case actions.StopRinging(user, reason):
                self._guard(lambda: self._peers.registrar.stop_ringing(self.call, user, reason))
            case actions.TellCaller():
                self._guard(lambda: self._peers.registrar.update_caller(self.call))
            case actions.StartTimer(timer, party, ago):
                self._start_timer(timer, party, ago)
            case actions.CancelTimer(timer, party):
                if running := self._timers.pop((timer, party), None):
                    running.cancel()
            case actions.CancelTimers():
                self._cancel_timers()
            case actions.AskSipStatus(gone):
                self._requests.start(self._ask_sip_status(gone, leg_id(self.call.id, self.call.leg)))
            case actions.CheckMedia(within):
                self._requests.start(self._check_media(leg_id(self.call.id, self.call.leg), within))
            case actions.AwaitEarlyMedia():
                if self._early:
                    self._early.cancel()
                self._early = self._requests.start(await_early_media(self._peers.media, lambda: self.call, self.post))
            case actions.PlayMusic(on):
                self._music_waits = on and self._apart.under_way  # who is not apart yet is not held yet
                if not self._music_waits:
                    self._wish(self._music, on, self._play_music)
            case actions.Mute(on):
                self._wish(self._apart, on, self._mute)
            case actions.Record(verb, name):
                self._recording_asked += 1
                self._requests.start(self._record(verb, name))
            case actions.AskOffer(reason):
                self._tell(MediaNeeded(self.call, reason))
            case actions.TellMedia():
                self._tell(MediaReady(self.call, self.call.answer))
            case actions.TellState():
                self._tell(StateChanged(self.call))
            case actions.TellDigit(digit):
                self._tell(DigitReceived(self.call, digit))
            case actions.TellHold(_, by_us):
                if by_us and self._apart.under_way:
                    self._hold_untold = True  # it is not so yet
                else:
                    self._tell(HoldChanged(self.call, by_us))
            case actions.TellRefused(what, reason):
                self._tell(RequestRefused(self.call, what, reason))
            case actions.TellParty(party):
                self._tell(PartyChanged(self.call, party))
            case actions.TellTransfer(party, failure):
                self._tell(TransferEnded(self.call, party, failure))
            case actions.TellRecording(failure):
                if self._recording_asked and not failure:
                    self._recording_untold = True  # it is not so yet
                else:
                    self._recording_untold = False
                    self._tell(RecordingChanged(self.call, failure))

    async def _do(self, call: Call, step: Step, leg: int) -> None:
        try:
            address, sdp = await execute_step(self._peers, call, step, leg, ring_timeout=self._limits.ring_timeout)
        except PeerError as error:
            status = error.status if isinstance(error, PeerRefused) else 0
            self.post(StepFailed(time.time(), step, _failure(error), str(error), leg, status))
        except Exception as error:
            self._log.exception("a set-up step broke", step=step.value)
            self.post(StepFailed(time.time(), step, Failure.TIMEOUT, repr(error), leg))
        else:
            self.post(StepDone(time.time(), step, address, sdp, leg))

    async def _ask_sip_status(self, gone: ChannelGone, media_leg: str) -> None:
        """Asterisk before 22 does not tell it; but it hands it to the channels that are bridged with the failed one."""
        sip = 0
        try:
            async with asyncio.timeout(SIP_STATUS_SECONDS):
                sip = await self._peers.ari.channels.sip_status(media_leg, gone.name)
        except (PeerError, TimeoutError) as error:
            self._log.debug("the SIP status is not to be known", reason=str(error))
        finally:
            self.post(replace(gone, sip=sip, name=""))

    async def _release(self, call: Call, resource: Resource, leg: int) -> None:
        """Until it works, where the PBX is at fault: nobody is left on the line. Else the sweep has it."""
        figures: LegFigures | None = None
        for tries in itertools.count():
            try:
                figures = await release_resource(self._peers, call, resource, leg)
                break
            except Exception as error:
                persists = resource is not Resource.MEDIA_SESSION and _may_work_later(error)
                if tries >= RELEASE_TRIES and not persists:
                    metrics.RELEASE_FAILURES.labels(resource.value).inc()
                    self._log.error("release given up: the sweep will reap it", what=resource.value, reason=str(error))
                    break
                self._log.warning("release failed, trying again", what=resource.value, reason=str(error), tries=tries)
                if tries == 0 and persists:
                    self.post(ReleaseFailed(time.time(), resource, leg, str(error)))
            pause = RELEASE_PAUSES[min(tries, len(RELEASE_PAUSES) - 1)]
            await asyncio.sleep(jittered(pause))
        self.post(Released(time.time(), resource, leg, figures))

    # --- digits ---------------------------------------------------------------------

    def check_digits(self, digits: str) -> None:
        """Raises TooMany where so many digits wait already that these would come much too late."""
        if len(self._digits) + len(digits) > DIGITS_WAITING:
            raise TooMany(f"{len(self._digits)} digits wait to be sent already.", field="digits")

    def _send_digits(self, digits: str) -> None:
        self._digits.extend(digits)
        if not self._sending_digits:
            self._sending_digits = True
            self._requests.start(self._drain_digits())

    async def _drain_digits(self) -> None:
        try:
            while self._digits and self.call.state.live:
                digits = "".join(self._digits)
                self._digits.clear()
                ari = self._peers.ari
                await asyncio.gather(*(ari.channels.send_dtmf(one, digits) for one in _listeners(self.call)))
        except PeerError as error:
            self._log.warning("digits were not sent", reason=str(error))
            if self.call.state.live:
                self._tell(RequestRefused(self.call, "digits", str(error)))
        finally:
            self._sending_digits = False

    # --- sound, and whether the browser is heard ------------------------------------------

    def _wish(self, wish: Wish, on: bool, grant: Callable[[bool], Coroutine[Any, Any, None]]) -> None:
        wish.on = on
        if not wish.under_way:
            wish.under_way = True
            self._requests.start(self._grant(wish, grant))

    async def _grant(self, wish: Wish, grant: Callable[[bool], Coroutine[Any, Any, None]]) -> None:
        """One request at a time: a stop that overtook its start would leave the music on."""
        done, failure = not wish.on, ""
        try:
            while wish.on is not done:
                done = wish.on
                await grant(done)
        except PeerError as error:
            self._log.warning("the sound could not be changed", how=grant.__name__, on=done, reason=str(error))
            failure = str(error)
        finally:
            wish.under_way = False
        if wish is self._apart:
            self._apart_settled(done, failure)

    def _apart_settled(self, on: bool, failure: str) -> None:
        music, untold = self._music_waits, self._hold_untold
        self._music_waits = self._hold_untold = False
        if failure:
            self.post(MuteFailed(time.time(), on, failure))
            return
        if music:
            self._wish(self._music, True, self._play_music)
        if untold:
            self._tell(HoldChanged(self.call, by_us=True))

    async def _play_music(self, on: bool) -> None:
        bridges, bridge = self._peers.ari.bridges, resource_id(self.call.id, Kind.BRIDGE)
        await (bridges.start_music if on else bridges.stop_music)(bridge)

    async def _mute(self, on: bool) -> None:
        leg = leg_id(self.call.id, self.call.leg)
        try:
            await (self._peers.ari.channels.mute if on else self._peers.ari.channels.unmute)(leg)
        except PeerRefused as error:
            if pbx_at_fault(error.status):
                raise
            # The leg has just gone: nothing goes through it, and the next one is made as it ought to be.
            self._log.info("the media leg is not there to be muted", on=on, reason=str(error))

    # --- recording ---------------------------------------------------------------------

    async def _record(self, verb: RecordingVerb, name: str) -> None:
        recordings, bridge = self._peers.ari.recordings, resource_id(self.call.id, Kind.BRIDGE)
        try:
            match verb:
                case RecordingVerb.START:
                    if self._limits.announcement:
                        await recordings.play(bridge, self._limits.announcement)
                    await recordings.start(bridge, name)
                case RecordingVerb.PAUSE:
                    await recordings.pause(name)
                case RecordingVerb.RESUME:
                    await recordings.resume(name)
                case RecordingVerb.STOP:
                    await recordings.stop(name)
        except PeerError as error:
            self._recording_asked -= 1
            self._log.error("a recording does not do as it is told", verb=verb.value, name=name, reason=str(error))
            if verb is RecordingVerb.START:
                self.post(RecordingEnded(time.time(), name, str(error)))
            elif isinstance(error, PeerRefused) and not pbx_at_fault(error.status):
                self.post(RecordingEnded(time.time(), name))  # it is over already
            else:
                self.post(RecordingRefused(time.time(), verb, name, str(error)))
        else:
            self._recording_asked -= 1
        if self._recording_untold and not self._recording_asked:
            self._recording_untold = False
            self._tell(RecordingChanged(self.call))

    async def _check_media(self, leg: str, within: float | None) -> None:
        heard_at: float | None
        try:
            heard_at = await self._peers.media.heard(leg) or 0.0
        except PeerRefused:
            heard_at = 0.0  # there is no such session any more
        except PeerError as error:
            self._log.debug("rtpengine does not say when the browser was heard", reason=str(error))
            heard_at = None
        if heard_at:
            heard_at = self._timeline.at(time.monotonic()) - (steady() - heard_at)
        self.post(MediaChecked(time.time(), heard_at, within))

    # --- timers, pages, listeners ------------------------------------------------------

    def _start_timer(self, timer: Timer, party: int, ago: float) -> None:
        if running := self._timers.get((timer, party)):
            running.cancel()
        now = time.monotonic()
        since, due = now - ago, now - ago + self._limits.seconds(timer)
        if kept := find(self.call.deadlines, timer, party):
            since, due = kept.since, kept.due
        self._timers[timer, party] = asyncio.get_running_loop().call_later(
            max(0.0, due - now), self._timer_fired, timer, party, since
        )

    def _timer_fired(self, timer: Timer, party: int, since: float) -> None:
        self._timers.pop((timer, party), None)
        self.post(TimerFired(time.time(), timer, party, time.monotonic() - since))

    def _cancel_timers(self) -> None:
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()

    def _ring_pages(self) -> RingDecision:
        try:
            decision = self._who_rings(self.call)
            if decision.users:
                self._peers.registrar.ring(self.call, decision.users)
            return decision
        except Exception:
            self._log.exception("the pages could not be rung")
            return RingDecision()

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
        self._closed = True
        self._cancel_timers()
        await self._requests.cancel()


def _listeners(call: Call) -> list[str]:
    """The channels of those who are talked to."""
    far = [call.far_channel] if call.far_is_here else []
    return far + [party.channel for party in call.parties if party.talks]


def _may_work_later(error: Exception) -> bool:
    """Whether it is the PBX that does not do what it ought to, for as long as that lasts."""
    return isinstance(error, PeerError) and (not isinstance(error, PeerRefused) or pbx_at_fault(error.status))


def _failure(error: PeerError) -> Failure:
    if isinstance(error, PeerRefused):
        return Failure.REFUSED
    return Failure.TIMEOUT if isinstance(error, PeerTimeout) else Failure.UNREACHABLE


def _detail(event: Event) -> dict[str, Any]:
    """What of an event helps in a log line; never SDP."""
    match event:
        case StepDone(_, step, address, _, leg):
            numbered = {"leg": leg} if leg > 1 else {}
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
