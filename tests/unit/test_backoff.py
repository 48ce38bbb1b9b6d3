"""Delays between attempts."""

import pytest

from ari_bridge.backoff import Backoff, delay, jittered


@pytest.mark.parametrize(("failures", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 16), (6, 30), (10**9, 30)])
def test_a_delay_doubles_up_to_the_longest(failures: int, seconds: float) -> None:
    assert delay(failures, 1.0, 30.0) == seconds


def test_jitter_stays_within_its_share() -> None:
    delays = [jittered(10.0, 0.2) for _ in range(1000)]
    assert 8.0 <= min(delays) < 9.0 and 11.0 < max(delays) <= 12.0


def test_a_success_starts_it_over() -> None:
    backoff = Backoff(1.0, 4.0, jitter=0.0)
    assert [backoff.next() for _ in range(4)] == [1.0, 2.0, 4.0, 4.0]
    backoff.reset()
    assert backoff.next() == 1.0
