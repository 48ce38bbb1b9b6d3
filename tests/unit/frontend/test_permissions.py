"""Who sees which call, and who may command it."""

import pytest
from msgspec.structs import replace

from ari_bridge.errors import UnknownCall
from ari_bridge.fsm.call import Call, Direction
from frontend.auth.authenticator import Forbidden
from frontend.auth.grants import OF_ROLE, Grant, grants_of
from frontend.auth.principal import Principal
from frontend.calls.permissions import (
    check_commands,
    check_may,
    check_owns,
    check_sees,
    check_takes_part,
    commands,
    deletes_recording,
    event_view,
    hears_recording,
    owns,
    sees,
    sees_record,
    takes_part,
)

ANONYMOUS = Principal(None, unrestricted=True)
STRANGER, ALICE, BOB = Principal(None), Principal("1001"), Principal("1002")
LATER = Principal("1001", since=2.0)
"""Has the name of 1001 after another one."""


def of_role(role: str) -> Principal:
    return Principal("9000", grants=grants_of([role]))


def a_call(user: str | None, *users: str, direction: Direction = Direction.INBOUND) -> Call:
    return Call(
        id="call", direction=direction, target="1001", caller="600", user=user, users=frozenset(users), created_at=1.0
    )


@pytest.mark.parametrize(
    ("who", "call", "owned", "commanded", "seen"),
    [
        (ANONYMOUS, a_call("1002"), True, True, True),
        (ANONYMOUS, a_call(None), True, True, True),
        (STRANGER, a_call("1001"), False, False, False),
        (STRANGER, a_call(None), False, False, False),
        (ALICE, a_call("1001", "1001", "1002"), True, True, True),
        (BOB, a_call("1001", "1001", "1002"), False, False, True),  # it rang for both, and 1001 took it
        (BOB, a_call("1001", "1001"), False, False, False),
        (ALICE, a_call(None, "1001"), False, True, True),
        (ALICE, a_call(None), False, False, True),
        (BOB, a_call(None), False, False, False),
        (ALICE, a_call(None, direction=Direction.OUTBOUND), False, False, False),
        (LATER, a_call("1001", "1001"), False, False, False),
        (LATER, a_call(None, "1001"), False, False, False),
        (of_role("supervisor"), a_call("1001"), False, False, True),
        (of_role("operator"), a_call("1001"), False, True, True),
        (of_role("auditor"), a_call("1001"), False, False, True),
        (of_role("user"), a_call("1001"), False, False, False),
    ],
)
def test_who_may(who: Principal, call: Call, owned: bool, commanded: bool, seen: bool) -> None:
    assert (owns(who, call), commands(who, call), sees(who, call)) == (owned, commanded, seen)


@pytest.mark.parametrize("role", OF_ROLE)
def test_nobody_takes_part_in_calls_of_others(role: str) -> None:
    assert not takes_part(of_role(role), a_call("1001", "9000"))
    assert takes_part(of_role(role), a_call(None, "9000"))


def test_records_and_recordings() -> None:
    for may in (sees_record, hears_recording, deletes_recording):
        assert may(ANONYMOUS, None, 1.0) and may(ANONYMOUS, "1001", 1.0)
        assert may(ALICE, "1001", 1.0) and not may(ALICE, "1002", 1.0)
        assert not may(ALICE, None, 1.0) and not may(ALICE, "", 1.0) and not may(STRANGER, None, 1.0)
        assert not may(LATER, "1001", 1.0) and may(LATER, "1001", 2.0)
        assert may(of_role("admin"), "1001", 1.0)
    assert sees_record(of_role("auditor"), "1001", 1.0) and hears_recording(of_role("supervisor"), "1001", 1.0)
    assert not deletes_recording(of_role("supervisor"), "1001", 1.0)


@pytest.mark.parametrize(
    ("who", "name", "call", "view"),
    [
        (ANONYMOUS, "call.digit", a_call("1001"), "whole"),
        (ANONYMOUS, "ari", None, "whole"),
        (ALICE, "call.digit", a_call("1001"), "whole"),
        (BOB, "call.digit", a_call("1001"), "hidden"),
        (LATER, "call.digit", a_call("1001"), "hidden"),
        (ALICE, "ari", None, "hidden"),
        (ALICE, "ari", a_call("1001"), "hidden"),
        (ALICE, "leg.released", None, "hidden"),
        (of_role("supervisor"), "call.digit", a_call("1001"), "masked"),
        (of_role("supervisor"), "ari", None, "hidden"),
        (of_role("operator"), "ari", None, "masked"),
    ],
)
def test_events(who: Principal, name: str, call: Call | None, view: str) -> None:
    assert event_view(who, name, call) == view


def test_what_roles_may() -> None:
    assert OF_ROLE["admin"] == frozenset(Grant) and grants_of(["nothing of ours"]) == frozenset()
    assert Grant.MONITOR_READ not in grants_of(["user", "agent", "auditor"])
    assert Grant.EVENTS_RAW not in grants_of(["supervisor"]) and Grant.DIAL not in grants_of(["auditor"])
    with pytest.raises(Forbidden, match="monitor:read"):
        check_may(of_role("user"), Grant.MONITOR_READ)
    check_may(ANONYMOUS, Grant.MONITOR_READ)


@pytest.mark.parametrize("check", [check_owns, check_commands, check_takes_part, check_sees])
def test_a_call_of_others_does_not_exist(check: object) -> None:
    assert callable(check)
    call = replace(a_call("1002", "1002"), target="1002", id="c" * 128)
    with pytest.raises(UnknownCall) as refused:
        check(ALICE, call)
    assert str(refused.value) == f"There is no call {'c' * 64!r}."
    assert (refused.value.field, refused.value.code) == ("callId", "unknown_call")
    check(BOB, call)
