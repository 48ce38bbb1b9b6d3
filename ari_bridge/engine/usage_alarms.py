"""Alarms about what users cause: nearly as much as a limit allows, many calls to new destinations, calls at night.

Each is told once in its window, not for each leg: as a hook event (and so in `/events`), a metric and a log line. What
was told is kept, so that a restart does not repeat it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ari_bridge import metrics
from ari_bridge.audit import Action, Audit, NoAudit
from ari_bridge.dial_permissions import OUTSIDE, DialledNumber, NumberClass
from ari_bridge.hooks import Hooks, UsageAlarm
from ari_bridge.usage import Calendar, StateTable

SHARE = 0.8
"""Of a limit, from which on it is told."""
HOUR_S = 3600.0
NEW_FOR_S = 86400.0
"""A destination is new for a day after the first call to it."""
FORGOTTEN_AFTER_S = 30 * 86400.0
"""A destination that nobody has called for so long is new again."""
_WATCHED = {
    NumberClass.INTERNATIONAL,
    NumberClass.PREMIUM,
    NumberClass.SATELLITE,
    NumberClass.HIGH_RISK,
    NumberClass.UNASSIGNED,
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class AlarmSettings:
    """When an alarm is told, besides those about limits.

    Args:
        new_destinations: So many legs of a user to new destinations within an hour; 0: never.
        hours: From when to when it is night, in minutes since midnight; None: never.
        night_legs: So many legs of a user to outside within a night.
    """

    new_destinations: int = 10
    hours: tuple[int, int] | None = None
    night_legs: int = 5


class UsageAlarms:
    """Of all users.

    Args:
        hooks: Are told.
        table: Keeps what was told, and which destinations are known.
        calendar: Says how late it is.
        settings: When an alarm is told.
        audit: Where alarms are recorded.
        key_of: Under what a user's alarms are kept, as in `UsageCounters`.
    """

    def __init__(
        self,
        hooks: Hooks,
        table: StateTable,
        calendar: Calendar,
        settings: AlarmSettings,
        audit: Audit | None = None,
        key_of: Callable[[str], str] = str,
    ) -> None:
        self._key_of = key_of
        self._audit: Audit = audit or NoAudit()
        self._hooks = hooks
        self._table = table
        self._calendar = calendar
        self._settings = settings

    def measure(self, user: str, rule: str, used: float, limit: float, now: float, *, of_day: bool = False) -> None:
        """`user` has used so much of a limit; "" for a limit of several users. Times are Unix seconds.

        A limit of one is reached by any use, so that is not worth an alarm.
        """
        if limit > 1 and used >= limit * SHARE:
            window_ends = self._calendar.day_ends(now) if of_day else now + HOUR_S
            self._tell(UsageAlarm("limit", user, rule, round(used, 1), limit), window_ends, now)

    def leg(self, user: str, number: DialledNumber, now: float) -> None:
        """The user has caused a leg to this number."""
        if number.number_class in _WATCHED:
            self._new_destination(user, number, now)
        if number.number_class in OUTSIDE:
            self._night(user, now)

    def _new_destination(self, user: str, number: DialledNumber, now: float) -> None:
        destination = f"{number.country or '?'} {number.number_class.value}"
        first_at = float(self._table.get(f"called/{destination}", now) or now)
        self._table.set(f"called/{destination}", first_at, now + FORGOTTEN_AFTER_S)
        wanted = self._settings.new_destinations
        if not wanted or now - first_at > NEW_FOR_S:
            return
        key = f"new-destinations/{self._key_of(user)}"
        recent = [at for at in self._table.get(key, now) or [] if now - HOUR_S < at <= now]
        recent = [*recent, now][-wanted:]
        self._table.set(key, recent, now + HOUR_S)
        if len(recent) >= wanted:
            alarm = UsageAlarm("new_destinations", user, "ALARM_NEW_DESTINATIONS", len(recent), wanted, destination)
            self._tell(alarm, now + HOUR_S, now)

    def _night(self, user: str, now: float) -> None:
        if self._settings.hours is None:
            return
        begins, ends = self._settings.hours
        minute = self._calendar.minute_of_day(now)
        if not (begins <= minute < ends if begins < ends else minute >= begins or minute < ends):
            return
        night_ends = now + ((ends - minute) % 1440) * 60.0
        key = f"night/{self._key_of(user)}"
        legs = int(self._table.get(key, now) or 0) + 1
        self._table.set(key, legs, night_ends)
        if legs >= self._settings.night_legs:
            self._tell(UsageAlarm("night", user, "ALARM_HOURS", legs, self._settings.night_legs), night_ends, now)

    def _tell(self, alarm: UsageAlarm, window_ends: float, now: float) -> None:
        key = f"alarm/{alarm.kind}/{alarm.rule}/{self._key_of(alarm.user)}"
        if self._table.get(key, now):
            return
        self._table.set(key, True, window_ends)
        metrics.USAGE_ALARMS.labels(alarm.kind).inc()
        log.warning("usage alarm", **alarm.data())
        self._audit.record(
            Action.ALARM_RAISE, alarm.user, kind=alarm.kind, rule=alarm.rule, used=alarm.used, limit=alarm.limit
        )
        self._hooks.emit(alarm)
