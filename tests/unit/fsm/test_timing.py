"""What is left of a deadline when the next process takes it up."""

import pytest
from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, CancelTimer, CancelTimers, CheckMedia, StartTimer
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.fsm.deadlines import resume, update
from ari_bridge.fsm.timing import MIN_CHECK_S, MIN_RETURN_S, Deadline, Timer, Timing, resumed
from ari_bridge.fsm.transitions import step
from ari_bridge.outcomes import Outcome

CALL = Call(id="call", direction=Direction.OUTBOUND, target="1", caller="2", created_at=1000.0)
UP = replace(CALL, state=CallState.UP)
SECONDS = {Timer.RING: 45.0, Timer.PARTY: 45.0, Timer.GRACE: 30.0, Timer.MEDIA: 30.0}
TIMING = Timing(500.0, lambda timer: SECONDS.get(timer, 10.0))


def kept(call: Call, *wanted: Action, event: events.Event | None = None) -> tuple[Deadline, ...]:
    return update(call, wanted, event or events.OwnerLost(1.0), TIMING).deadlines


def test_what_is_started_is_kept_and_what_is_cancelled_or_has_fired_is_not() -> None:
    ring, party = Deadline(Timer.RING, 0, 500.0, 545.0), Deadline(Timer.PARTY, 2, 500.0, 545.0)
    call = replace(CALL, deadlines=kept(CALL, StartTimer(Timer.RING), StartTimer(Timer.PARTY, 2)))
    assert call.deadlines == (ring, party)
    assert kept(call, CancelTimer(Timer.RING)) == (party,)
    assert kept(call, CancelTimers()) == ()
    assert kept(call, event=events.TimerFired(1.0, Timer.PARTY, 2)) == (ring,)


def test_a_timer_of_requests_is_not_kept_as_they_die_with_us() -> None:
    assert kept(CALL, StartTimer(Timer.SETUP), StartTimer(Timer.EXPLAIN), StartTimer(Timer.MUSIC)) == ()


def test_a_user_s_own_ring_time_counts() -> None:
    assert kept(replace(CALL, ring_seconds=15.0), StartTimer(Timer.RING)) == (Deadline(Timer.RING, 0, 500.0, 515.0),)


def test_the_ring_time_of_a_caller_is_what_is_left_however_often_we_die() -> None:
    record = replace(CALL, deadlines=(Deadline(Timer.RING, 0, 470.0, 515.0),))
    for _ in range(12):
        record = resume(record, [StartTimer(Timer.RING)], record, 1030.0, TIMING)
    assert record.deadlines == (Deadline(Timer.RING, 0, 470.0, 515.0),)


@pytest.mark.parametrize(("at", "left"), [(1030.0, 15.0), (1500.0, 0.0), (900.0, 45.0)])
def test_a_record_of_an_older_version_tells_the_ring_time_by_when_the_call_began(at: float, left: float) -> None:
    [deadline] = resume(CALL, [StartTimer(Timer.RING)], CALL, at, TIMING).deadlines
    assert deadline.due - TIMING.now == left


def test_what_the_next_process_does_not_wait_for_is_forgotten() -> None:
    record = replace(CALL, deadlines=(Deadline(Timer.RING, 0, 470.0, 515.0),))
    assert resume(record, [], record, 1030.0, TIMING).deadlines == ()


def test_a_shorter_time_that_was_set_meanwhile_counts() -> None:
    assert resumed(Deadline(Timer.RING, 0, 470.0, 515.0), Timer.RING, 0, 480.0, 15.0, 0.0).due == 485.0


def test_the_grace_goes_on_and_a_page_that_found_no_server_has_a_moment_but_not_for_ever() -> None:
    fresh = Deadline(Timer.GRACE, 0, 400.0, 430.0)
    assert resumed(fresh, Timer.GRACE, 0, 410.0, 30.0, 0.0) == fresh
    late = resumed(fresh, Timer.GRACE, 0, 440.0, 30.0, 0.0)
    assert late.due == 440.0 + MIN_RETURN_S
    for now in (444.0, 448.0, 452.0, 456.0):
        late = resumed(late, Timer.GRACE, 0, now, 30.0, 0.0)
    assert late.due == 460.0, "twice the grace is the most"
    assert resumed(late, Timer.GRACE, 0, 470.0, 30.0, 0.0).due == 470.0 + MIN_CHECK_S


# --- media that does not come ---------------------------------------------------------------


def test_an_answered_call_waits_for_its_media_and_then_asks() -> None:
    rings = replace(CALL, state=CallState.RINGING)
    call, actions = step(rings, events.FarAnswered(2.0), TIMING)
    assert StartTimer(Timer.MEDIA) in actions
    call, actions = step(call, events.TimerFired(32.0, Timer.MEDIA, ran=30.0), TIMING)
    assert actions == [CheckMedia(within=30.0)]


@pytest.mark.parametrize("heard_at", [0.0, 1000.0])
def test_media_that_never_came_or_is_gone_ends_the_call(heard_at: float) -> None:
    call, _ = step(UP, events.MediaChecked(1030.0, heard_at, 30.0), TIMING)
    assert call.outcome is Outcome.FAILED_MEDIA


def test_media_that_was_heard_meanwhile_is_waited_for_from_then_on() -> None:
    call, actions = step(UP, events.MediaChecked(1030.0, 1010.0, 30.0), TIMING)
    assert call.state is CallState.UP
    assert actions == [StartTimer(Timer.MEDIA, ago=20.0)]
    assert call.deadlines == (Deadline(Timer.MEDIA, 0, 480.0, 510.0),)


@pytest.mark.parametrize("changes", [{"owner_away": True}, {"media_lost": True}])
def test_where_the_grace_is_at_work_it_decides(changes: dict[str, bool]) -> None:
    call = replace(UP, **changes)
    assert step(call, events.TimerFired(32.0, Timer.MEDIA, ran=30.0))[1] == [StartTimer(Timer.MEDIA)]
    assert step(call, events.MediaChecked(1030.0, 0.0, 30.0))[0].state is CallState.UP


def test_an_rtpengine_that_says_nothing_ends_no_call() -> None:
    call, actions = step(UP, events.MediaChecked(1030.0, None, 30.0))
    assert (call.state, actions) == (CallState.UP, [StartTimer(Timer.MEDIA)])
