"""The classes of numbers that dial permissions speak of, and what a dialled number turned out to be. Pure."""

from dataclasses import dataclass
from enum import Enum


class NumberClass(Enum):
    """The values are the words of rules, settings and metrics."""

    INTERNAL = "internal"
    EMERGENCY = "emergency"
    NATIONAL = "national"  # also toll-free, and numbers that belong to no area
    MOBILE = "mobile"  # of the own country; those of other countries are international
    SHARED_COST = "shared_cost"
    INTERNATIONAL = "international"
    PREMIUM = "premium"
    SATELLITE = "satellite"  # and the networks that belong to no country
    HIGH_RISK = "high_risk"  # places that call-back and revenue-share fraud is known for
    UNASSIGNED = "unassigned"  # no numbering plan has this range; revenue-share fraud uses such
    SERVICE_CODE = "service_code"  # with * or #
    SPECIAL = "special"  # letters, dialplan extensions such as h and s, and what cannot be read as a number


ORDINARY = frozenset(
    {
        NumberClass.INTERNAL,
        NumberClass.EMERGENCY,
        NumberClass.NATIONAL,
        NumberClass.MOBILE,
        NumberClass.SHARED_COST,
        NumberClass.INTERNATIONAL,
    }
)
"""What a rule allows without naming the class. The others cost more than they seem to, or steer the PBX itself."""

OUTSIDE = frozenset(NumberClass) - {
    NumberClass.INTERNAL,
    NumberClass.EMERGENCY,
    NumberClass.SERVICE_CODE,
    NumberClass.SPECIAL,
}
"""Classes of numbers that leave the PBX."""


@dataclass(frozen=True, slots=True)
class DialledNumber:
    """A number as the PBX will dial it, and what it is.

    Args:
        dialled: The number as it is dialled.
        number_class: What it is.
        e164: `+` and digits for a number of a public numbering plan, else "".
        country: ISO 3166 code of its country, "001" if it belongs to none, "" if unknown or internal.
        why: Why it has this class, as the end of a sentence.
    """

    dialled: str
    number_class: NumberClass
    e164: str = ""
    country: str = ""
    why: str = ""

    @property
    def canonical(self) -> str:
        """What patterns are compared with."""
        return self.e164 or self.dialled
