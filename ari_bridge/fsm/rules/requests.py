"""Rules of what our users request of a call: placing, accepting, declining, hanging up, digits. Pure."""

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import SendDigits, StartTimer, StopRinging
from ari_bridge.fsm.call import Call, Direction, Milestone
from ari_bridge.fsm.decisions import ACCEPTING, ENDS, RINGING, TRYING, UP, Decision, advance, end, enter_state, leads_to
from ari_bridge.fsm.events import Timer
from ari_bridge.fsm.rules.media import start_leg, use_prepared_leg
from ari_bridge.fsm.rules.phones import release_phone
from ari_bridge.fsm.rules.refusals import refuse
from ari_bridge.outcomes import Outcome


@leads_to()
def place(call: Call, event: events.Placed) -> Decision:
    call, answer = use_prepared_leg(call, event.prepared) if event.prepared else (call, [])
    call, steps = advance(call)
    return call, [*answer, *steps, StartTimer(Timer.SETUP), StartTimer(Timer.RING)]


@leads_to(ACCEPTING)
def accept(call: Call, event: events.Accepted) -> Decision:
    if call.direction is Direction.OUTBOUND:
        return refuse.apply(call, event)
    call = replace(
        call,
        user=event.user,
        session=event.session,
        metadata=event.metadata,
        prefer=event.prefer or call.prefer,
        milestones=call.milestones | {Milestone.ACCEPTED},
    )
    call, notifications = enter_state(call, ACCEPTING)
    call, answer = use_prepared_leg(call, event.prepared) if event.prepared else (start_leg(call, event.offer), [])
    call, steps = advance(call)
    call, hangs_up = release_phone(call)
    stops = [*hangs_up, StopRinging(None, "accepted_elsewhere")]
    return call, [*answer, *steps, *notifications, *stops, StartTimer(Timer.SETUP)]


@leads_to(*ENDS)
def decline(call: Call, event: events.Declined) -> Decision:
    if call.direction is Direction.OUTBOUND:
        return refuse.apply(call, event)
    remaining = call.users - {event.user}
    if not remaining:
        return end(call, event.at, Outcome.REJECTED, dialplan_status="DECLINED")
    return replace(call, users=remaining), [StopRinging(event.user, "declined")]


@leads_to(*ENDS)
def hang_up(call: Call, event: events.HungUp) -> Decision:
    if call.state is UP:
        return end(call, event.at, Outcome.COMPLETED)
    if call.direction is Direction.INBOUND and call.state in (TRYING, RINGING):
        return end(call, event.at, Outcome.REJECTED, dialplan_status="DECLINED")
    return end(call, event.at, Outcome.CANCELLED)


@leads_to()
def send_digits(call: Call, event: events.DigitsPressed) -> Decision:
    """While it rings, only if the far side may send sound: it may expect digits before it answers."""
    if call.state is RINGING and Milestone.FAR_PROGRESSED not in call.milestones:
        return refuse.apply(call, event)
    return call, [SendDigits(event.digits)]
