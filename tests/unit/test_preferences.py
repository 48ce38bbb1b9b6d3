"""What users want done with their calls: what may be set, who rings then, how people stand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.errors import InvalidRequest
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.preferences import check, decide_ringing
from ari_bridge.preferences.presence import PresenceState, of_device, of_endpoint, of_users
from ari_bridge.preferences.ring_decision import RingDecision
from ari_bridge_protocol.preferences import CallPreferences


def nobody_else(user: str) -> CallPreferences:
    return CallPreferences()


def refused(wanted: CallPreferences, of: Any = nobody_else) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check("1001", wanted, of)
    return caught.value


# --- what may be set ---------------------------------------------------------------


def test_a_number_is_kept_without_separators() -> None:
    kept = check("1001", CallPreferences(forward_always="+49 (30) 12-34", forward_busy="voicemail"), nobody_else)
    assert kept == CallPreferences(forward_always="+49301234", forward_busy="voicemail")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (CallPreferences(forward_busy="1002&1003"), "forwardBusy"),
        (CallPreferences(forward_no_answer="1" * 65), "forwardNoAnswer"),
        (CallPreferences(forward_unreachable="1001"), "forwardUnreachable"),
        (CallPreferences(forward_always="100 1"), "forwardAlways"),
        (CallPreferences(ring_seconds=4), "ringSeconds"),
        (CallPreferences(ring_seconds=121), "ringSeconds"),
        (CallPreferences(ring_seconds=-1), "ringSeconds"),
    ],
)
def test_what_cannot_be_is_refused_and_the_field_named(wanted: CallPreferences, field: str) -> None:
    assert refused(wanted).field == field


def test_a_circle_is_refused_and_shown() -> None:
    others = {"1002": CallPreferences(forward_always="1003"), "1003": CallPreferences(forward_always="1001")}
    error = refused(CallPreferences(forward_always="1002"), lambda user: others.get(user, CallPreferences()))
    assert str(error) == "The calls would go in a circle: 1001 → 1002 → 1003 → 1001."


def test_a_circle_of_others_is_not_this_user_s_fault_and_looking_for_it_ends() -> None:
    others = {"1002": CallPreferences(forward_always="1003"), "1003": CallPreferences(forward_always="1002")}
    wanted = CallPreferences(forward_always="1002")
    assert check("1001", wanted, lambda user: others.get(user, CallPreferences())) == wanted


# --- who rings ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "has_page", "in_call", "expected"),
    [
        (CallPreferences(), True, False, RingDecision(frozenset({"1001"}))),
        (CallPreferences(), True, True, RingDecision(frozenset({"1001"}))),
        (CallPreferences(), False, False, RingDecision(status="UNAVAILABLE")),
        (CallPreferences(do_not_disturb=True), True, False, RingDecision(status="DND")),
        (CallPreferences(do_not_disturb=True), False, False, RingDecision(status="DND")),
        (CallPreferences(call_waiting=False), True, False, RingDecision(frozenset({"1001"}))),
        (CallPreferences(call_waiting=False), True, True, RingDecision(status="BUSY")),
        (
            CallPreferences(call_waiting=False, forward_busy="200"),
            True,
            True,
            RingDecision(status="FORWARD", forward="200"),
        ),
        (CallPreferences(forward_unreachable="200"), False, False, RingDecision(status="FORWARD", forward="200")),
        (
            CallPreferences(forward_unreachable="voicemail"),
            False,
            False,
            RingDecision(status="VOICEMAIL", forward="voicemail"),
        ),
        (
            CallPreferences(forward_always="200", do_not_disturb=True),
            True,
            False,
            RingDecision(status="FORWARD", forward="200"),
        ),
        (
            CallPreferences(forward_no_answer="200", ring_seconds=7),
            True,
            False,
            RingDecision(frozenset({"1001"}), forward="200", ring_seconds=7),
        ),
    ],
)
def test_who_rings(wanted: CallPreferences, has_page: bool, in_call: bool, expected: RingDecision) -> None:
    assert decide_ringing("1001", wanted, has_page=has_page, in_call=in_call) == expected


@given(
    wanted=st.builds(
        CallPreferences,
        do_not_disturb=st.booleans(),
        call_waiting=st.booleans(),
        forward_always=st.sampled_from(["", "200", "voicemail"]),
        forward_busy=st.sampled_from(["", "200", "voicemail"]),
        forward_no_answer=st.sampled_from(["", "200", "voicemail"]),
        forward_unreachable=st.sampled_from(["", "200", "voicemail"]),
    ),
    has_page=st.booleans(),
    in_call=st.booleans(),
)
def test_a_number_goes_with_forward_and_nobody_rings_without_a_page(
    wanted: CallPreferences, has_page: bool, in_call: bool
) -> None:
    decided = decide_ringing("1001", wanted, has_page=has_page, in_call=in_call)
    assert has_page or not decided.users
    if not decided.users:
        assert (decided.status == "FORWARD") == (decided.forward == "200")
        assert (decided.status == "VOICEMAIL") == (decided.forward == "voicemail")


# --- how people stand ------------------------------------------------------------------


def a_call(**fields: Any) -> Call:
    values = {"id": "c", "direction": Direction.INBOUND, "target": "1001", "caller": "7001", "created_at": 1.0}
    return Call(**{**values, **fields})


@pytest.mark.parametrize(
    ("calls", "standing"),
    [
        ([], PresenceState.AVAILABLE),
        ([a_call(state=CallState.RINGING, users=frozenset({"1001"}))], PresenceState.RINGING),
        ([a_call(state=CallState.UP, user="1001", users=frozenset({"1001", "1002"}))], PresenceState.IN_CALL),
        ([a_call(state=CallState.TRYING, direction=Direction.OUTBOUND, user="1001")], PresenceState.IN_CALL),
        ([a_call(state=CallState.UP, user="1002", users=frozenset({"1001", "1002"}))], PresenceState.AVAILABLE),
    ],
)
def test_how_a_user_stands_by_their_calls(calls: list[Call], standing: PresenceState) -> None:
    assert of_users(["1001"], online=frozenset({"1001"}), undisturbed=frozenset(), calls=calls) == {"1001": standing}


def test_who_is_away_is_offline_whatever_they_have_set() -> None:
    undisturbed = frozenset({"1001", "1002"})
    stands = of_users(["1001", "1002"], online=frozenset({"1001"}), undisturbed=undisturbed, calls=[])
    assert stands == {"1001": PresenceState.DO_NOT_DISTURB, "1002": PresenceState.OFFLINE}


def test_how_a_phone_stands() -> None:
    assert [of_device(state) for state in ("NOT_INUSE", "RINGING", "ONHOLD", "UNAVAILABLE", "what is this")] == [
        PresenceState.AVAILABLE,
        PresenceState.RINGING,
        PresenceState.IN_CALL,
        PresenceState.OFFLINE,
        PresenceState.OFFLINE,
    ]
    assert [of_endpoint("online", 0), of_endpoint("online", 1), of_endpoint("offline", 0)] == [
        PresenceState.AVAILABLE,
        PresenceState.IN_CALL,
        PresenceState.OFFLINE,
    ]
