"""Which rule decides."""

import pytest

from ari_bridge.dial_permissions import InvalidRule, NumberPlan
from ari_bridge.dial_permissions.class_of_service import parse_classes

PLAN = NumberPlan(country="DE")
OUTSIDE = {"premium": "09005123456", "satellite": "+8821612345678", "high_risk": "+18765551234"}


@pytest.mark.parametrize(
    "name, allowed, denied",
    [
        ("internal", "1001 112 110", "0301234 015112345678 +436601234567 09005123456 h *72 alice"),
        ("national", "1001 0301234 015112345678 01806123456 112", "+436601234567 09005123456 *72 s"),
        (
            "international",
            "1001 0301234 +436601234567",
            "09005123456 +8821612345678 +18765551234 010880900512345 *72 h",
        ),
        ("unrestricted", "1001 +436601234567 010880900512345", "09005123456 +8821612345678 +979123456789 *72 h fax"),
    ],
)
def test_built_in_classes(name: str, allowed: str, denied: str) -> None:
    found = parse_classes({})[name]
    for number in allowed.split():
        read = PLAN.read(number)
        assert found.decide(read).allowed or read.number_class.value == "emergency", number
    for number in denied.split():
        assert not found.decide(PLAN.read(number)).allowed, number


RULES = """
allow any                   | 1001 0301234 +436601234567           | 09005123456 +8821612345678 *43 h
allow premium               | 09005123456                          | 0301234 +8821612345678
allow premium +49900*       | 09005123456 +499005123456            | 01371234567
allow +4*                   | 0301234 +436601234567                | 09005123456 1001
allow +49*                  | 0301234                              | 09005123456
allow +499005123456         | 09005123456                          | 09005123457
allow country:AT            | 00436601234567                       | 0301234 +441214960000 +43900123456
allow mobile country:DE     | 015112345678                         | 0301234
allow 7xxx                  | 7001                                 | 8001 70011
allow *43                   | *43                                  | *44
allow *4x                   |                                      | *43
allow service_code *4x      | *43                                  | *72
allow name:reception        | reception                            | h receptions
allow special               | h reception                          | *43
allow high_risk country:JM  | +18765551234                         | +5342123456
"""


@pytest.mark.parametrize("line", [line for line in RULES.splitlines() if line])
def test_what_a_rule_allows(line: str) -> None:
    rule, allowed, denied = (part.strip() for part in line.split("|"))
    found = parse_classes({"own": [rule]})["own"]
    for number in allowed.split():
        decision = found.decide(PLAN.read(number))
        assert (decision.allowed, decision.rule) == (True, f"own: {rule}"), number
    for number in denied.split():
        decision = found.decide(PLAN.read(number))
        assert not decision.allowed and decision.rule.startswith("own: no rule allows"), number


def test_the_first_rule_that_fits_decides() -> None:
    found = parse_classes({"own": ["deny +4930*", "include national", "deny any", "allow international"]})["own"]
    assert found.decide(PLAN.read("0301234")).rule == "own: deny +4930*"
    assert found.decide(PLAN.read("089123456")).rule == "own: allow national"
    assert found.decide(PLAN.read("+436601234567")).rule == "own: deny any"


def test_a_deny_rule_needs_not_name_what_is_dangerous() -> None:
    found = parse_classes({"own": ["deny +49900*", "allow premium"]})["own"]
    assert not found.decide(PLAN.read("09005123456")).allowed
    assert found.decide(PLAN.read("01371234567")).allowed


def test_classes_may_include_others_in_any_order() -> None:
    classes = parse_classes({"a": ["include b", "allow country:AT"], "b": ["include internal"]})
    assert [rule.text for rule in classes["a"].rules] == ["allow internal", "allow country:AT"]


@pytest.mark.parametrize(
    "rules, says",
    [
        ({"a": ["permit any"]}, "allow, deny or include"),
        ({"a": ["allow"]}, "allow, deny or include"),
        ({"a": ["allow any any any"]}, "allow, deny or include"),
        ({"a": ["deny premum"]}, "'premum' is neither"),
        ({"a": ["allow country:UK"]}, "country:AT"),
        ({"a": ["allow premium mobile"]}, "two of the same kind"),
        ({"a": ["allow name:_X."]}, "neither"),
        ({"a": ["include b"]}, "no class 'b'"),
        ({"a": ["include a"]}, "include each other"),
        ({"a": ["include b"], "b": ["include a"]}, "include each other"),
        ({"internal": ["allow any"]}, "built in"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_named(rules: dict[str, list[str]], says: str) -> None:
    with pytest.raises(InvalidRule, match=says.replace(".", r"\.")):
        parse_classes(rules)
