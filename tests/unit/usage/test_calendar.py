"""A day has the length that its time zone gives it."""

import pytest

from ari_bridge.usage import Calendar, InvalidZone

MARCH_28_NOON = 1774695600.0  # 2026-03-28 12:00 in Vienna, the day before clocks go forward


def test_a_day_of_utc() -> None:
    assert Calendar().day(MARCH_28_NOON) == "2026-03-28"
    assert Calendar().day_ends(MARCH_28_NOON) - MARCH_28_NOON == 13 * 3600


def test_a_day_on_which_clocks_change_is_shorter() -> None:
    vienna = Calendar("Europe/Vienna")
    midnight = vienna.day_ends(MARCH_28_NOON)
    assert (vienna.day(midnight - 1), vienna.day(midnight)) == ("2026-03-28", "2026-03-29")
    assert vienna.day_ends(midnight) - midnight == 23 * 3600


def test_the_minute_is_that_of_the_clock() -> None:
    assert Calendar("Europe/Vienna").minute_of_day(MARCH_28_NOON) == 12 * 60


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", ""])
def test_another_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidZone):
        Calendar(zone)
