"""Whether a node is up, whether it is trusted with calls, and which node is picked."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.media.node_health import (
    FIRST_PAUSE_S,
    MAX_FAILURES,
    MAX_PAUSE_S,
    NodeHealth,
    OfferBreaker,
    State,
    least_loaded,
)


def states_after(story: str) -> list[State]:
    """The states after each of: a(nswered), m(issed), r(efused), w(orked)."""
    health = NodeHealth()
    states = []
    for happened in story:
        before = health.state
        changed = {
            "a": health.answered,
            "m": lambda: health.missed("silent"),
            "r": lambda: health.port_closed("port closed"),
            "w": health.worked,
        }[happened]()
        assert changed is (health.state is not before)
        assert bool(health.reason) is (health.state is State.DOWN)
        states.append(health.state)
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
    assert states_after(story) == states


@given(st.text("amrw", max_size=30))
def test_two_misses_or_a_refusal_are_always_the_end_of_it(story: str) -> None:
    assert states_after(f"{story}mm")[-1] is DOWN
    assert states_after(f"{story}r")[-1] is DOWN
    assert states_after(f"{story}aa")[-1] is UP


def test_a_node_that_owes_an_answer_is_suspect() -> None:
    health = NodeHealth()
    health.answered()
    assert not health.suspect
    health.mark_suspect()
    assert health.suspect and health.state is UP
    health.answered()
    assert not health.suspect
    health.missed("silent")
    assert health.suspect and health.state is UP
    health.worked()
    assert not health.suspect


def test_a_node_whose_offers_fail_is_left_alone_for_a_while() -> None:
    breaker = OfferBreaker()
    for _ in range(MAX_FAILURES - 1):
        breaker.failed(100.0)
    assert breaker.allows(100.0, pending_offers=7)
    breaker.failed(100.0)
    assert not breaker.allows(100.0 + FIRST_PAUSE_S - 0.1, pending_offers=0)
    assert breaker.allows(100.0 + FIRST_PAUSE_S, pending_offers=0)
    assert not breaker.allows(100.0 + FIRST_PAUSE_S, pending_offers=1)  # one alone tries it
    breaker.succeeded()
    assert breaker.allows(100.0 + FIRST_PAUSE_S, pending_offers=7)


def test_the_pause_grows_while_the_tries_fail() -> None:
    breaker, now, pauses = OfferBreaker(), 0.0, []
    for _ in range(MAX_FAILURES - 1):
        breaker.failed(now)
    for _ in range(6):
        breaker.failed(now)
        breaker.failed(now)  # one that was under way as well counts for nothing
        began = now
        while not breaker.allows(now, pending_offers=0):
            now += 1.0
        pauses.append(now - began)
    assert pauses == [FIRST_PAUSE_S, 10.0, 20.0, MAX_PAUSE_S, MAX_PAUSE_S, MAX_PAUSE_S]


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
