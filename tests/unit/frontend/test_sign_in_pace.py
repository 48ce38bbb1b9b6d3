"""How fast wrong passwords may be tried, and who is not held up by others' wrong ones."""

import pytest

from frontend.auth.sign_in_pace import (
    FAILURE_WINDOW_S,
    MAX_DELAY_S,
    MAX_REMEMBERED,
    NAME_FROM_NETWORK,
    SignInPace,
    network_of,
)


def wrong(pace: SignInPace, name: str, network: str, now: float, times: int = 1) -> list[float]:
    """The delays of so many wrong tries, all at once."""
    return [pace.begin(name, network, now).delay for _ in range(times)]


def right(pace: SignInPace, name: str, network: str, now: float) -> float:
    made = pace.begin(name, network, now)
    pace.right(made)
    return made.delay


def test_ten_wrong_ones_cost_nothing_and_the_next_are_paced() -> None:
    pace = SignInPace()
    assert wrong(pace, "1001", "a", 0.0, 15) == [0.0] * 11 + [1.0, 2.0, 3.0, 4.0]
    assert pace.begin("1001", "a", 100.0).delay == 0.0  # whoever waited is not made to wait again


def test_who_guesses_on_is_slowed_down_and_never_shuts_anybody_out() -> None:
    pace, now = SignInPace(), 0.0
    for _ in range(500):
        delay = pace.begin("1001", "a", now).delay
        assert delay <= MAX_DELAY_S
        now += delay + 0.01
    assert now > 400 * NAME_FROM_NETWORK.longest
    assert right(pace, "1001", "a", now) <= MAX_DELAY_S


def test_a_try_that_would_wait_too_long_takes_no_turn_from_others() -> None:
    pace = SignInPace()
    delays = wrong(pace, "1001", "a", 0.0, 100)
    assert max(delays) > MAX_DELAY_S
    assert pace.begin("1001", "a", max(delays)).delay == 0.0


def test_wrong_ones_of_one_name_hold_up_nobody_else_at_the_address() -> None:
    pace = SignInPace()
    wrong(pace, "1001", "office", 0.0, 50)
    assert [right(pace, name, "office", 1.0) for name in ("1002", "1003", "1004")] == [0.0] * 3


def test_wrong_ones_from_anywhere_do_not_shut_out_the_name() -> None:
    pace = SignInPace()
    right(pace, "1001", "home", 0.0)
    for number in range(300):
        wrong(pace, "1001", f"elsewhere {number}", 1.0)
    assert pace.begin("1001", "home", 1.0).delay == 0.0, "where it has signed in before, at once"
    assert right(pace, "1001", "a hotel", 1.0 + MAX_DELAY_S + 1.0) == 0.0, "elsewhere, in its turn"


def test_many_machines_that_guess_one_name_are_paced_together() -> None:
    pace, now, tried = SignInPace(), 0.0, 0
    for number in range(1000):
        delay = pace.begin("1001", f"machine {number}", now).delay
        tried += delay <= MAX_DELAY_S
        now += 0.1
    assert tried < 50 + now + 10


def test_one_that_tries_many_names_is_paced() -> None:
    pace = SignInPace()
    delays = [wrong(pace, f"user{number}", "a", 0.0)[0] for number in range(120)]
    assert delays[:100] == [0.0] * 100 and delays[105] > 0
    assert wrong(pace, "1001", "b", 0.0) == [0.0]


def test_right_ones_do_not_count() -> None:
    pace = SignInPace()
    assert [right(pace, f"user{number}", "office", 0.0) for number in range(500)] == [0.0] * 500
    assert [right(pace, "1001", "office", 0.0) for _ in range(100)] == [0.0] * 100


def test_a_right_one_forgives_the_wrong_ones_before_it() -> None:
    pace = SignInPace()
    for _ in range(5):
        assert wrong(pace, "1001", "a", 0.0, 9) == [0.0] * 9
        assert right(pace, "1001", "a", 0.0) == 0.0


def test_wrong_ones_are_forgotten() -> None:
    pace = SignInPace()
    wrong(pace, "1001", "a", 0.0, 12)
    assert wrong(pace, "1001", "a", FAILURE_WINDOW_S + 20, 10) == [0.0] * 10


def test_what_is_remembered_has_a_bound_and_an_age() -> None:
    pace = SignInPace()
    for number in range(MAX_REMEMBERED + 500):
        wrong(pace, f"user{number}", f"network{number}", 0.0)
        right(pace, f"user{number}", f"network{number}", 0.0)
    kept = (pace._pairs, pace._names, pace._networks, pace._known)
    assert all(len(one) <= MAX_REMEMBERED for one in kept)
    wrong(pace, "1001", "a", 2 * FAILURE_WINDOW_S)
    assert [len(one) for one in kept[:3]] == [1, 1, 1]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a" * 100_000, "a" * 64),
    ],
)
def test_who_counts_as_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_who_signs_in_every_day_goes_before_those_who_guess() -> None:
    pace = SignInPace()
    pace.right(pace.begin("1001", "home", 0.0))
    for number in range(200):
        pace.begin("1001", f"botnet {number}", 1.0)
    assert pace.rank("1001", "home", 2.0) == 0
    assert pace.rank("1001", "hotel", 2.0) == 1
    assert pace.rank("1001", "botnet 7", 2.0) == 2
    assert pace.rank("1001", "botnet 7", 2.0 + FAILURE_WINDOW_S) == 1, "it is forgotten after a while"
