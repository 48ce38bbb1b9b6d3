"""What a call's record says of it."""

from typing import Any

import pytest

from ari_bridge.cdr import from_call
from ari_bridge.fsm.call import Call, CallState, Direction, Party, PartyState, Recording, RecordingStatus
from ari_bridge.outcomes import Cause, Outcome


def a_call(**values: Any) -> Call:
    base: dict[str, Any] = {
        "id": "call1",
        "direction": Direction.OUTBOUND,
        "target": "600",
        "caller": "alice",
        "created_at": 10.0,
        "state": CallState.ENDED,
        "user": "alice",
        "outcome": Outcome.COMPLETED,
        "cause": Cause(16, "Normal Clearing", 200),
        "ended_at": 30.5,
    }
    return Call(**base | values)


def test_talk_is_counted_from_the_answer() -> None:
    record = from_call(a_call(ringing_at=11.0, answered_at=20.0))
    assert (record.talk_seconds, record.ringing_at, record.answered_at, record.ended_at) == (10.5, 11.0, 20.0, 30.5)
    assert (record.outcome, record.q850, record.sip, record.cause) == (Outcome.COMPLETED, 16, 200, "Normal Clearing")


def test_who_was_not_answered_has_not_talked() -> None:
    record = from_call(a_call(outcome=Outcome.BUSY, cause=None))
    assert (record.talk_seconds, record.answered_at) == (0.0, None)
    assert (record.q850, record.sip, record.cause) == (0, 0, "")


def test_a_clock_that_was_set_back_gives_no_negative_talk() -> None:
    assert from_call(a_call(answered_at=31.0)).talk_seconds == 0.0


@pytest.mark.parametrize(
    ("values", "user"),
    [
        ({"user": "bob", "users": frozenset({"alice", "bob"})}, "bob"),  # who accepted
        ({"user": None, "users": frozenset({"alice"})}, "alice"),  # missed
        ({"user": None, "users": frozenset()}, "100"),  # no page was open, or all have declined
        ({"user": None, "users": frozenset({"100", "alice"})}, "100"),
        ({"user": None, "users": frozenset({"alice", "bob"})}, ""),
    ],
)
def test_whose_an_inbound_call_is(values: dict[str, Any], user: str) -> None:
    assert from_call(a_call(direction=Direction.INBOUND, target="100", caller="0301234", **values)).user == user


def test_an_outbound_call_without_a_user_is_nobodys() -> None:
    assert from_call(a_call(user=None)).user == ""


def test_others_in_the_call_and_recordings_are_named() -> None:
    taker = Party(2, "call1-p2", "7001", 12.0, name="Bob", state=PartyState.UP, answered_at=15.0)
    deaf = Party(3, "call1-p3", "7002", 13.0, state=PartyState.GONE, outcome=Outcome.NO_ANSWER, ended_at=20.0)
    tape = Recording("call1-rec1", RecordingStatus.OVER, 14.0)
    record = from_call(
        a_call(parties=(taker, deaf), left_outcome=Outcome.TRANSFERRED, left_at=16.0, recordings=(tape,))
    )
    assert (record.outcome, record.transferred_to, record.recording) == (Outcome.TRANSFERRED, "7001", ("call1-rec1",))
    assert [party["outcome"] for party in record.parties] == [None, "no_answer"]
    assert record.parties[0]["name"] == "Bob"


def test_a_call_that_has_not_ended_has_no_record() -> None:
    with pytest.raises(ValueError, match="call1 has not ended"):
        from_call(a_call(outcome=None, ended_at=None))


def test_a_name_that_a_database_would_refuse_is_made_one_that_it_takes() -> None:
    record = from_call(a_call(caller_name="Mül\0ler \ud800 ☃", target="6\x0000"))
    assert (record.caller_name, record.target) == ("Müller ? ☃", "600")
