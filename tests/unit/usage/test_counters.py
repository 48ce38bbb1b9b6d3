"""Counters of a minute and a day."""

from ari_bridge.usage import Calendar, StateTable, UsageCounters

NOON = 4102488000.0  # 2100-01-01 12:00 UTC: nothing that is kept has ended


def test_a_minute_slides() -> None:
    counters = UsageCounters(StateTable(None), Calendar())
    for at in (NOON, NOON + 30, NOON + 50):
        counters.count_leg("1001", at)
    assert counters.legs_of_minute("1001", NOON + 50) == 3
    assert counters.minute_frees("1001", NOON + 50) == 10
    assert counters.legs_of_minute("1001", NOON + 61) == 2
    assert counters.legs_of_minute("1002", NOON + 50) == 0


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    counters = UsageCounters(StateTable(None), Calendar())
    counters.count_leg("1001", NOON)
    assert counters.legs_of_minute("1001", NOON - 3600) == 0


def test_a_day_begins_at_zero() -> None:
    counters = UsageCounters(StateTable(None), Calendar())
    counters.count_leg("1001", NOON)
    counters.add_seconds("1001", "premium", 90.0, NOON)
    tomorrow = NOON + counters.day_frees(NOON)
    assert (counters.legs_of_day("1001", tomorrow - 1), counters.legs_of_day("1001", tomorrow)) == (1, 0)
    assert counters.seconds_of_day("1001", "premium", tomorrow - 1) == 90.0
    assert counters.seconds_of_day("1001", "premium", tomorrow) == 0.0
    assert counters.seconds_of_day("1001", "satellite", NOON) == 0.0
