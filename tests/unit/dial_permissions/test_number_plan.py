"""What a dialled number is."""

import pytest

from ari_bridge.dial_permissions import NumberPlan

PLANS = {
    "none": NumberPlan(),
    "DE": NumberPlan(country="DE"),
    "DE0": NumberPlan(country="DE", outside_prefix="0"),
    "AT": NumberPlan(country="AT"),
    "GB": NumberPlan(country="GB"),
    "US": NumberPlan(country="US"),
    "US9": NumberPlan(country="US", outside_prefix="9"),
    "AU": NumberPlan(country="AU"),
    "JM": NumberPlan(country="JM"),
    "IT": NumberPlan(country="IT"),
    "own": NumberPlan(country="DE", national_prefix="8", international_prefix="810"),
}

CASES = """
none  1001              internal
none  42                internal
none  123456            internal
none  7                 special
none  1234567           special
none  0301234           special
none  112               emergency
none  911               emergency
none  +4989636480       international
none  004989636480      international
none  +8821612345678    satellite
none  +870773111632     satellite
none  +881612345678     satellite
none  +8835100012345    satellite
none  +979123456789     premium
none  +18765551234      high_risk
none  +5342123456       high_risk
none  +19005550100      premium
none  +449098765432     premium
none  +447012345678     premium
none  +33899123456      premium
none  +0044             special
none  +                 special
none  0044+1            special
none  h                 special
none  s                 special
none  failed            special
none  _7XXX             special
none  _X.               special
none  *72               service_code
none  *72+8821612345    service_code
none  #31#              service_code
DE    1001              internal
DE    110               emergency
DE    112               emergency
DE    11833             premium
DE    116117            internal
DE    0301234           national
DE    1234567           national
DE    08001234567       national
DE    015112345678      mobile
DE    01806123456       shared_cost
DE    09005123456       premium
DE    0900512           premium
DE    01371234567       premium
DE    00441632960000    unassigned
DE    00436601234567    international
DE    +436601234567     international
DE    +4915112345678    mobile
DE    +12125551234      international
DE    0018765551234     high_risk
DE    010880900512345   unassigned
DE    008821612345678   satellite
DE    00979123456789    premium
DE    +4930123456789012345678 special
DE0   112               emergency
DE0   0112              emergency
DE0   0110              emergency
DE0   1001              internal
DE0   00301234          national
DE0   000441214960000   international
DE0   0015112345678     mobile
DE0   009005123456      premium
DE0   0008821612345678  satellite
DE0   011833            premium
AT    133               emergency
AT    0900123456        premium
GB    999               emergency
GB    118118            premium
GB    09098765432       premium
GB    02079460123       national
GB    07700900982       unassigned
US    911               emergency
US    1001              internal
US    22000             internal
US    5550100           national
US    12125551234       national
US    2125551234        national
US    19005550100       premium
US    011441214960000   international
US    18765551234       high_risk
US    8765551234        high_risk
US    16045551234       international
US9   9911              emergency
US9   911               emergency
US9   912125551234      national
US9   918765551234      high_risk
US9   9011441214960000  international
US9   9411              national
US9   1001              internal
AU    000               emergency
AU    0011441214960000  international
JM    18765551234       mobile
IT    0612345678        national
own   8301234           national
own   810441214960000   international
"""


@pytest.mark.parametrize("case", [line for line in CASES.splitlines() if line])
def test_what_a_number_is(case: str) -> None:
    plan, number, expected = case.split()
    read = PLANS[plan].read(number)
    assert (read.number_class.value, read.dialled) == (expected, number), read.why


@pytest.mark.parametrize(
    "number, e164, country",
    [("0301234", "+49301234", "DE"), ("00436601234567", "+436601234567", "AT"), ("1001", "", ""), ("h", "", "")],
)
def test_the_number_is_known_in_international_form(number: str, e164: str, country: str) -> None:
    read = PLANS["DE"].read(number)
    assert (read.e164, read.country) == (e164, country)


def test_listed_names_and_codes_are_internal() -> None:
    plan = PLANS["DE"]
    for number in ("alice", "anna", "*97"):
        assert plan.read(number, listed=True).number_class.value == "internal"
    for number, expected in (("09005123456", "premium"), ("+8821612345678", "satellite"), ("_X.", "special")):
        assert plan.read(number, listed=True).number_class.value == expected


def test_a_user_who_is_named_so_opens_nothing_outside_and_nothing_of_the_dialplan() -> None:
    for country in ("", "DE", "US", "GB", "FR"):
        plan = NumberPlan(country=country)
        for number in ("h", "s", "T", "fax", "failed", "0900512345", "0049900512345", "900512345", "+49900512345"):
            assert plan.read(number, listed=True).number_class.value != "internal", (country, number)
        assert plan.read("1001", listed=True).number_class.value == "internal"


def test_the_operator_may_say_that_any_number_is_internal() -> None:
    assert PLANS["DE"].read("08001234567", internal=True).number_class.value == "internal"
    assert PLANS["DE"].read("_X.", internal=True).number_class.value == "special"
