"""However often something is refused, every refusal is counted, and few are entries."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ari_bridge.audit import Action, Actor, ActorKind, Result
from ari_bridge.audit import repeated_refusals as limits
from ari_bridge.audit.entry import Unsealed
from ari_bridge.audit.new_entry import new_entry
from ari_bridge.audit.repeated_refusals import RepeatedRefusals


def refusal(address: str, action: Action = Action.SESSION_REFUSE) -> Unsealed:
    actor = Actor(ActorKind.USER, address=address)
    return new_entry(action, "1001", result=Result.REFUSED, actor=actor, details={"reason": "wrong"})


def count(entries: list[Unsealed]) -> int:
    return sum(int(entry.details["repeated"]) for entry in entries)


def test_those_beyond_the_first_are_one_entry() -> None:
    folding = RepeatedRefusals()
    admitted = sum(folding.admit(refusal("192.0.2.1"), 0.0) for _ in range(1000))
    assert admitted == limits.MAX_PER_SOURCE
    assert folding.admit(refusal("192.0.2.2"), 0.0) and folding.admit(refusal("192.0.2.1", Action.DIAL_DENY), 0.0)
    assert folding.pending and folding.due(limits.WINDOW_S - 1) == []
    [told] = folding.due(limits.WINDOW_S)
    assert told.details == {"reason": "wrong", "repeated": 1000 - limits.MAX_PER_SOURCE}
    assert told.address == "192.0.2.1" and not folding.pending
    assert folding.admit(refusal("192.0.2.1"), limits.WINDOW_S)


def test_many_addresses_are_bounded_together_and_in_memory() -> None:
    folding = RepeatedRefusals()
    number = limits.MAX_WINDOWS * 2
    admitted = sum(folding.admit(refusal(f"2001:db8::{each:x}"), 0.0) for each in range(number))
    assert admitted <= limits.MAX_PER_ACTION * 2
    assert len(folding._windows) <= limits.MAX_WINDOWS
    assert admitted + count(folding.rest()) == number


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 30)), max_size=200))
def test_none_is_lost(refusals: list[tuple[str, float]]) -> None:
    folding, now, admitted, told = RepeatedRefusals(), 0.0, 0, 0
    for address, passed in refusals:
        now += passed
        admitted += folding.admit(refusal(address), now)
        told += count(folding.due(now))
    assert admitted + told + count(folding.rest()) == len(refusals)
