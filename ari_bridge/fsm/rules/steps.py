"""Rules of set-up steps that have come back: what they reach, and what a failure does to the call. Pure."""

from msgspec.structs import replace

from ari_bridge.fsm import events, setup_plan
from ari_bridge.fsm.actions import Action, StartTimer
from ari_bridge.fsm.call import Call, LegRef, PartyRef, Step
from ari_bridge.fsm.decisions import (
    ENDED,
    ENDS,
    UP,
    Decision,
    Part,
    advance,
    end,
    enter_state,
    leads_to,
    release,
    release_old_legs,
    setup_failure,
    watch_media,
    with_leg,
    without,
)
from ari_bridge.fsm.events import Failure, Timer
from ari_bridge.fsm.rules import parties, phones
from ari_bridge.fsm.rules.media import answer_ready, keep_leg_in_bridge, leg_bridged, lose_media, survives_leg_loss
from ari_bridge.outcomes import Cause, pbx_at_fault


@leads_to()
def step_done(call: Call, event: events.StepDone) -> Decision:
    match event.target:
        case PartyRef(number):
            return parties.step_done(call, number, event)
        case LegRef():
            return _leg_step_done(call, event.target, event)
    call = _reached(_back(call, event), event)
    return phones.step_came_back(call) if event.step in setup_plan.PHONE else advance(call)


@leads_to(UP)
def accepting_step_done(call: Call, event: events.StepDone) -> Decision:
    call, actions = step_done.apply(call, event)
    if event.step is Step.ANSWER_FAR:
        call, notifications = enter_state(replace(call, answered_at=event.at), UP)
        actions += [*notifications, *watch_media(call)]
    return call, actions


@leads_to(ENDED)
def step_done_late(call: Call, event: events.StepDone) -> Decision:
    """What it has created is released. Of a party or a media leg, their own rules see to that."""
    return step_done.apply(call, event) if event.target else release(_back(call, event))


# A refusal of these mostly means that the channel has just been destroyed; that event has the cause.
_ON_A_CHANNEL = {Step.BRIDGE_EXTERNAL_MEDIA, Step.BRIDGE_NEAR, Step.BRIDGE_FAR, Step.DIAL_FAR, Step.ANSWER_FAR}


@leads_to(*ENDS)
def step_failed(call: Call, event: events.StepFailed) -> Decision:
    match event.target:
        case PartyRef(number):
            return parties.step_failed(call, number, event)
        case LegRef():
            return _leg_step_failed(call, event.target, event)
    call = _back(call, event)
    if event.step is Step.RING_FAR:
        return call, []  # the pages ring nonetheless: no reason to lose a caller
    if event.step in setup_plan.PHONE:
        return phones.step_failed(call)  # so they do without the phones
    return _fail(call, event)


@leads_to(ENDED)
def step_failed_late(call: Call, event: events.StepFailed) -> Decision:
    """As `step_done_late`: unless it was refused, it may have created something."""
    return step_failed.apply(call, event) if event.target else release(_back(call, event))


def _back(part: Part, event: events.StepDone | events.StepFailed) -> Part:
    """Only after a refusal is it certain that nothing was created."""
    part = replace(part, pending=part.pending - {event.step})
    refused = isinstance(event, events.StepFailed) and event.failure is Failure.REFUSED
    return without(part, setup_plan.MAKES[event.step]) if refused and event.step in setup_plan.MAKES else part


def _reached(part: Part, event: events.StepDone) -> Part:
    return replace(part, milestones=part.milestones | {setup_plan.GIVES[event.step]})


def _fail(call: Call, event: events.StepFailed) -> Decision:
    refused = event.failure is Failure.REFUSED
    if refused and event.step in _ON_A_CHANNEL and not pbx_at_fault(event.status):
        return call, [StartTimer(Timer.EXPLAIN)]
    outcome, detail = setup_failure(event.step, refused=refused, status=event.status)
    return end(call, event.at, outcome, Cause(text=event.reason, detail=detail))


# --- of a media leg -------------------------------------------------------------------


def _leg_step_done(call: Call, ref: LegRef, event: events.StepDone) -> Decision:
    leg = call.media_leg(ref)
    if leg is None:
        return call, []
    needed = leg is call.leg and call.state.live
    leg = _back(leg, event)
    if not needed:
        return _leg_step_not_needed(with_leg(call, leg))
    leg = _reached(leg, event)
    actions: list[Action] = []
    match event.step:
        case Step.OFFER_MEDIA:
            call = replace(call, leg=replace(leg, media_address=event.address))
        case Step.CREATE_EXTERNAL_MEDIA:
            call = replace(call, leg=replace(leg, external_media_address=event.address))
        case Step.ANSWER_MEDIA:
            call, actions = answer_ready(call, replace(leg, answer=event.sdp))
        case Step.BRIDGE_EXTERNAL_MEDIA:
            call, actions = leg_bridged(replace(call, leg=leg))
        case _:
            call = replace(call, leg=leg)
    call, steps = advance(call)
    return call, actions + steps


def _leg_step_failed(call: Call, ref: LegRef, event: events.StepFailed) -> Decision:
    leg = call.media_leg(ref)
    if leg is None:
        return call, []
    needed = leg is call.leg and call.state.live
    call = with_leg(call, _back(leg, event))
    if not needed:
        return _leg_step_not_needed(call)
    no_channels = event.step is Step.CREATE_EXTERNAL_MEDIA and event.failure is Failure.REFUSED and event.status >= 500
    if no_channels and (reusable := call.reusable_leg):
        return keep_leg_in_bridge(call, reusable, event.reason)
    if survives_leg_loss(call):
        return lose_media(call, event.at, event.reason)
    return _fail(call, event)


def _leg_step_not_needed(call: Call) -> Decision:
    """Of an earlier leg, or after the end: what it created is released now, or once the new leg is in the bridge."""
    if not call.state.live:
        return release(call)
    if call.leg is None or Step.BRIDGE_EXTERNAL_MEDIA in call.leg.started:
        return release_old_legs(call, kept=call.reusable_leg)
    return call, []
