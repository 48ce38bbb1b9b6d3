"""Each alarm is told once in its window."""

from typing import Any

import pytest

from ari_bridge.dial_permissions import DialledNumber, NumberClass
from ari_bridge.engine.usage_alarms import AlarmSettings, UsageAlarms
from ari_bridge.hooks import HookEvent, Hooks, UsageAlarm
from ari_bridge.usage import Calendar, StateTable

NOON = 4102488000.0  # 2100-01-01 12:00 UTC: nothing that is kept has ended
HOUR = 3600.0
LATVIA = DialledNumber("0037120000000", NumberClass.INTERNATIONAL, "+37120000000", "LV")
BERLIN = DialledNumber("0301234567", NumberClass.NATIONAL, "+49301234567", "DE")


class Told:
    """`alarms`, and what they have told."""

    def __init__(self, **settings: Any) -> None:
        hooks = Hooks()
        hooks.tap(self._tell)
        self.table = StateTable(None)
        self.told: list[UsageAlarm] = []
        self.alarms = UsageAlarms(hooks, self.table, Calendar(), AlarmSettings(**settings))

    def _tell(self, event: HookEvent) -> None:
        assert isinstance(event, UsageAlarm)
        self.told.append(event)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return [(alarm.kind, alarm.user) for alarm in self.told]


def test_four_fifths_of_a_limit_are_told_once_an_hour() -> None:
    one = Told()
    for at, used in ((0.0, 7), (1.0, 8), (2.0, 9), (HOUR, 10), (HOUR + 2, 10)):
        one.alarms.measure("1001", "MAX_LEGS_PER_USER", used, 10, NOON + at)
    assert [(alarm.rule, alarm.used, alarm.limit) for alarm in one.told] == [
        ("MAX_LEGS_PER_USER", 8, 10),
        ("MAX_LEGS_PER_USER", 10, 10),
    ]
    one.alarms.measure("1002", "MAX_LEGS_PER_USER", 9, 10, NOON)
    assert one.kinds[-1] == ("limit", "1002")


def test_a_limit_of_a_day_is_told_once_a_day() -> None:
    one = Told()
    for at in (0.0, 2 * HOUR, 11.9 * HOUR, 12.1 * HOUR):
        one.alarms.measure("1001", "MAX_LEGS_PER_DAY", 90, 100, NOON + at, of_day=True)
    assert len(one.told) == 2


@pytest.mark.parametrize("limit", [0, 1])
def test_what_any_use_reaches_is_no_alarm(limit: int) -> None:
    one = Told()
    one.alarms.measure("1001", "limits.lobby.legs", 1, limit, NOON)
    assert one.told == []


def test_many_calls_to_new_destinations() -> None:
    one = Told(new_destinations=3)
    for second in range(5):
        one.alarms.leg("1001", LATVIA, NOON + second)
        one.alarms.leg("1001", BERLIN, NOON + second)
    assert one.kinds == [("new_destinations", "1001")]
    assert one.told[0].destination == "LV international"


def test_a_known_destination_and_slow_callers_are_no_alarm() -> None:
    one = Told(new_destinations=3)
    for at in range(0, 10 * 3600, 3000):
        one.alarms.leg("1001", LATVIA, NOON + at)
    for second in range(10):
        one.alarms.leg("1002", LATVIA, NOON + 25 * HOUR + second)
    assert one.told == []


def test_it_can_be_switched_off() -> None:
    one = Told(new_destinations=0)
    for second in range(20):
        one.alarms.leg("1001", LATVIA, NOON + second)
    assert one.told == []


@pytest.mark.parametrize(("begins", "ends"), [(22 * 60, 6 * 60), (11 * 60, 13 * 60)])
def test_calls_at_night_are_told_once_a_night(begins: int, ends: int) -> None:
    one = Told(hours=(begins, ends), night_legs=2)
    night = NOON + (begins - 12 * 60) * 60.0
    one.alarms.leg("1001", BERLIN, night - 60)
    one.alarms.leg("1001", BERLIN, night + 60)
    assert one.told == []
    for second in range(5):
        one.alarms.leg("1001", BERLIN, night + 120 + second)
    assert one.kinds == [("night", "1001")]
    for second in range(2):
        one.alarms.leg("1001", BERLIN, night + 86400 + second)
    assert len(one.told) == 2


def test_what_was_told_outlives_the_process() -> None:
    one, another = Told(), Told()
    one.alarms.measure("1001", "MAX_LEGS_PER_USER", 9, 10, NOON)
    another.alarms._table = one.table
    another.alarms.measure("1001", "MAX_LEGS_PER_USER", 9, 10, NOON + 1)
    assert (len(one.told), another.told) == (1, [])
