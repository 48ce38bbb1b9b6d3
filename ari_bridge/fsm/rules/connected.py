"""Rules of the connected line: who is at the other end, as Asterisk reports it (ITU-T I.251.5, RFC 5876). Pure.

`Call.target` and `Call.caller` keep what was dialled and who called; the connected line is kept beside them.
"""

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, Notify, UpdateCaller
from ari_bridge.fsm.call import Call, CallState, Direction, LegRef, Party, PartyRef, Resource, Target
from ari_bridge.fsm.decisions import Decision, leads_to, with_party
from ari_bridge.fsm.notifications import PartyChanged
from ari_bridge.fsm.rules.parties import FAR_PARTY, far_identity, near_identity

ANONYMOUS_NUMBERS = frozenset({"", "s", "anonymous", "unavailable", "unknown", "restricted", "private"})
"""Numbers of hidden callers, and what a dialplan without a number sends in its place."""


@leads_to()
def connected_line_changed(call: Call, event: events.ConnectedLineChanged) -> Decision:
    return identified(call, event.resource, event.target, event.number, event.name)


def identified(call: Call, resource: Resource, target: Target, number: str, name: str) -> Decision:
    """The call with the identity that a channel of it reports; a known or an anonymous one changes nothing."""
    if number.lower() in ANONYMOUS_NUMBERS:
        return call, []
    match resource:
        case Resource.EXTERNAL_MEDIA | Resource.NEAR:
            facing, earlier = _only_other_party(call), isinstance(target, LegRef) and not call.is_present(target)
            if earlier or facing is None or number == near_identity(call)[0]:
                return call, []  # an earlier leg; several others; or our own number, as two of our legs meet
            return _party(call, facing, number, name) if facing.number != FAR_PARTY else _far(call, number, name)
        case Resource.PARTY if isinstance(target, PartyRef):
            party = call.party(target.number)
            return _party(call, party, number, name) if party and party.present else (call, [])
    return _far(call, number, name)


def _far(call: Call, number: str, name: str) -> Decision:
    known, known_name = far_identity(call)
    if number == known and name in ("", known_name):
        return call, []
    call = replace(call, far_number=number, far_name=name)
    actions: list[Action] = [Notify(PartyChanged(FAR_PARTY))]
    if call.direction is Direction.INBOUND and call.state in (CallState.TRYING, CallState.RINGING):
        actions = [UpdateCaller()]
    return call, actions


def _party(call: Call, party: Party, number: str, name: str) -> Decision:
    """A party keeps the number that was dialled: people, and the protocol, know it by that."""
    name = name or ("" if number == party.target else number)
    if not name or name == party.name:
        return call, []
    return with_party(call, replace(party, name=name)), [Notify(PartyChanged(party.number))]


_FAR_AS_PARTY = Party(FAR_PARTY, "", "", 0.0)


def _only_other_party(call: Call) -> Party | None:
    """The only participant in the bridge besides our side: the far side (as a party with its number), or a party."""
    others = [_FAR_AS_PARTY] if call.far_present else []
    others += [party for party in call.parties if party.talking]
    return others[0] if len(others) == 1 else None
