"""Who rings for a caller: preferences and presence as they are at that moment."""

import msgspec

from ari_bridge.dial_permissions import DialPermissions, NumberPlan, PermissionsFile
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.inbound_policy import InboundCallPolicy
from ari_bridge.fsm.call import Call, Direction
from ari_bridge.number_routing import Routes
from ari_bridge.outcomes import Outcome
from ari_bridge.preferences.ring_decision import RingDecision
from ari_bridge_protocol.preferences import CallPreferences
from tests.component.conftest import PagesSeen

CALLER = Call("in", Direction.INBOUND, "1001", "42", 1.0)
OWN = Call("out", Direction.OUTBOUND, "600", "1001", 1.0, user="1001")


class Wanted:
    def __init__(self, **preferences: CallPreferences) -> None:
        self._preferences = preferences

    def of(self, user: str) -> CallPreferences:
        return self._preferences.get(f"u{user}", CallPreferences())

    async def change(self, user: str, preferences: CallPreferences) -> CallPreferences:
        before, self._preferences[f"u{user}"] = self.of(user), preferences
        return before


def decide(preferences: CallPreferences, *live: Call, registered: bool = True) -> RingDecision:
    presence = PagesSeen(users=frozenset({"1001"} if registered else ()))
    gate = DialGate(DialPermissions(NumberPlan(country="DE"), PermissionsFile(None)), Routes())
    return InboundCallPolicy(Wanted(u1001=preferences), presence, gate).decide(CALLER, [CALLER, *live])


def test_the_user_who_is_called_rings() -> None:
    assert decide(CallPreferences()).users == {"1001"}


def test_who_is_not_registered_does_not_ring() -> None:
    assert decide(CallPreferences(), registered=False) == RingDecision(status="UNAVAILABLE")


def test_without_call_waiting_a_user_in_a_call_is_busy_until_it_is_left() -> None:
    no_waiting = CallPreferences(call_waiting=False)
    assert decide(no_waiting, OWN) == RingDecision(status="BUSY")
    left = Call("out", Direction.OUTBOUND, "600", "1001", 1.0, user="1001", left_outcome=Outcome.TRANSFERRED)
    assert decide(no_waiting, left).users == {"1001"}
    somebody = Call("out", Direction.OUTBOUND, "600", "1002", 1.0, user="1002")
    assert decide(no_waiting, somebody).users == {"1001"}


def test_a_forward_that_dial_permissions_refuse_is_as_none() -> None:
    """One that was set before, or written into the file by hand."""
    for number in ("+8821612345678", "09005123456", "*72", "h", "_7XXX", "0301234"):
        assert decide(CallPreferences(forward_always=number)) == decide(CallPreferences())
        assert decide(CallPreferences(forward_no_answer=number)).forward == ""
    assert decide(CallPreferences(forward_always="200")).forward == "200"


def test_phones_that_rang_and_cannot_be_reached_do_not_ring_again() -> None:
    gate = DialGate(DialPermissions(NumberPlan(country="DE"), PermissionsFile(None)), Routes())
    wanted = Wanted(u1001=CallPreferences(forward_unreachable="200"))
    policy = InboundCallPolicy(wanted, PagesSeen(), gate, lambda user: f"PJSIP/{user}")
    assert policy.decide(CALLER, [CALLER]) == RingDecision(frozenset({"1001"}), phone="PJSIP/1001")
    failed = msgspec.structs.replace(CALLER, phone="PJSIP/1001")
    assert policy.decide(failed, [failed]) == RingDecision(status="FORWARD", forward="200")
