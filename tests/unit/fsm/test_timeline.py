"""The times of a call are in order, and its durations right, whatever happens to the wall clock."""

from ari_bridge.fsm.call import Call, Direction, Party, Recording, RecordingStatus
from ari_bridge.fsm.timeline import shifted, start

PARTY = Party(2, "far2", "7012", 1030.0, answered_at=1040.0)
CALL = Call(
    "c",
    Direction.OUTBOUND,
    "600",
    "1001",
    1000.0,
    ringing_at=1001.0,
    answered_at=1005.0,
    parties=(PARTY,),
    recordings=(Recording("c-rec", RecordingStatus.ON, 1050.0),),
)


def test_time_passes_as_it_does() -> None:
    timeline = start(Call("c", Direction.OUTBOUND, "600", "1001", 1000.0), wall=1000.0, monotonic=50.0)
    assert [timeline.at(50.0), timeline.at(53.5), timeline.at(40.0)] == [1000.0, 1003.5, 1000.0]


def test_a_call_that_is_taken_over_does_not_go_back() -> None:
    assert start(CALL, wall=900.0, monotonic=0.0).at(1.0) == 1051.0
    assert start(CALL, wall=2000.0, monotonic=0.0).at(1.0) == 2001.0


def test_all_times_are_shifted_and_no_duration() -> None:
    later = shifted(CALL, -3600.0)
    assert (later.created_at, later.ringing_at, later.answered_at, later.ended_at) == (-2600.0, -2599.0, -2595.0, None)
    assert (later.parties[0].created_at, later.parties[0].answered_at) == (-2570.0, -2560.0)
    assert later.recordings[0].started_at == -2550.0
