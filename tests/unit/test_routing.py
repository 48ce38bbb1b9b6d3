"""Which endpoint a dialled number becomes, and what may not be dialled."""

import pytest

from ari_bridge.errors import InvalidTarget
from ari_bridge.routing import InvalidRule, Routes


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


@pytest.mark.parametrize("rule", ["7xxx", "7xxx=", "a b=PJSIP/{target}", "7&=PJSIP/{target}", "7=PJSIP/trunk"])
def test_a_rule_that_cannot_be_understood_is_named(rule: str) -> None:
    with pytest.raises(InvalidRule):
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
