"""Who sees which call, and who may command it."""

import pytest
from msgspec.structs import replace

from ari_bridge.errors import UnknownCall
from ari_bridge.fsm.call import Call, Direction
from frontend.calls.permissions import Principal, check_owns, check_sees, check_takes_part

ANONYMOUS = Principal.of_request(None)
STRANGER, ALICE, BOB = Principal(None), Principal("1001"), Principal("1002")


def a_call(user: str | None, *users: str, direction: Direction = Direction.INBOUND) -> Call:
    return Call(
        id="call", direction=direction, target="1001", caller="600", user=user, users=frozenset(users), created_at=1.0
    )


@pytest.mark.parametrize(
    ("who", "call", "owns", "takes_part", "sees"),
    [
        (ANONYMOUS, a_call("1002"), True, True, True),
        (ANONYMOUS, a_call(None), True, True, True),
        (STRANGER, a_call("1001"), False, False, False),
        (STRANGER, a_call(None), False, False, False),
        (ALICE, a_call("1001", "1001", "1002"), True, True, True),
        (BOB, a_call("1001", "1001", "1002"), False, True, True),
        (BOB, a_call("1001", "1001"), False, False, False),
        (ALICE, a_call(None, "1001"), False, True, True),
        (ALICE, a_call(None), False, False, True),
        (BOB, a_call(None), False, False, False),
        (ALICE, a_call(None, direction=Direction.OUTBOUND), False, False, False),
    ],
)
def test_who_may(who: Principal, call: Call, owns: bool, takes_part: bool, sees: bool) -> None:
    assert (who.owns(call), who.takes_part(call), who.sees(call)) == (owns, takes_part, sees)


def test_records() -> None:
    assert ANONYMOUS.sees_records_of(None) and ANONYMOUS.sees_records_of("1001")
    assert ALICE.sees_records_of("1001") and not ALICE.sees_records_of("1002")
    assert not ALICE.sees_records_of(None) and not ALICE.sees_records_of("") and not STRANGER.sees_records_of(None)


@pytest.mark.parametrize("check", [check_owns, check_takes_part, check_sees])
def test_a_call_of_others_does_not_exist(check: object) -> None:
    assert callable(check)
    call = replace(a_call("1002", "1002"), target="1002", id="c" * 128)
    with pytest.raises(UnknownCall) as refused:
        check(ALICE, call)
    assert str(refused.value) == f"There is no call {'c' * 64!r}."
    assert (refused.value.field, refused.value.code) == ("callId", "unknown_call")
    check(BOB, call)
