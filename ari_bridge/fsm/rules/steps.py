"""Rules of set-up steps that have come back: what they reach, and what a failure does to the call. Pure."""

from msgspec.structs import replace

from ari_bridge.fsm import events, setup_plan
from ari_bridge.fsm.actions import Action, StartTimer
from ari_bridge.fsm.call import Call, Step
from ari_bridge.fsm.decisions import (
    ENDED,
    ENDS,
    UP,
    Decision,
    advance,
    end,
    enter_state,
    leads_to,
    release,
    setup_failure,
    without_resource,
)
from ari_bridge.fsm.events import Failure, Timer
from ari_bridge.fsm.rules import parties
from ari_bridge.fsm.rules.media import (
    answer_ready,
    find_reusable_leg,
    is_of_earlier_leg,
    keep_leg_in_bridge,
    leg_bridged,
    lose_media,
    stale_step_done,
    stale_step_failed,
    survives_leg_loss,
)
from ari_bridge.outcomes import Cause, pbx_at_fault


@leads_to()
def step_done(call: Call, event: events.StepDone) -> Decision:
    if event.step.of_party:
        return parties.step_done(call, event)
    if is_of_earlier_leg(call, event.step, event.instance):
        return stale_step_done(call, event)
    call = replace(
        call, pending=call.pending - {event.step}, milestones=call.milestones | {setup_plan.GIVES[event.step]}
    )
    actions: list[Action] = []
    match event.step:
        case Step.OFFER_MEDIA:
            call = replace(call, media_address=event.address)
        case Step.CREATE_EXTERNAL_MEDIA:
            call = replace(call, external_media_address=event.address)
        case Step.ANSWER_MEDIA:
            call, actions = answer_ready(call, event.sdp)
        case Step.BRIDGE_EXTERNAL_MEDIA:
            call, actions = leg_bridged(call)
        case _:
            pass
    call, steps = advance(call)
    return call, actions + steps


@leads_to(UP)
def accepting_step_done(call: Call, event: events.StepDone) -> Decision:
    call, actions = step_done.apply(call, event)
    if event.step is Step.ANSWER_FAR:
        call, notifications = enter_state(replace(call, answered_at=event.at), UP)
        actions += [*notifications, StartTimer(Timer.MEDIA)]
    return call, actions


@leads_to(ENDED)
def step_done_late(call: Call, event: events.StepDone) -> Decision:
    if event.step.of_party:
        return parties.step_done(call, event)
    if is_of_earlier_leg(call, event.step, event.instance):
        return stale_step_done(call, event)
    return release(replace(call, pending=call.pending - {event.step}))


# A refusal of these mostly means that the channel has just been destroyed; that event has the cause.
_ON_A_CHANNEL = {Step.BRIDGE_EXTERNAL_MEDIA, Step.BRIDGE_NEAR, Step.BRIDGE_FAR, Step.DIAL_FAR, Step.ANSWER_FAR}


@leads_to(*ENDS)
def step_failed(call: Call, event: events.StepFailed) -> Decision:
    if event.step.of_party:
        return parties.step_failed(call, event)
    if is_of_earlier_leg(call, event.step, event.instance):
        return stale_step_failed(call, event)
    call = _after_failure(call, event)
    refused = event.failure is Failure.REFUSED
    if event.step is Step.RING_FAR:
        return call, []  # the pages ring nonetheless: no reason to lose a caller
    no_channels = event.step is Step.CREATE_EXTERNAL_MEDIA and refused and event.status >= 500
    if no_channels and (leg := find_reusable_leg(call)):
        return keep_leg_in_bridge(call, leg, event.reason)
    if event.step.of_leg and survives_leg_loss(call):
        return lose_media(call, event.at, event.reason)
    if refused and event.step in _ON_A_CHANNEL and not pbx_at_fault(event.status):
        return call, [StartTimer(Timer.EXPLAIN)]
    outcome, detail = setup_failure(event.step, refused=refused, status=event.status)
    return end(call, event.at, outcome, Cause(text=event.reason, detail=detail))


@leads_to(ENDED)
def step_failed_late(call: Call, event: events.StepFailed) -> Decision:
    if event.step.of_party:
        return parties.step_failed(call, event)
    if is_of_earlier_leg(call, event.step, event.instance):
        return stale_step_failed(call, event)
    return release(_after_failure(call, event))


def _after_failure(call: Call, event: events.StepFailed) -> Call:
    """Only after a refusal is it certain that nothing was created."""
    call = replace(call, pending=call.pending - {event.step})
    if event.failure is Failure.REFUSED and event.step in setup_plan.MAKES:
        call = without_resource(call, setup_plan.MAKES[event.step], event.instance)
    return call
