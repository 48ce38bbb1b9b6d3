"""When no new calls are begun."""

import pytest

from ari_bridge.ari.circuit_breaker import (
    FIRST_PAUSE_S,
    MAX_PAUSE_S,
    MIN_CONCURRENT,
    QUIET_S,
    SAMPLE_COUNT,
    SLOW_S,
    CircuitBreaker,
)


class Clock:
    """A breaker with a clock of its own, and requests of a given length, one after the other."""

    def __init__(self) -> None:
        self.breaker = CircuitBreaker()
        self.now = 1000.0

    def request(self, seconds: float = 0.01, *, timed_out: bool = False, at_once: int = 1) -> None:
        began = self.now
        self.now += seconds
        self.breaker.ended(began, self.now, timed_out=timed_out, at_once=at_once)

    def time_out(self, times: int = 3) -> None:
        for _ in range(times):
            self.request(4.0, timed_out=True)

    def probe(self, *, answered: bool) -> None:
        self.now += self.breaker.until_probe(self.now)
        self.breaker.probed(self.now, answered=answered)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_three_timeouts_in_a_row_open_it(clock: Clock) -> None:
    clock.time_out(2)
    assert clock.breaker.closed
    clock.time_out(1)
    assert clock.breaker.reason == "it left 3 requests in a row without an answer"
    assert clock.breaker.until_probe(clock.now) == FIRST_PAUSE_S


def test_an_answer_between_breaks_the_row(clock: Clock) -> None:
    for _ in range(10):
        clock.time_out(2)
        clock.request()
    assert clock.breaker.closed


def test_slow_with_many_at_once_opens_it(clock: Clock) -> None:
    for _ in range(SAMPLE_COUNT):
        assert clock.breaker.closed
        clock.request(1.5, at_once=MIN_CONCURRENT)
    assert clock.breaker.reason == f"it takes 1.5 s for a request, with {MIN_CONCURRENT} at once"


def test_slow_with_few_at_once_does_not(clock: Clock) -> None:
    for _ in range(5 * SAMPLE_COUNT):
        clock.request(1.5, at_once=MIN_CONCURRENT - 1)
    assert clock.breaker.closed


def test_some_slow_ones_among_many_quick_ones_do_not(clock: Clock) -> None:
    for number in range(5 * SAMPLE_COUNT):
        clock.request(3.0 if number % 3 == 0 else 0.01, at_once=100)
    assert clock.breaker.closed


def test_what_was_slow_long_ago_does_not_count(clock: Clock) -> None:
    for _ in range(SAMPLE_COUNT - 1):
        clock.request(1.5, at_once=1)
    clock.now += QUIET_S
    clock.request(1.5, at_once=100)
    assert clock.breaker.closed


def test_an_answered_probe_closes_it(clock: Clock) -> None:
    clock.time_out()
    clock.probe(answered=True)
    assert clock.breaker.closed and clock.breaker.until_probe(clock.now) == 0
    clock.time_out(2)
    assert clock.breaker.closed, "what was before is forgotten"


def test_it_stays_open_for_longer_each_time_up_to_a_bound(clock: Clock) -> None:
    clock.time_out()
    pauses = []
    for _ in range(7):
        pauses.append(clock.breaker.until_probe(clock.now))
        clock.probe(answered=False)
    assert pauses == [2, 4, 8, 16, 32, 32, MAX_PAUSE_S]


def test_trouble_that_comes_back_soon_holds_it_open_for_longer(clock: Clock) -> None:
    """The probe may be answered by an Asterisk whose channels are stuck."""
    clock.time_out()
    clock.probe(answered=True)
    clock.time_out()
    assert clock.breaker.until_probe(clock.now) == 2 * FIRST_PAUSE_S
    clock.probe(answered=True)
    clock.now += QUIET_S
    clock.time_out()
    assert clock.breaker.until_probe(clock.now) == FIRST_PAUSE_S


def test_requests_from_before_it_closed_tell_nothing(clock: Clock) -> None:
    clock.time_out()
    before = clock.now
    clock.probe(answered=True)
    for _ in range(5):
        clock.breaker.ended(before, clock.now + 1, timed_out=True, at_once=100)
    assert clock.breaker.closed


def test_another_connection_begins_anew(clock: Clock) -> None:
    clock.time_out()
    clock.breaker.reset(clock.now)
    assert clock.breaker.closed
    clock.time_out()
    assert clock.breaker.until_probe(clock.now) == FIRST_PAUSE_S


def test_a_late_probe_of_a_closed_one_changes_nothing(clock: Clock) -> None:
    clock.breaker.probed(clock.now, answered=False)
    assert clock.breaker.closed


def test_a_request_is_slow_before_it_times_out() -> None:
    """Else overload would show only as timeouts, when everybody has waited in vain."""
    assert SLOW_S < 4.0 / 2
