"""Rules of what Asterisk reports of the call's channels, foremost of the far side's. Pure.

A channel that leaves our application (StasisEnd) is mostly about to be destroyed, and only that event has the cause; so
the end of the call is decided then, or when it does not come in time (`Timer.EXPLAIN`).
"""

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import AskSipStatus, Notify, StartTimer
from ari_bridge.fsm.call import Call, Direction, LegRef, Milestone, PartyRef, Resource
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
    watch_media,
    without_resource,
)
from ari_bridge.fsm.events import Timer
from ari_bridge.fsm.notifications import DigitReceived, HoldChanged
from ari_bridge.fsm.rules import near, parties, phones
from ari_bridge.fsm.rules.media import lose_media, survives_leg_loss
from ari_bridge.fsm.rules.releases import clear_still_connected
from ari_bridge.outcomes import Cause, Detail, Outcome, caller_gave_up, far_ended


@leads_to()
def stasis_started(call: Call, event: events.StasisStarted) -> Decision:
    match event.target:
        case PartyRef(number):
            return parties.entered(call, number)
        case LegRef():
            return _leg_entered(call, event.target)
    if event.resource is Resource.PHONE:
        return advance(replace(call, milestones=call.milestones | {Milestone.PHONE_ENTERED}))
    if event.resource is Resource.FAR:
        return advance(replace(call, milestones=call.milestones | {Milestone.FAR_ENTERED}))
    return call, []


def _leg_entered(call: Call, ref: LegRef) -> Decision:
    leg = call.leg
    if leg is None or leg.ref != ref:
        return call, []
    return advance(replace(call, leg=replace(leg, milestones=leg.milestones | {Milestone.EXTERNAL_MEDIA_ENTERED})))


@leads_to()
def stasis_ended(call: Call, event: events.StasisEnded) -> Decision:
    """Its destruction follows, with the cause; if it does not, the channel continues elsewhere in the dialplan."""
    match event.target:
        case PartyRef(number):
            return parties.left_stasis(call, number)
        case LegRef():
            lost_in_set_up = call.is_present(event.target) and Milestone.ANSWER_SENT not in call.milestones
            return call, [StartTimer(Timer.EXPLAIN)] if lost_in_set_up else []
    if event.resource is Resource.PHONE:
        return call, []
    if event.resource is Resource.NEAR:
        return call, [] if call.left_outcome else [StartTimer(Timer.EXPLAIN)]
    return replace(call, milestones=call.milestones | {Milestone.FAR_LEFT}), [StartTimer(Timer.EXPLAIN)]


@leads_to(*ENDS)
def channel_destroyed(call: Call, event: events.ChannelDestroyed) -> Decision:
    if isinstance(event.target, PartyRef):
        return parties.channel_destroyed(call, event.target.number, event)
    call = without_resource(call, event.resource, event.target)
    if isinstance(event.target, LegRef):
        return _leg_destroyed(call, event.target, event)
    answered = call.state is UP
    if event.resource is Resource.PHONE:
        return phones.phone_ended(call, event)
    if event.resource is Resource.NEAR:
        return (call, []) if call.left_outcome else near.hung_up(call, event.at, Cause(event.q850, event.text))
    if call.direction is Direction.INBOUND and not answered:
        return end(call, event.at, *caller_gave_up(event.q850, event.text, requested=call.hangup_q850))
    sip_status_missing = not (answered or event.sip or call.redirected_to) and event.name
    if sip_status_missing and call.reached & {Milestone.EXTERNAL_MEDIA_BRIDGED, Milestone.NEAR_BRIDGED}:
        return replace(call, milestones=call.milestones | {Milestone.FAR_LEFT}), [AskSipStatus(event)]
    outcome, cause = far_ended(
        event.q850,
        event.text,
        call.dial_status,
        requested=call.hangup_q850,
        sip=event.sip,
        forward=call.redirected_to,
        rang=call.ringing_at is not None,
        answered=answered,
    )
    return parties.far_destroyed(call, event.at, outcome, cause)


def _leg_destroyed(call: Call, ref: LegRef, event: events.ChannelDestroyed) -> Decision:
    if not call.is_present(ref):
        return call, []
    if survives_leg_loss(call):
        return lose_media(call, event.at, "the external media channel ended")
    cause = Cause(event.q850, "the external media channel ended", detail=Detail.MEDIA_SETUP)
    return end(call, event.at, Outcome.FAILED_MEDIA, cause)


@leads_to(ENDED)
def channel_destroyed_late(call: Call, event: events.ChannelDestroyed) -> Decision:
    if isinstance(event.target, PartyRef):
        return clear_still_connected(*parties.channel_destroyed(call, event.target.number, event))
    return clear_still_connected(*release(without_resource(call, event.resource, event.target)))


@leads_to(UP)
def far_answers(call: Call, event: events.FarAnswered) -> Decision:
    if call.direction is Direction.INBOUND:
        return call, []  # we answer a caller, not the far side
    call, notifications = enter_state(
        replace(call, answered_at=event.at, milestones=call.milestones | {Milestone.FAR_ANSWERED}), UP
    )
    return call, [*notifications, *watch_media(call)]


@leads_to()
def far_fails(call: Call, event: events.FarFailed) -> Decision:
    return replace(call, dial_status=event.dial_status, redirected_to=event.forward or call.redirected_to), []


@leads_to()
def far_hangs_up(call: Call, event: events.FarHangsUp) -> Decision:
    return replace(call, hangup_q850=event.q850), []


@leads_to()
def far_digit(call: Call, event: events.FarDigit) -> Decision:
    return call, [Notify(DigitReceived(event.digit))]


@leads_to()
def far_holds(call: Call, event: events.FarHeld) -> Decision:
    return replace(call, held_by_far=event.held), [Notify(HoldChanged(by_us=False))]


@leads_to(*ENDS)
def pbx_lost(call: Call, event: events.PbxLost) -> Decision:
    return end(call, event.at, Outcome.FAILED_PBX, Cause(text=event.reason))
