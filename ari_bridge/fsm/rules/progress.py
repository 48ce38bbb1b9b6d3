"""Rules of what the far side tells before it answers: when the caller hears ringback, and when the far side itself.

RFC 3960 section 3.2: ringback is made here until the first RTP packet of the far side, or its answer, in whatever order
180, 183 and the packets come. So RINGING is what the caller hears ringback in, and EARLY what he hears the far side in.
Pure.
"""

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import AwaitEarlyMedia
from ari_bridge.fsm.call import Call, Direction, Milestone
from ari_bridge.fsm.decisions import EARLY, RINGING, Decision, enter_state, leads_to


@leads_to(RINGING)
def far_rings(call: Call, event: events.FarRinging) -> Decision:
    if call.direction is Direction.INBOUND:
        return call, []  # it is us who answer a caller
    return _rings(call, event.at)


@leads_to(RINGING)
def far_progresses(call: Call, event: events.FarProgress) -> Decision:
    """Ringback until the first RTP packet or the answer (RFC 3960 section 3.2): a 183 alone is not heard."""
    if call.direction is Direction.INBOUND:
        return call, []  # it is us who answer a caller
    call = replace(call, milestones=call.milestones | {Milestone.FAR_PROGRESSED})
    return (call, [AwaitEarlyMedia()]) if call.state is RINGING else _rings(call, event.at)


def _rings(call: Call, at: float) -> Decision:
    call, told = enter_state(replace(call, ringing_at=at), RINGING)
    return call, [*told, AwaitEarlyMedia()]


@leads_to(EARLY)
def early_media(call: Call, event: events.EarlyMedia) -> Decision:
    return (call, []) if call.direction is Direction.INBOUND else enter_state(call, EARLY)
