"""Who is at the other end, as Asterisk tells it: the connected line (ITU-T I.251.5, RFC 5876 for SIP).

What was dialled, and who has called, stays in `Call.target` and `Call.caller`; who is talked to is beside it. Pure.
"""

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, Notify, UpdateCaller
from ari_bridge.fsm.call import Call, CallState, Direction, Party, Resource
from ari_bridge.fsm.decisions import Decision, leads_to, with_party
from ari_bridge.fsm.notifications import PartyChanged
from ari_bridge.fsm.rules.parties import FAR_PARTY, far_identity

ANONYMOUS_NUMBERS = frozenset({"", "s", "anonymous", "unavailable", "unknown", "restricted", "private"})
"""Numbers that name nobody: who hides, and what a dialplan that has no number puts there."""


@leads_to()
def connected_line_changed(call: Call, event: events.ConnectedLineChanged) -> Decision:
    return identified(call, event.resource, event.instance, event.number, event.name)


def identified(call: Call, resource: Resource, leg: int, number: str, name: str) -> Decision:
    """The call with whom its channel names. What is no news, and what names nobody, changes nothing."""
    if number.lower() in ANONYMOUS_NUMBERS:
        return call, []
    if resource is Resource.EXTERNAL_MEDIA:
        facing = _only_other_party(call)
        if leg != call.leg or facing is None or number == _own_number(call):
            return call, []  # of a leg that is gone; of several, it is not told whom it means; or our own legs meet
        return _party(call, facing, number, name) if facing.number != FAR_PARTY else _far(call, number, name)
    if resource is Resource.PARTY:
        party = call.party(leg)
        return _party(call, party, number, name) if party and party.present else (call, [])
    return _far(call, number, name)


def _far(call: Call, number: str, name: str) -> Decision:
    known, known_as = far_identity(call)
    if number == known and name in ("", known_as):
        return call, []
    call = replace(call, far_number=number, far_name=name)
    actions: list[Action] = [Notify(PartyChanged(FAR_PARTY))]
    if call.direction is Direction.INBOUND and call.state in (CallState.TRYING, CallState.RINGING):
        actions = [UpdateCaller()]
    return call, actions


def _party(call: Call, party: Party, number: str, name: str) -> Decision:
    """A party keeps the number that was dialled: by it people, and the protocol, know whom they have called."""
    name = name or ("" if number == party.target else number)
    if not name or name == party.name:
        return call, []
    return with_party(call, replace(party, name=name)), [Notify(PartyChanged(party.number))]


_FAR_AS_PARTY = Party(FAR_PARTY, "", "", 0.0)


def _only_other_party(call: Call) -> Party | None:
    """The only one in the bridge besides our side: the far side (as a party with its number), or the last one left."""
    others = [_FAR_AS_PARTY] if call.far_present else []
    others += [party for party in call.parties if party.talking]
    return others[0] if len(others) == 1 else None


def _own_number(call: Call) -> str:
    """What our media leg calls itself in Asterisk: see `peers.perform`."""
    return call.caller if call.direction is Direction.OUTBOUND else call.user or call.target
