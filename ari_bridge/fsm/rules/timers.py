"""The rule of a timer that has expired. Pure."""

from ari_bridge.fsm import events, setup_plan
from ari_bridge.fsm.call import Call, Direction, Milestone
from ari_bridge.fsm.decisions import EARLY, ENDS, RINGING, TRYING, UP, Decision, end, forward_status, leads_to
from ari_bridge.fsm.events import Timer
from ari_bridge.fsm.rules import parties
from ari_bridge.fsm.rules.media import (
    grace_expired,
    lose_media,
    media_timer_fired,
    music_timer_fired,
    survives_leg_loss,
)
from ari_bridge.outcomes import Cause, Detail, Outcome, caller_gave_up

_ANSWERED = {Milestone.MEDIA_OFFERED, Milestone.MEDIA_ANSWERED}


@leads_to(*ENDS)
def timer(call: Call, event: events.TimerFired) -> Decision:
    if event.timer is Timer.PARTY:
        return parties.ring_timeout(call, event.party, event.at)
    if event.timer is Timer.EXPLAIN and event.party:
        return parties.unexplained(call, event.party, event.at)
    if event.timer is Timer.EXPLAIN and call.state is UP and Milestone.FAR_LEFT in call.milestones:
        cause = Cause(text="the channel left the application without a cause")
        return parties.far_destroyed(call, event.at, Outcome.COMPLETED, cause)
    if event.timer is Timer.EXPLAIN:
        outcome, cause = Outcome.FAILED_PBX, Cause(text="the channel left the application without a cause")
        if call.state is UP:
            outcome = Outcome.COMPLETED
        elif call.direction is Direction.INBOUND and Milestone.FAR_LEFT in call.milestones:
            outcome, cause = caller_gave_up(0, cause.text, requested=call.hangup_q850)
        return end(call, event.at, outcome, cause)
    if event.timer is Timer.RING and call.state in (TRYING, RINGING, EARLY):
        status = forward_status(call.forward, "NOANSWER") if call.direction is Direction.INBOUND else ""
        return end(call, event.at, Outcome.NO_ANSWER, Cause(19, "nobody answered in time", 480), status)
    if event.timer is Timer.GRACE:
        return grace_expired(call, event.at)
    if event.timer is Timer.MUSIC:
        return music_timer_fired(call)
    if event.timer is Timer.MEDIA:
        return media_timer_fired(call, event.ran)
    if event.timer is Timer.SETUP and not call.media_lost and not setup_plan.complete(call):
        if survives_leg_loss(call):
            return lose_media(call, event.at, "new media took too long")
        unanswered = call.leg is not None and not _ANSWERED <= call.leg.milestones
        outcome = Outcome.FAILED_MEDIA if unanswered else Outcome.FAILED_PBX
        detail = Detail.MEDIA_SETUP if unanswered else None
        return end(call, event.at, outcome, Cause(text="the set-up took too long", detail=detail))
    return call, []
