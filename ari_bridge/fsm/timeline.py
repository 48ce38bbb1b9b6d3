"""The clock of one call: Unix seconds, without the steps of the wall clock while it lasts. Pure.

The wall clock may be set at any time, by minutes or hours. A call starts by it, and continues by the monotonic clock:
so the times in its row are in order, and its durations right.
"""

from dataclasses import dataclass

from msgspec.structs import replace

from ari_bridge.fsm.call import Call


@dataclass(frozen=True)
class Timeline:
    """`wall`: Unix seconds at `monotonic`, when the call started or was adopted."""

    wall: float
    monotonic: float

    def at(self, monotonic: float) -> float:
        """Unix seconds, as the wall clock would show them if it had not been set."""
        return self.wall + max(0.0, monotonic - self.monotonic)


def start(call: Call, wall: float, monotonic: float) -> Timeline:
    """Of a new or adopted call. No later event of it may precede what has happened to it already."""
    return Timeline(max(wall, *_times(call)), monotonic)


def shifted(call: Call, seconds: float) -> Call:
    """The call with all its times shifted: the wall clock was set by that since they were recorded."""

    def later(at: float | None) -> float | None:
        return None if at is None else at + seconds

    parties = tuple(
        replace(
            party,
            created_at=party.created_at + seconds,
            answered_at=later(party.answered_at),
            ended_at=later(party.ended_at),
        )
        for party in call.parties
    )
    return replace(
        call,
        created_at=call.created_at + seconds,
        ringing_at=later(call.ringing_at),
        answered_at=later(call.answered_at),
        ended_at=later(call.ended_at),
        left_at=later(call.left_at),
        parties=parties,
        recordings=tuple(replace(one, started_at=one.started_at + seconds) for one in call.recordings),
    )


def _times(call: Call) -> list[float]:
    times = [call.created_at, call.ringing_at, call.answered_at, call.ended_at, call.left_at]
    times += [at for party in call.parties for at in (party.created_at, party.answered_at, party.ended_at)]
    times += [recording.started_at for recording in call.recordings]
    return [at for at in times if at is not None]
