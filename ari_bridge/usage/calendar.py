"""Days of a time zone: when a day's counters begin anew."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class InvalidZone(ValueError):
    """There is no such time zone."""


class Calendar:
    """`zone`: a name of the IANA time zone database, e.g. Europe/Vienna. Raises InvalidZone."""

    def __init__(self, zone: str = "UTC") -> None:
        self._zone: tzinfo = UTC
        if zone != "UTC":
            try:
                self._zone = ZoneInfo(zone)
            except (ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise InvalidZone(f"there is no time zone {zone!r}, e.g. Europe/Vienna or UTC") from error

    def day(self, now: float) -> str:
        """The date, e.g. 2026-11-30. `now`: Unix seconds."""
        return self._local(now).date().isoformat()

    def day_ends(self, now: float) -> float:
        """When the day ends, Unix seconds: on days when clocks change, after 23 or 25 hours."""
        tomorrow = self._local(now).date() + timedelta(days=1)
        return datetime.combine(tomorrow, time(), self._zone).timestamp()

    def minute_of_day(self, now: float) -> int:
        """Minutes since midnight by the clock."""
        local = self._local(now)
        return local.hour * 60 + local.minute

    def _local(self, now: float) -> datetime:
        return datetime.fromtimestamp(now, self._zone)
