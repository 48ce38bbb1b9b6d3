"""The legs that a call has called out: its far side, and each party that it called or that another call gave over."""

from dataclasses import dataclass

from ari_bridge.fsm.call import Call, Milestone, Resource
from ari_bridge.ids import Kind, parse_resource_id


@dataclass(frozen=True, slots=True)
class OutgoingLeg:
    """Times are Unix seconds.

    Args:
        channel: Its ARI channel id, the same when another call gives it over.
        number: The number as it was dialled.
        present: It is called, or talks, and is not being released.
        answered: It has been answered.
        ended_at: When it ended; None if that is not known, or it has not.
    """

    channel: str
    number: str
    present: bool
    answered: bool
    ended_at: float | None


def outgoing_legs(call: Call) -> list[OutgoingLeg]:
    """Also those that have ended. What the far side reports of itself counts for nothing."""
    legs = []
    if call.endpoint:
        gone = Milestone.FAR_LEFT in call.milestones or Resource.FAR in call.releasing or not call.state.live
        answered = call.answered_at is not None
        legs.append(OutgoingLeg(call.far_channel, call.target, not gone, answered, call.ended_at))
    for party in call.parties:
        if party.endpoint or _is_called_out(party.channel):
            present, answered = party.present and call.state.live, party.answered_at is not None
            legs.append(OutgoingLeg(party.channel, party.target, present, answered, party.ended_at or call.ended_at))
    return legs


def _is_called_out(channel: str) -> bool:
    """Whether it is one that we made: a caller's has Asterisk's own id."""
    parsed = parse_resource_id(channel)
    return parsed is not None and parsed[1] is Kind.FAR
