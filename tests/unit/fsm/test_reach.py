"""What becomes of a caller by what the called user wants: the dialplan is told, and each call rings its own time."""

import pytest

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, Release, RingPages, StartTimer
from ari_bridge.fsm.call import Call, CallState, Direction, Milestone, Resource
from ari_bridge.fsm.events import Timer
from ari_bridge.fsm.transitions import step
from ari_bridge.outcomes import Outcome


def arrived() -> Call:
    call = Call(
        "c1",
        Direction.INBOUND,
        "1001",
        "42",
        1.0,
        far_channel="ast-1",
        milestones=frozenset({Milestone.FAR_CREATED, Milestone.FAR_ENTERED}),
        allocated=frozenset({Resource.FAR}),
    )
    call, actions = step(call, events.Arrived(1))
    assert RingPages() in actions
    return call


def rung(**reach: object) -> tuple[Call, list[Action]]:
    return step(arrived(), events.PagesRang(1, frozenset(reach.pop("users", ())), **reach))  # type: ignore[call-overload,arg-type]


@pytest.mark.parametrize(
    ("status", "forward", "outcome"),
    [
        ("UNAVAILABLE", "", Outcome.UNREACHABLE),
        ("DND", "", Outcome.REJECTED),
        ("BUSY", "", Outcome.BUSY),
        ("FORWARD", "200", Outcome.TRANSFERRED),
        ("VOICEMAIL", "voicemail", Outcome.TRANSFERRED),
    ],
)
def test_where_nobody_rings_the_dialplan_is_told_why(status: str, forward: str, outcome: Outcome) -> None:
    call, actions = rung(status=status, forward=forward)
    assert (call.outcome, call.dialplan_status, call.forward) == (outcome, status, forward)
    assert Release(Resource.FAR) in actions


@pytest.mark.parametrize(("forward", "status"), [("", "NOANSWER"), ("200", "FORWARD"), ("voicemail", "VOICEMAIL")])
def test_who_does_not_answer_has_the_call_forwarded(forward: str, status: str) -> None:
    call, _ = rung(users=["1001"], forward=forward)
    assert call.state is CallState.RINGING
    call, _ = step(call, events.TimerFired(40, Timer.RING))
    assert (call.outcome, call.dialplan_status, call.forward) == (Outcome.NO_ANSWER, status, forward)


def test_the_time_to_ring_is_the_call_s_own() -> None:
    call, actions = rung(users=["1001"], ring_seconds=7.0)
    assert call.ring_seconds == 7.0
    assert StartTimer(Timer.RING) in actions
    assert StartTimer(Timer.RING) not in rung(users=["1001"])[1]


def test_who_declines_is_not_forwarded() -> None:
    call, _ = rung(users=["1001"], forward="200")
    call, _ = step(call, events.Declined(2, "1001"))
    assert call.dialplan_status == "DECLINED"
