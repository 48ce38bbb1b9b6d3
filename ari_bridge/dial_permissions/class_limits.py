"""The limits that a class of service has of its own, in place of those in the settings. Pure."""

from collections.abc import Mapping

import msgspec

from ari_bridge.dial_permissions.number_class import OUTSIDE, NumberClass


class InvalidLimit(ValueError):
    """A limit that cannot be used; the text says which and why."""


class ClassLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of each user of the class; None: as the settings have it. The names are those of the file.

    Args:
        legs: Parties on the line at once (MAX_LEGS_PER_USER).
        legs_per_minute: Numbers called within a minute (MAX_LEGS_PER_MINUTE).
        legs_per_day: Numbers called within a day (MAX_LEGS_PER_DAY).
        forwards: Calls forwarded to outside at once (MAX_FORWARDS_PER_USER).
        minutes_per_day: By class of number; those that are not named are as MAX_MINUTES_PER_DAY has them.
    """

    legs: int | None = None
    legs_per_minute: int | None = None
    legs_per_day: int | None = None
    forwards: int | None = None
    minutes_per_day: dict[str, float] = {}

    def minutes(self, number_class: NumberClass) -> float | None:
        return self.minutes_per_day.get(number_class.value)


def check_limits(name: str, limits: ClassLimits) -> None:
    """Raises InvalidLimit."""
    for field in ("legs", "legs_per_minute", "legs_per_day", "forwards"):
        value = getattr(limits, field)
        if value is not None and value < 0:
            raise InvalidLimit(f"limits.{name}: {field} is {value}, and cannot be negative")
    check_minutes(f"limits.{name}.minutes_per_day", limits.minutes_per_day)


def check_minutes(where: str, minutes: Mapping[str, float]) -> None:
    """Raises InvalidLimit unless all are minutes of a day by a class of numbers outside."""
    classes = sorted(number_class.value for number_class in OUTSIDE)
    for number_class, value in minutes.items():
        if number_class not in classes:
            raise InvalidLimit(f"{where}: {number_class!r} is none of {', '.join(classes)}")
        if value < 0:
            raise InvalidLimit(f"{where}: {number_class} is {value:g}, and cannot be negative")
