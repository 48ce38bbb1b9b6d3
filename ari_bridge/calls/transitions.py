"""Everything that changes a call's state stands in this file.

`TABLE` says for every event and every state which rule decides; `step` looks it
up. A rule makes a new call and a list of actions out of the old call and the
event, and does nothing else: no clock, no I/O, no randomness, no logging. An
event that must not happen raises, and changes nothing. The state diagram in
docs/design.md is drawn from the table (`make diagram`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from ari_bridge.calls import events, plan
from ari_bridge.calls.actions import (
    Action,
    CancelTimers,
    Do,
    Release,
    RingPages,
    SendDigits,
    StartTimer,
    StopRinging,
    TellDigit,
    TellHold,
    TellMedia,
    TellState,
)
from ari_bridge.calls.causes import Cause, Outcome, far_ended
from ari_bridge.calls.events import Event, Failure, Timer
from ari_bridge.calls.state import Call, CallState, Direction, Fact, Resource, Step
from ari_bridge.errors import IllegalEvent, WrongState

Decision = tuple[Call, list[Action]]


@dataclass(frozen=True)
class Rule:
    """`to`: the states it may lead to, besides leaving the call where it is."""

    apply: Callable[[Call, Any], Decision]
    to: tuple[CallState, ...] = ()

    @property
    def name(self) -> str:
        return self.apply.__name__


def leads_to(*states: CallState) -> Callable[[Callable[[Call, Any], Decision]], Rule]:
    return lambda apply: Rule(apply, states)


TRYING, RINGING, EARLY, ACCEPTING, UP, ENDING, ENDED = CallState
ENDS = (ENDING, ENDED)


def step(call: Call, event: Event) -> Decision:
    """The call after the event, and what is to be done now.

    Raises WrongState where a user of ours asked for what the state does not allow,
    IllegalEvent where the event cannot happen in the state (a bug of ours).
    """
    return TABLE[type(event)][_COLUMN[call.state]].apply(call, event)


# --- what rules are made of -----------------------------------------------------


def _advance(call: Call) -> Decision:
    """Begin every set-up step whose facts are there. What it makes is held from now on."""
    steps = plan.ready(call)
    if not steps:
        return call, []
    made = {plan.MAKES[step] for step in steps if step in plan.MAKES}
    call = replace(call, asked=call.asked | {*steps}, waiting=call.waiting | {*steps}, holds=call.holds | made)
    return call, [Do(step) for step in steps]


def _moved(call: Call, state: CallState) -> Decision:
    """The state, told to who listens; but no client hears of a state before it has its SDP answer."""
    told = Fact.MEDIA_ANSWERED in call.facts and state is not ACCEPTING
    return replace(call, state=state), [TellState()] if told else []


def _end(call: Call, at: float, outcome: Outcome, cause: Cause | None = None, dialplan_status: str = "") -> Decision:
    """Decide that the call ends, and release whatever is made already; the rest when its request comes back."""
    actions: list[Action] = [CancelTimers(), TellState()]
    if Fact.PAGES_RING in call.facts and Fact.ACCEPTED not in call.facts:
        actions.append(StopRinging(None, _STOP_REASONS.get(outcome, "cancelled")))
    if call.direction is Direction.INBOUND and call.state is not UP and outcome in _OUR_FAULT:
        dialplan_status = "UNAVAILABLE"  # the caller is not to suffer: the dialplan's fallback takes over
    call = replace(
        call,
        state=ENDING,
        outcome=outcome,
        cause=cause or Cause(),
        ended_at=at,
        dialplan_status=dialplan_status,
    )
    call, releases = _release(call)
    return call, actions + releases


_OUR_FAULT = {Outcome.FAILED_MEDIA, Outcome.FAILED_PBX}
_STOP_REASONS = {Outcome.NO_ANSWER: "no_answer", Outcome.REJECTED: "declined"}


def _release(call: Call) -> Decision:
    """Release what is held and not asked for at this moment; ENDED when nothing is left."""
    now = [r for r in Resource if r in call.holds - call.releasing and plan.MADE_BY[r] not in call.waiting]
    call = replace(call, releasing=call.releasing | {*now})
    if not call.holds and not call.waiting:
        call = replace(call, state=ENDED)
    return call, [Release(resource) for resource in now]


def _without(call: Call, resource: Resource) -> Call:
    return replace(call, holds=call.holds - {resource}, releasing=call.releasing - {resource})


# --- rules: asked ----------------------------------------------------------------


@leads_to()
def refuse(call: Call, event: Event) -> Decision:
    what = _VERBS[type(event)]
    raise WrongState(f"The call is {call.state.value}: it cannot be {what} now.", field="callId")


_VERBS: dict[type[Event], str] = {
    events.Accepted: "accepted",
    events.Declined: "declined",
    events.HungUp: "hung up",
    events.DigitsPressed: "sent digits",
}


@leads_to()
def illegal(call: Call, event: Event) -> Decision:
    raise IllegalEvent(call.id, call.state.value, type(event).__name__)


@leads_to()
def late(call: Call, event: Event) -> Decision:
    """Too late to matter, and nobody's fault."""
    return call, []


@leads_to()
def place(call: Call, event: events.Placed) -> Decision:
    call, steps = _advance(call)
    return call, [*steps, StartTimer(Timer.SETUP), StartTimer(Timer.RING)]


@leads_to(ACCEPTING)
def accept(call: Call, event: events.Accepted) -> Decision:
    call = replace(call, user=event.user, offer=event.offer, facts=call.facts | {Fact.ACCEPTED})
    call, told = _moved(call, ACCEPTING)
    call, steps = _advance(call)
    return call, [*steps, *told, StopRinging(None, "accepted_elsewhere"), StartTimer(Timer.SETUP)]


@leads_to(*ENDS)
def decline(call: Call, event: events.Declined) -> Decision:
    left = call.users - {event.user}
    if not left:
        return _end(call, event.at, Outcome.REJECTED, dialplan_status="DECLINED")
    return replace(call, users=left), [StopRinging(event.user, "declined")]


@leads_to(*ENDS)
def hang_up(call: Call, event: events.HungUp) -> Decision:
    if call.state is UP:
        return _end(call, event.at, Outcome.COMPLETED)
    if call.direction is Direction.INBOUND and call.state in (TRYING, RINGING):
        return _end(call, event.at, Outcome.REJECTED, dialplan_status="DECLINED")
    return _end(call, event.at, Outcome.CANCELLED)


@leads_to()
def press(call: Call, event: events.DigitsPressed) -> Decision:
    return call, [SendDigits(event.digits)]


# --- rules: told -----------------------------------------------------------------


@leads_to()
def arrive(call: Call, event: events.Arrived) -> Decision:
    return call, [RingPages(), StartTimer(Timer.RING)]


@leads_to(RINGING, *ENDS)
def pages_rang(call: Call, event: events.PagesRang) -> Decision:
    if not event.users:
        return _end(call, event.at, Outcome.UNREACHABLE, Cause(text="no page is open"), "UNAVAILABLE")
    facts = call.facts | {Fact.PAGES_RING}
    call = replace(call, state=RINGING, ringing_at=event.at, users=event.users, facts=facts)
    call, steps = _advance(call)
    return call, [*steps, TellState()]


@leads_to()
def pages_rang_late(call: Call, event: events.PagesRang) -> Decision:
    return call, [StopRinging(None, "cancelled")]


@leads_to()
def channel_entered(call: Call, event: events.ChannelEntered) -> Decision:
    return _advance(replace(call, facts=call.facts | {_ENTERED[event.resource]}))


_ENTERED = {Resource.FAR: Fact.FAR_ENTERED, Resource.EXTERNAL_MEDIA: Fact.EXTERNAL_MEDIA_ENTERED}


@leads_to()
def channel_left(call: Call, event: events.ChannelLeft) -> Decision:
    """Its end comes next, with the cause. Should it not come, the channel went elsewhere."""
    if event.resource is Resource.FAR:
        call = replace(call, facts=call.facts | {Fact.FAR_LEFT})
    return call, [StartTimer(Timer.EXPLAIN)]


@leads_to(*ENDS)
def channel_gone(call: Call, event: events.ChannelGone) -> Decision:
    answered = call.state is UP
    call = _without(call, event.resource)
    if event.resource is Resource.EXTERNAL_MEDIA:
        return _end(call, event.at, Outcome.FAILED_MEDIA, Cause(event.q850, "the external media channel ended"))
    if call.direction is Direction.INBOUND and not answered:
        return _end(call, event.at, Outcome.CANCELLED, Cause(event.q850, event.text, 487))
    rang = call.ringing_at is not None
    outcome, cause = far_ended(
        event.q850, event.text, call.dial_status, requested=call.hangup_q850, rang=rang, answered=answered
    )
    return _end(call, event.at, outcome, cause)


@leads_to(ENDED)
def channel_gone_late(call: Call, event: events.ChannelGone) -> Decision:
    return _release(_without(call, event.resource))


@leads_to(RINGING)
def far_rings(call: Call, event: events.FarRinging) -> Decision:
    if call.direction is Direction.INBOUND:
        return call, []  # it is us who answer a caller
    return _moved(replace(call, ringing_at=event.at), RINGING)


@leads_to(EARLY)
def far_progresses(call: Call, event: events.FarProgress) -> Decision:
    if call.direction is Direction.INBOUND:
        return call, []  # it is us who answer a caller
    return _moved(replace(call, ringing_at=call.ringing_at or event.at), EARLY)


@leads_to(UP)
def far_answers(call: Call, event: events.FarAnswered) -> Decision:
    if call.direction is Direction.INBOUND:
        return call, []  # it is us who answer a caller
    return _moved(replace(call, answered_at=event.at, facts=call.facts | {Fact.FAR_ANSWERED}), UP)


@leads_to()
def far_fails(call: Call, event: events.FarFailed) -> Decision:
    return replace(call, dial_status=event.dial_status), []


@leads_to()
def far_hangs_up(call: Call, event: events.FarHangsUp) -> Decision:
    return replace(call, hangup_q850=event.q850), []


@leads_to()
def far_digit(call: Call, event: events.FarDigit) -> Decision:
    return call, [TellDigit(event.digit)]


@leads_to()
def far_holds(call: Call, event: events.FarHeld) -> Decision:
    return replace(call, held_by_far=event.held), [TellHold(event.held)]


@leads_to(*ENDS)
def pbx_lost(call: Call, event: events.PbxLost) -> Decision:
    return _end(call, event.at, Outcome.FAILED_PBX, Cause(text=event.reason))


@leads_to(*ENDS)
def timer(call: Call, event: events.TimerFired) -> Decision:
    if event.timer is Timer.EXPLAIN:
        caller_left = call.direction is Direction.INBOUND and Fact.FAR_LEFT in call.facts
        outcome = Outcome.CANCELLED if caller_left else Outcome.FAILED_PBX
        if call.state is UP:
            outcome = Outcome.COMPLETED
        return _end(call, event.at, outcome, Cause(text="the channel left without a word"))
    if event.timer is Timer.RING and call.state in (TRYING, RINGING, EARLY):
        status = "NOANSWER" if call.direction is Direction.INBOUND else ""
        return _end(call, event.at, Outcome.NO_ANSWER, Cause(19, "nobody answered in time", 480), status)
    if event.timer is Timer.SETUP and not plan.complete(call):
        missing = {Fact.MEDIA_OFFERED, Fact.MEDIA_ANSWERED} - call.facts
        outcome = Outcome.FAILED_MEDIA if missing else Outcome.FAILED_PBX
        return _end(call, event.at, outcome, Cause(text="the set-up took too long"))
    return call, []


# --- rules: results ----------------------------------------------------------------


@leads_to()
def step_done(call: Call, event: events.StepDone) -> Decision:
    call = replace(call, waiting=call.waiting - {event.step}, facts=call.facts | {plan.GIVES[event.step]})
    told: list[Action] = []
    match event.step:
        case Step.OFFER_MEDIA:
            call = replace(call, media_address=event.address)
        case Step.CREATE_EXTERNAL_MEDIA:
            call = replace(call, external_media_address=event.address)
        case Step.ANSWER_MEDIA:
            call = replace(call, answer=event.sdp)
            told = [TellMedia()] if call.state is ACCEPTING else [TellMedia(), TellState()]
        case _:
            pass
    call, steps = _advance(call)
    return call, told + steps


@leads_to(UP)
def accepting_step_done(call: Call, event: events.StepDone) -> Decision:
    call, actions = step_done.apply(call, event)
    if event.step is Step.ANSWER_FAR:
        call, told = _moved(replace(call, answered_at=event.at), UP)
        actions += told
    return call, actions


@leads_to(ENDED)
def step_done_late(call: Call, event: events.StepDone) -> Decision:
    return _release(replace(call, waiting=call.waiting - {event.step}))


# A refusal of these mostly means that the channel has just ended; its own end says why.
_ON_A_CHANNEL = {Step.BRIDGE_EXTERNAL_MEDIA, Step.BRIDGE_FAR, Step.DIAL_FAR, Step.ANSWER_FAR}


@leads_to(*ENDS)
def step_failed(call: Call, event: events.StepFailed) -> Decision:
    call = _after_failure(call, event)
    refused = event.failure is Failure.REFUSED
    if event.step is Step.RING_FAR:
        return call, []  # the pages ring all the same: no reason to lose a caller
    if refused and event.step in _ON_A_CHANNEL:
        return call, [StartTimer(Timer.EXPLAIN)]
    if event.step in (Step.OFFER_MEDIA, Step.ANSWER_MEDIA):
        outcome = Outcome.FAILED_MEDIA
    elif event.step is Step.CREATE_FAR and refused:
        outcome = Outcome.UNREACHABLE
    else:
        outcome = Outcome.FAILED_PBX
    return _end(call, event.at, outcome, Cause(text=event.reason))


@leads_to(ENDED)
def step_failed_late(call: Call, event: events.StepFailed) -> Decision:
    return _release(_after_failure(call, event))


def _after_failure(call: Call, event: events.StepFailed) -> Call:
    """Only after a refusal is it certain that nothing was made."""
    call = replace(call, waiting=call.waiting - {event.step})
    if event.failure is Failure.REFUSED and event.step in plan.MAKES:
        call = _without(call, plan.MAKES[event.step])
    return call


@leads_to(ENDED)
def released(call: Call, event: events.Released) -> Decision:
    return _release(_without(call, event.resource))


# --- the table -----------------------------------------------------------------------

_COLUMN = {state: column for column, state in enumerate(CallState)}

# fmt: off
TABLE: dict[type[Event], tuple[Rule, ...]] = {
    #                        TRYING           RINGING          EARLY            ACCEPTING        UP               ENDING             ENDED  # noqa: E501
    events.Placed:          (place,           illegal,         illegal,         illegal,         illegal,         illegal,           illegal),  # noqa: E501
    events.Accepted:        (refuse,          accept,          refuse,          refuse,          refuse,          refuse,            refuse),   # noqa: E501
    events.Declined:        (refuse,          decline,         refuse,          late,            late,            late,              late),     # noqa: E501
    events.HungUp:          (hang_up,         hang_up,         hang_up,         hang_up,         hang_up,         late,              late),     # noqa: E501
    events.DigitsPressed:   (refuse,          refuse,          press,           refuse,          press,           refuse,            refuse),   # noqa: E501
    events.Arrived:         (arrive,          illegal,         illegal,         illegal,         illegal,         illegal,           illegal),  # noqa: E501
    events.PagesRang:       (pages_rang,      illegal,         illegal,         illegal,         illegal,         pages_rang_late,   pages_rang_late),  # noqa: E501
    events.ChannelEntered:  (channel_entered, channel_entered, channel_entered, channel_entered, channel_entered, late,              late),     # noqa: E501
    events.ChannelLeft:     (channel_left,    channel_left,    channel_left,    channel_left,    channel_left,    late,              late),     # noqa: E501
    events.ChannelGone:     (channel_gone,    channel_gone,    channel_gone,    channel_gone,    channel_gone,    channel_gone_late, late),     # noqa: E501
    events.FarRinging:      (far_rings,       late,            late,            late,            late,            late,              late),     # noqa: E501
    events.FarProgress:     (far_progresses,  far_progresses,  late,            late,            late,            late,              late),     # noqa: E501
    events.FarAnswered:     (far_answers,     far_answers,     far_answers,     late,            late,            late,              late),     # noqa: E501
    events.FarFailed:       (far_fails,       far_fails,       far_fails,       late,            late,            late,              late),     # noqa: E501
    events.FarHangsUp:      (far_hangs_up,    far_hangs_up,    far_hangs_up,    far_hangs_up,    far_hangs_up,    late,              late),     # noqa: E501
    events.FarDigit:        (late,            late,            far_digit,       late,            far_digit,       late,              late),     # noqa: E501
    events.FarHeld:         (late,            late,            late,            late,            far_holds,       late,              late),     # noqa: E501
    events.PbxLost:         (pbx_lost,        pbx_lost,        pbx_lost,        pbx_lost,        pbx_lost,        late,              late),     # noqa: E501
    events.TimerFired:      (timer,           timer,           timer,           timer,           timer,           late,              late),     # noqa: E501
    events.StepDone:        (step_done,       step_done,       step_done,       accepting_step_done, step_done,   step_done_late,    illegal),  # noqa: E501
    events.StepFailed:      (step_failed,     step_failed,     step_failed,     step_failed,     step_failed,     step_failed_late,  illegal),  # noqa: E501
    events.Released:        (illegal,         illegal,         illegal,         illegal,         illegal,         released,          late),     # noqa: E501
}
# fmt: on
