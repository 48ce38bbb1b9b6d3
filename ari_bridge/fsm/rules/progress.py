"""Rules of call progress: when the caller hears ringback, and when early media of the far side. Pure.

RFC 3960 section 3.2: ringback is generated locally until the first RTP packet of the far side or its answer, in
whatever order 180, 183 and the packets arrive. So the caller hears ringback in RINGING, and the far side in EARLY.
A SIP client decides that for itself: its call stays in RINGING.
"""

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.call import Call, Direction, Milestone
from ari_bridge.fsm.decisions import EARLY, RINGING, Decision, await_early_media, enter_state, leads_to


@leads_to(RINGING)
def far_rings(call: Call, event: events.FarRinging) -> Decision:
    if call.direction is Direction.INBOUND:
        return call, []  # we answer a caller, not the far side
    return _rings(call, event.at)


@leads_to(RINGING)
def far_progresses(call: Call, event: events.FarProgress) -> Decision:
    """A 183 alone does not end the ringback: there may be no sound (RFC 3960 section 3.2)."""
    if call.direction is Direction.INBOUND:
        return call, []  # we answer a caller, not the far side
    call = replace(call, milestones=call.milestones | {Milestone.FAR_PROGRESSED})
    if call.state is not RINGING:
        return _rings(call, event.at)
    return call, await_early_media(call)


def _rings(call: Call, at: float) -> Decision:
    call, notifications = enter_state(replace(call, ringing_at=at), RINGING)
    return call, [*notifications, *await_early_media(call)]


@leads_to(EARLY)
def early_media(call: Call, event: events.EarlyMedia) -> Decision:
    return (call, []) if call.direction is Direction.INBOUND else enter_state(call, EARLY)
