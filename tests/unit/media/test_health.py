"""Whether a node is up, whether it is trusted with calls, and which node is picked."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.media.node_monitor import (
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Breaker,
    NodeMonitor,
    State,
    least_loaded,
)


def pulse_after(story: str) -> list[State]:
    """The states after each of: a(nswered), m(issed), r(efused), w(orked)."""
    pulse = NodeMonitor()
    states = []
    for happened in story:
        before = pulse.state
        changed = {
            "a": pulse.answered,
            "m": lambda: pulse.missed("silent"),
            "r": lambda: pulse.refused("nobody listens"),
            "w": pulse.worked,
        }[happened]()
        assert changed is (pulse.state is not before)
        assert bool(pulse.reason) is (pulse.state is State.DOWN)
        states.append(pulse.state)
    return states


NEW, UP, DOWN = State.UNKNOWN, State.UP, State.DOWN


@pytest.mark.parametrize(
    ("story", "states"),
    [
        ("a", [UP]),
        ("mm", [NEW, DOWN]),
        ("r", [DOWN]),
        ("ma", [NEW, UP]),
        ("ammaa", [UP, UP, DOWN, DOWN, UP]),
        ("amamam", [UP] * 6),  # one in two is lost: bad, but there
        ("araa", [UP, DOWN, DOWN, UP]),
        ("raraa", [DOWN, DOWN, DOWN, DOWN, UP]),
        ("ramaa", [DOWN, DOWN, DOWN, DOWN, UP]),
        ("rw", [DOWN, UP]),
        ("rwm", [DOWN, UP, UP]),
    ],
)
def test_up_and_down(story: str, states: list[State]) -> None:
    assert pulse_after(story) == states


@given(st.text("amrw", max_size=30))
def test_two_misses_or_a_refusal_are_always_the_end_of_it(story: str) -> None:
    assert pulse_after(f"{story}mm")[-1] is DOWN
    assert pulse_after(f"{story}r")[-1] is DOWN
    assert pulse_after(f"{story}aa")[-1] is UP


def test_a_node_that_owes_an_answer_is_suspect() -> None:
    pulse = NodeMonitor()
    pulse.answered()
    assert not pulse.suspect
    pulse.doubt()
    assert pulse.suspect and pulse.state is UP
    pulse.answered()
    assert not pulse.suspect
    pulse.missed("silent")
    assert pulse.suspect and pulse.state is UP
    pulse.worked()
    assert not pulse.suspect


def test_a_node_whose_offers_fail_is_left_alone_for_a_while() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed(100.0)
    assert breaker.lets_in(100.0, at_once=7)
    breaker.failed(100.0)
    assert not breaker.lets_in(100.0 + FIRST_PAUSE - 0.1, at_once=0)
    assert breaker.lets_in(100.0 + FIRST_PAUSE, at_once=0)
    assert not breaker.lets_in(100.0 + FIRST_PAUSE, at_once=1)  # one alone tries it
    breaker.worked()
    assert breaker.lets_in(100.0 + FIRST_PAUSE, at_once=7)


def test_the_pause_grows_while_the_tries_fail() -> None:
    breaker, now, pauses = Breaker(), 0.0, []
    for _ in range(FAILURES - 1):
        breaker.failed(now)
    for _ in range(6):
        breaker.failed(now)
        breaker.failed(now)  # one that was under way as well counts for nothing
        began = now
        while not breaker.lets_in(now, at_once=0):
            now += 1.0
        pauses.append(now - began)
    assert pauses == [FIRST_PAUSE, 10.0, 20.0, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


@dataclass
class Thing:
    name: str
    load: int
    weight: int = 1


@pytest.mark.parametrize(
    ("things", "picked"),
    [
        ([], None),
        ([Thing("a", 0), Thing("b", 0)], "a"),
        ([Thing("a", 1), Thing("b", 0)], "b"),
        ([Thing("a", 5), Thing("b", 8, 2)], "b"),
        ([Thing("a", 5), Thing("b", 12, 2)], "a"),
    ],
)
def test_the_least_loaded(things: list[Thing], picked: str | None) -> None:
    found = least_loaded(things)
    assert (found.name if found else None) == picked


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), st.integers(0, 200))
def test_loads_follow_the_weights(weights: list[int], calls: int) -> None:
    things = [Thing(str(number), 0, weight) for number, weight in enumerate(weights)]
    for _ in range(calls):
        taken = least_loaded(things)
        assert taken
        taken.load += 1
    for thing in things:
        assert abs(thing.load - calls * thing.weight / sum(weights)) <= max(weights)
