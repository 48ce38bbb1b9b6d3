"""What each user has caused: legs within a minute and a day, and seconds of talking by class of number."""

from ari_bridge.usage.calendar import Calendar
from ari_bridge.usage.state_table import StateTable

_MINUTE_S = 60.0


class UsageCounters:
    """Times are Unix seconds.

    Args:
        table: Keeps them.
        calendar: Says when a day begins.
    """

    def __init__(self, table: StateTable, calendar: Calendar) -> None:
        self._table = table
        self._calendar = calendar

    # --- legs ---------------------------------------------------------------------------

    def count_leg(self, user: str, now: float) -> None:
        """The user has caused one more, whatever becomes of it."""
        recent = [*self._recent(user, now), now]
        self._table.set(f"recent/{user}", recent, now + _MINUTE_S)
        self._table.set(self._of_day("legs", user, now), self.legs_of_day(user, now) + 1, self._calendar.day_ends(now))

    def legs_of_minute(self, user: str, now: float) -> int:
        return len(self._recent(user, now))

    def minute_frees(self, user: str, now: float) -> float:
        """In how many seconds the oldest leg of the last minute does not count any more."""
        recent = self._recent(user, now)
        return recent[0] + _MINUTE_S - now if recent else 0.0

    def legs_of_day(self, user: str, now: float) -> int:
        return int(self._table.get(self._of_day("legs", user, now), now) or 0)

    def day_frees(self, now: float) -> float:
        """In how many seconds the next day begins."""
        return self._calendar.day_ends(now) - now

    # --- seconds ------------------------------------------------------------------------

    def add_seconds(self, user: str, number_class: str, seconds: float, now: float) -> None:
        key = self._of_day("seconds", f"{user}/{number_class}", now)
        used = self.seconds_of_day(user, number_class, now) + seconds
        self._table.set(key, used, self._calendar.day_ends(now))

    def seconds_of_day(self, user: str, number_class: str, now: float) -> float:
        return float(self._table.get(self._of_day("seconds", f"{user}/{number_class}", now), now) or 0.0)

    def _recent(self, user: str, now: float) -> list[float]:
        kept: list[float] = self._table.get(f"recent/{user}", now) or []
        # A clock that was set back must not keep them for ever.
        return [at for at in kept if now - _MINUTE_S < at <= now + 1.0]

    def _of_day(self, what: str, whose: str, now: float) -> str:
        return f"{what}/{self._calendar.day(now)}/{whose}"
