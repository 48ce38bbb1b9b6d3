"""From a number to what the PBX dials with it, and from that to its class. Pure.

Numbers of public numbering plans are read by libphonenumber's metadata; `high_risk_prefixes` adds what it does not
mark. What cannot be read is `special`, and so nobody may dial it unless a rule names it.
"""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType, ShortNumberCost, ValidationResult, shortnumberinfo

from ari_bridge.dial_permissions.high_risk_prefixes import find_prefix
from ari_bridge.dial_permissions.number_class import DialledNumber, NumberClass
from ari_bridge.number import SPECIAL_EXTENSIONS

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS)

_INTERNAL = re.compile(r"[1-9][0-9]{1,5}")
_OUTSIDE = re.compile(r"\+?[0-9]+")
_CODE = re.compile(r"[0-9+*#]+")
_EMERGENCY_ANYWHERE = frozenset({"112", "911"})
"""If no country is set: what mobile networks take everywhere (3GPP TS 22.101 section 10.1.1)."""
_MAX_EXTENSION_DIGITS = 6
_LOCAL_DIGITS = 8
"""A number without area code has no more."""
_INQUIRY_DIGITS = 5
"""Short numbers whose price nobody knows, from this length on, are directory inquiries and the like."""

_BY_TYPE = {
    PhoneNumberType.MOBILE: NumberClass.MOBILE,
    PhoneNumberType.SHARED_COST: NumberClass.SHARED_COST,
    PhoneNumberType.UNKNOWN: NumberClass.UNASSIGNED,
}
_ALWAYS = {PhoneNumberType.PREMIUM_RATE: NumberClass.PREMIUM, PhoneNumberType.PERSONAL_NUMBER: NumberClass.PREMIUM}
"""Personal numbers (+44 70) are forwarded at any price that their owner has chosen."""


@dataclass(frozen=True, kw_only=True)
class NumberPlan:
    """How the PBX reads numbers.

    Args:
        country: ISO 3166 code; "" if unknown: then every number without `+` is internal or special.
        outside_prefix: What precedes numbers outside, e.g. 0 or 9; "" for none.
        national_prefix: "" as the country has it.
        international_prefix: "" as the country has it; without a country 00.
    """

    country: str = ""
    outside_prefix: str = ""
    national_prefix: str = ""
    international_prefix: str = ""

    def read(self, number: str, *, listed: bool = False, internal: bool = False) -> DialledNumber:
        """What `number`, of any characters, is.

        `listed`: it is the name of a user or the like, which makes a name or a code internal, but neither what may be a
        number of another network nor a special extension of the dialplan: whoever may choose a name would open these
        to everybody. `internal`: the operator says so of this very number.
        """
        outside = self._outside_part(number)
        if self._is_emergency(number) or self._is_emergency(outside):
            country = self.country or "any country"
            return DialledNumber(number, NumberClass.EMERGENCY, why=f"an emergency number of {country}")
        if internal and not number.startswith("_"):
            return DialledNumber(number, NumberClass.INTERNAL, why="internal by the operator's settings")
        if not _OUTSIDE.fullmatch(number):
            return _not_a_number(number, listed)
        if outside == number and _INTERNAL.fullmatch(number):
            if not listed and (short := self._short(number, number)):
                if short.number_class is NumberClass.PREMIUM:
                    return short
            return DialledNumber(number, NumberClass.INTERNAL, why="2 to 6 digits, the first of them not 0")
        found = self._read_outside(number, outside)
        if listed and found.number_class is NumberClass.SPECIAL and len(number) <= _MAX_EXTENSION_DIGITS:
            return DialledNumber(number, NumberClass.INTERNAL, why="the name of a user or of a service")
        return found

    def _outside_part(self, number: str) -> str:
        """Without the digits that open an outside line."""
        prefix = self.outside_prefix
        return number.removeprefix(prefix) if prefix and len(number) > len(prefix) else number

    def _is_emergency(self, number: str) -> bool:
        if not self.country:
            return number in _EMERGENCY_ANYWHERE
        return number.isascii() and number.isdigit() and shortnumberinfo.is_emergency_number(number, self.country)

    def _short(self, dialled: str, number: str) -> DialledNumber | None:
        """A short number of the country's network, e.g. directory inquiries; None if it is none."""
        if not self.country or not 3 <= len(number) <= 6:
            return None
        read = phonenumbers.PhoneNumber(
            country_code=phonenumbers.country_code_for_region(self.country), national_number=int(number)
        )
        if number.startswith("0") or not shortnumberinfo.is_valid_short_number_for_region(read, self.country):
            return None
        if shortnumberinfo.is_sms_service_for_region(read, self.country):
            return None
        cost = shortnumberinfo.expected_cost_for_region(read, self.country)
        unknown = cost == ShortNumberCost.UNKNOWN_COST and len(number) >= _INQUIRY_DIGITS
        if cost == ShortNumberCost.PREMIUM_RATE or unknown:
            return DialledNumber(dialled, NumberClass.PREMIUM, country=self.country, why="a short number with a price")
        return DialledNumber(dialled, NumberClass.NATIONAL, country=self.country, why="a short number")

    def _read_outside(self, number: str, outside: str) -> DialledNumber:
        if short := self._short(number, outside):
            return short
        international = self._international(outside)
        if international is None and not self.country:
            return DialledNumber(number, NumberClass.SPECIAL, why="not to be read while COUNTRY is not set")
        try:
            read = self._parse(outside, international)
        except (phonenumbers.NumberParseException, ValueError):
            return DialledNumber(number, NumberClass.SPECIAL, why="no number of any numbering plan")
        e164 = phonenumbers.format_number(read, phonenumbers.PhoneNumberFormat.E164)
        possible = phonenumbers.is_possible_number_with_reason(read)
        country = phonenumbers.region_code_for_number(read) or _country_of_code(read.country_code or 0, self.country)
        kind = phonenumbers.number_type(read)
        if listed := find_prefix(e164[1:]):
            number_class, place = listed
            if number_class is not NumberClass.HIGH_RISK or country != self.country:
                return DialledNumber(number, number_class, e164, country, place)
        if kind in _ALWAYS:
            return DialledNumber(number, _ALWAYS[kind], e164, country, f"a premium number of {country}")
        local = international is None and self._is_local(outside)
        if local and possible in (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
            return DialledNumber(number, NumberClass.NATIONAL, e164, self.country, "a number without area code")
        if possible != ValidationResult.IS_POSSIBLE:
            return DialledNumber(number, NumberClass.SPECIAL, why=f"too short or too long for a number of {country}")
        if kind == PhoneNumberType.UNKNOWN:
            why = f"in no range of the numbering plan of {country}"
            return DialledNumber(number, NumberClass.UNASSIGNED, e164, country, why)
        if country != self.country:
            return DialledNumber(number, NumberClass.INTERNATIONAL, e164, country, f"a number of {country}")
        number_class = _BY_TYPE.get(kind, NumberClass.NATIONAL)
        return DialledNumber(number, number_class, e164, country, f"a number of {country}")

    def _international(self, outside: str) -> str | None:
        """The number with `+` if it is written internationally; None if it is not."""
        if outside.startswith("+"):
            return outside
        prefix = self.international_prefix or ("" if self.country else "00")
        if prefix:
            return f"+{outside.removeprefix(prefix)}" if outside.startswith(prefix) else None
        region = PhoneMetadata.metadata_for_region(self.country)
        match = re.match(region.international_prefix, outside) if region and region.international_prefix else None
        return f"+{outside[match.end() :]}" if match else None

    def _parse(self, outside: str, international: str | None) -> phonenumbers.PhoneNumber:
        """Raises NumberParseException, ValueError."""
        if international is not None:
            if international.startswith("+0"):
                raise ValueError(outside)
            return phonenumbers.parse(international, None)
        if self.national_prefix and outside.startswith(self.national_prefix):
            code = phonenumbers.country_code_for_region(self.country)
            return phonenumbers.parse(f"+{code}{outside.removeprefix(self.national_prefix)}", None)
        return phonenumbers.parse(outside, self.country)

    def _is_local(self, outside: str) -> bool:
        """Dialled without the prefix that an area code needs."""
        region = PhoneMetadata.metadata_for_region(self.country)
        prefix = self.national_prefix or (region.national_prefix if region else "") or ""
        return bool(prefix) and not outside.startswith(prefix) and len(outside) <= _LOCAL_DIGITS


def _country_of_code(code: int, own: str) -> str:
    """Of a number in no known range: the own country if it has this code, else the code's main one."""
    regions = phonenumbers.region_codes_for_country_code(code)
    return own if own in regions else str(phonenumbers.region_code_for_country_code(code))


def _not_a_number(number: str, listed: bool) -> DialledNumber:
    if listed and not number.startswith("_") and number not in SPECIAL_EXTENSIONS:
        return DialledNumber(number, NumberClass.INTERNAL, why="the name of a user or of a service")
    if _CODE.fullmatch(number) and ("*" in number or "#" in number):
        return DialledNumber(number, NumberClass.SERVICE_CODE, why="a code of the PBX, with * or #")
    return DialledNumber(number, NumberClass.SPECIAL, why="no number, but a name in the dialplan")
