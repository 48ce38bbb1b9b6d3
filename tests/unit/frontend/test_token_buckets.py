"""How often something may be done."""

import time

import pytest

from frontend.http.token_buckets import Rate, TokenBuckets


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_burst_then_the_rate(clock: list[float]) -> None:
    buckets = TokenBuckets(Rate(per_second=2, burst=3))
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b") == 0, "another key has its own"
    clock[0] += 0.5
    assert [buckets.take("a") for _ in range(2)] == [0, 0.5]
    assert buckets.of("a").refused == 1
    clock[0] += 60
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_flood_of_keys_is_forgotten(clock: list[float]) -> None:
    buckets = TokenBuckets(Rate(per_second=1, burst=1), most=100)
    for number in range(10_000):
        buckets.take(number)
    assert len(buckets) == 100
    clock[0] += 60
    for number in range(100):
        buckets.take(f"later {number % 3}")
    assert len(buckets) < 100, "those that are full again are forgotten"
    for number in range(100):
        buckets.take(f"later {number}")
    assert len(buckets) <= 100


def test_the_one_that_is_used_is_kept(clock: list[float]) -> None:
    buckets = TokenBuckets(Rate(per_second=0.001, burst=5), most=10)
    for number in range(1000):
        buckets.take("flood")
        buckets.take(number)
    assert buckets.of("flood").refused == 995
