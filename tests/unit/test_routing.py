"""Which endpoint a dialled number becomes, and what may not be dialled."""

import pytest

from ari_bridge.errors import InvalidTarget
from ari_bridge.number_routing import InvalidRule, Routes


def test_a_number_goes_to_the_dialplan_context() -> None:
    assert Routes(context="from-browser").resolve("600") == ("600", "Local/600@from-browser/n")


def test_a_target_sip_server_takes_every_other_number() -> None:
    routes = Routes(target_sip_server="pbx:5060", target_sip_endpoint="trunk")
    assert routes.resolve("42#")[1] == "PJSIP/trunk/sip:42%23@pbx:5060"


@pytest.mark.parametrize(
    ("number", "endpoint"),
    [
        ("7001", "PJSIP/7001@trunk"),
        ("70011", "Local/70011@from-browser/n"),
        ("0049301234", "PJSIP/0049301234@carrier"),
        ("700x", "Local/700x@from-browser/n"),
    ],
)
def test_rules_send_numbers_to_a_trunk(number: str, endpoint: str) -> None:
    routes = Routes(rules=Routes.parse_rules("7xxx=PJSIP/{target}@trunk; 00*=PJSIP/{target}@carrier"))
    assert routes.resolve(number)[1] == endpoint


@pytest.mark.parametrize(
    ("number", "endpoint"),
    [
        ("100", "PJSIP/reception"),
        ("1000", "Local/1000@from-browser/n"),
        ("*97", "Local/9797@features/n"),
        ("*971", "Local/*971@from-browser/n"),
        ("911", "PJSIP/911@emergency"),
        ("8", "PJSIP/operator"),
        ("8123", "PJSIP/operator"),
        ("*12", "PJSIP/codes/sip:*12@pbx"),
    ],
)
def test_rules_send_numbers_to_one_endpoint(number: str, endpoint: str) -> None:
    rules = "100=PJSIP/reception; *97=Local/9797@features; 911=PJSIP/911@emergency; 8*=PJSIP/operator\n"
    rules += "*1*=PJSIP/codes/sip:{target}@pbx"
    assert Routes(rules=Routes.parse_rules(rules)).resolve(number) == (number, endpoint)


@pytest.mark.parametrize(
    ("written", "dialled"),
    [
        ("Local/100@phones", "Local/100@phones/n"),
        ("Local/{target}@phones/", "Local/100@phones/n"),
        ("Local/100@phones/j", "Local/100@phones/jn"),
        ("local/100@phones/nj", "local/100@phones/nj"),
    ],
)
def test_a_local_channel_stays_in_its_call(written: str, dialled: str) -> None:
    assert Routes(rules=Routes.parse_rules(f"100={written}")).resolve("100")[1] == dialled


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("7xxx", "not PATTERN=ENDPOINT"),
        ("7xxx=", "not PATTERN=ENDPOINT"),
        ("=PJSIP/reception", "not PATTERN=ENDPOINT"),
        ("a b=PJSIP/{target}", "'a b': a pattern has digits"),
        ("7&=PJSIP/{target}", "'7&': a pattern has digits"),
        ("reception=PJSIP/reception", "'reception': a pattern has digits"),
        ("100=reception", "names its technology, as PJSIP/reception"),
        ("100=PJSIP/a,200=PJSIP/b", "separated by ; not by commas"),
        ("100=PJSIP/a&PJSIP/b", "one endpoint, not several"),
        ("100=PJSIP/${EXTEN}@trunk", r"\$\{EXTEN\} is not known, the number is written \{target\}"),
        ("100=PJSIP/{number}@trunk", r"\{number\} is not known"),
        ("100=PJSIP/{target@trunk", "an endpoint looks like"),
        ("100=PJSIP/", "an endpoint looks like"),
        ("100=/reception", "an endpoint looks like"),
        ("100=PJSIP/front desk", "an endpoint looks like"),
        ("100=Local/100", "needs the dialplan context"),
        ("100=Local/100@", "needs the dialplan context"),
        ("100=PJSIP/a; 100=PJSIP/b", "duplicate pattern '100'"),
        ("1x=PJSIP/a; 1X=PJSIP/b", "duplicate pattern '1X'"),
    ],
)
def test_a_rule_that_cannot_be_understood_is_told_with_why(rule: str, why: str) -> None:
    with pytest.raises(InvalidRule, match=why):
        Routes.parse_rules(rule)


@pytest.mark.parametrize("written", ["+49 (30) 12-34", "+49.30.1234", " +49301234 "])
def test_separators_that_people_write_are_dropped(written: str) -> None:
    assert Routes().resolve(written)[0] == "+49301234"


@pytest.mark.parametrize(
    "target",
    ["", " ", "-", "600&601", "600@other", "600,1", "600\n1", "600/n", "a b", "${EXTEN}", "6" * 65, "600;x"],
)
def test_what_is_dialplan_syntax_may_not_be_dialled(target: str) -> None:
    with pytest.raises(InvalidTarget) as error:
        Routes().resolve(target)
    assert error.value.field == "target"
