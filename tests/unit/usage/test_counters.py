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


def test_a_rename_begins_nothing_anew_and_the_name_s_next_owner_inherits_nothing() -> None:
    ids = {"1001": "id:usr_a"}
    counters = UsageCounters(StateTable(None), Calendar(), lambda name: ids.get(name, name))
    counters.count_leg("1001", NOON)
    counters.add_seconds("1001", "premium", 90.0, NOON)
    ids.clear()
    ids.update({"2001": "id:usr_a", "1001": "id:usr_b"})
    assert (counters.legs_of_minute("2001", NOON), counters.legs_of_day("2001", NOON)) == (1, 1)
    assert counters.seconds_of_day("2001", "premium", NOON) == 90.0
    assert (counters.legs_of_minute("1001", NOON), counters.legs_of_day("1001", NOON)) == (0, 0)


def test_what_an_earlier_version_has_kept_under_the_name_counts_on() -> None:
    table = StateTable(None)
    before = UsageCounters(table, Calendar())
    before.count_leg("1001", NOON)
    before.add_seconds("1001", "premium", 90.0, NOON)
    counters = UsageCounters(table, Calendar(), lambda name: f"id:usr_{name}")
    counters.count_leg("1001", NOON + 1)
    counters.add_seconds("1001", "premium", 30.0, NOON)
    assert (counters.legs_of_minute("1001", NOON + 1), counters.legs_of_day("1001", NOON + 1)) == (2, 2)
    assert counters.seconds_of_day("1001", "premium", NOON) == 120.0
