"""What each user has caused: legs within a minute and a day, and seconds of talking by class of number.

A user may be renamed, and the name may become another user's: `key_of` has the key that stays the same.
"""

from collections.abc import Callable
from typing import Any

from ari_bridge.usage.calendar import Calendar
from ari_bridge.usage.state_table import StateTable

_MINUTE_S = 60.0


class UsageCounters:
    """Times are Unix seconds.

    Args:
        table: Keeps them.
        calendar: Says when a day begins.
        key_of: Under what a user's are kept, whatever the user is called; by default the name.
    """

    def __init__(self, table: StateTable, calendar: Calendar, key_of: Callable[[str], str] = str) -> None:
        self._table = table
        self._calendar = calendar
        self.key_of = key_of

    # --- legs ---------------------------------------------------------------------------

    def count_leg(self, user: str, now: float) -> None:
        """The user has caused one more, whatever becomes of it."""
        recent = [*self._recent(user, now), now]
        legs = self.legs_of_day(user, now) + 1
        self._table.set(f"recent/{self.key_of(user)}", recent, now + _MINUTE_S)
        self._table.set(self._of_day("legs", self.key_of(user), now), legs, self._calendar.day_ends(now))

    def legs_of_minute(self, user: str, now: float) -> int:
        return len(self._recent(user, now))

    def minute_frees(self, user: str, now: float) -> float:
        """In how many seconds the oldest leg of the last minute does not count any more."""
        recent = self._recent(user, now)
        return recent[0] + _MINUTE_S - now if recent else 0.0

    def legs_of_day(self, user: str, now: float) -> int:
        return int(self._get(lambda key: self._of_day("legs", key, now), user, now) or 0)

    def day_frees(self, now: float) -> float:
        """In how many seconds the next day begins."""
        return self._calendar.day_ends(now) - now

    # --- seconds ------------------------------------------------------------------------

    def add_seconds(self, user: str, number_class: str, seconds: float, now: float) -> None:
        key = self._of_day("seconds", f"{self.key_of(user)}/{number_class}", now)
        used = self.seconds_of_day(user, number_class, now) + seconds
        self._table.set(key, used, self._calendar.day_ends(now))

    def seconds_of_day(self, user: str, number_class: str, now: float) -> float:
        used = self._get(lambda key: self._of_day("seconds", f"{key}/{number_class}", now), user, now)
        return float(used or 0.0)

    def _recent(self, user: str, now: float) -> list[float]:
        kept: list[float] = self._get("recent/{}".format, user, now) or []
        # A clock that was set back must not keep them for ever.
        return [at for at in kept if now - _MINUTE_S < at <= now + 1.0]

    def _get(self, place: Callable[[str], str], user: str, now: float) -> Any:
        """Of earlier versions, which kept it under the name, what is not over yet counts too."""
        kept = self._table.get(place(self.key_of(user)), now)
        return self._table.get(place(user), now) if kept is None else kept

    def _of_day(self, what: str, whose: str, now: float) -> str:
        return f"{what}/{self._calendar.day(now)}/{whose}"
