"""Prefixes of premium, satellite and high-risk numbers that general metadata does not mark as such. Pure data.

Each has its source. A country's own prefix is not high-risk to itself (`number_plan`). The list is short on purpose:
every destination can be used for fraud, so a class of service that allows `international` to all who do not need it is
the larger risk. Sources:

- ITU: list of country codes assigned by Recommendation ITU-T E.164.
- FTC: the Federal Trade Commission's and the Federal Communications Commission's warnings of the "one ring" scam, which
  name the area codes of countries that are dialled like domestic numbers of the USA.
- Commsrisk: "New IRSF Data Shows There Are No 'Low Risk' Destinations Any More" and "What Is New with IRSF Fraud?",
  the countries that led the lists of revenue-share numbers.
- BNetzA: numbering plan of the German regulator, (0)900, (0)137 and (0)118.
- NANPA: Easily Recognizable Codes of the North American Numbering Plan.
"""

from ari_bridge.dial_permissions.number_class import NumberClass

_SATELLITE, _PREMIUM, _HIGH_RISK = NumberClass.SATELLITE, NumberClass.PREMIUM, NumberClass.HIGH_RISK

PREFIXES: dict[str, tuple[NumberClass, str]] = {
    "870": (_SATELLITE, "Inmarsat"),  # ITU
    "878": (_SATELLITE, "universal personal numbers"),  # ITU
    "881": (_SATELLITE, "global mobile satellite system"),  # ITU
    "882": (_SATELLITE, "international networks"),  # ITU
    "883": (_SATELLITE, "international networks"),  # ITU
    "888": (_SATELLITE, "disaster relief"),  # ITU
    "979": (_PREMIUM, "international premium rate"),  # ITU
    "1900": (_PREMIUM, "1-900"),  # NANPA
    "1976": (_PREMIUM, "976"),  # NANPA: not assigned as an area code because of the premium exchange
    "49900": (_PREMIUM, "0900"),  # BNetzA
    "49137": (_PREMIUM, "0137, televoting"),  # BNetzA
    "49118": (_PREMIUM, "118xx, directory inquiries"),  # BNetzA
    "1242": (_HIGH_RISK, "Bahamas"),  # FTC and FCC, here to 1876
    "1246": (_HIGH_RISK, "Barbados"),
    "1264": (_HIGH_RISK, "Anguilla"),
    "1268": (_HIGH_RISK, "Antigua and Barbuda"),
    "1284": (_HIGH_RISK, "British Virgin Islands"),
    "1345": (_HIGH_RISK, "Cayman Islands"),
    "1441": (_HIGH_RISK, "Bermuda"),
    "1473": (_HIGH_RISK, "Grenada"),
    "1649": (_HIGH_RISK, "Turks and Caicos Islands"),
    "1658": (_HIGH_RISK, "Jamaica"),
    "1664": (_HIGH_RISK, "Montserrat"),
    "1721": (_HIGH_RISK, "Sint Maarten"),
    "1758": (_HIGH_RISK, "Saint Lucia"),
    "1767": (_HIGH_RISK, "Dominica"),
    "1784": (_HIGH_RISK, "Saint Vincent and the Grenadines"),
    "1809": (_HIGH_RISK, "Dominican Republic"),
    "1829": (_HIGH_RISK, "Dominican Republic"),
    "1849": (_HIGH_RISK, "Dominican Republic"),
    "1868": (_HIGH_RISK, "Trinidad and Tobago"),
    "1869": (_HIGH_RISK, "Saint Kitts and Nevis"),
    "1876": (_HIGH_RISK, "Jamaica"),
    "222": (_HIGH_RISK, "Mauritania"),  # FCC
    "232": (_HIGH_RISK, "Sierra Leone"),  # FCC
    "252": (_HIGH_RISK, "Somalia"),  # Commsrisk, here to 53
    "370": (_HIGH_RISK, "Lithuania"),
    "371": (_HIGH_RISK, "Latvia"),
    "53": (_HIGH_RISK, "Cuba"),
}
"""E.164 digits without `+` → the class, and what is there."""

_LONGEST = max(map(len, PREFIXES))


def find_prefix(digits: str) -> tuple[NumberClass, str] | None:
    """The longest prefix of these E.164 digits that is listed."""
    for length in range(min(_LONGEST, len(digits)), 0, -1):
        if found := PREFIXES.get(digits[:length]):
            return found
    return None
