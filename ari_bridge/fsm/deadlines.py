"""A call's deadlines: updated by the timers that its rules start and cancel, and resumed by the next process. Pure."""

from collections.abc import Iterable

from msgspec.structs import replace

from ari_bridge.fsm.actions import Action, CancelTimer, CancelTimers, StartTimer
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.events import Event, TimerFired
from ari_bridge.fsm.timing import Deadline, Timer, Timing, find_deadline, resumed, without_deadline


def update(call: Call, actions: Iterable[Action], event: Event, timing: Timing) -> Call:
    """The call with its deadlines after the event and the actions that it led to."""
    after = call.deadlines
    if isinstance(event, TimerFired):
        after = without_deadline(after, event.timer, event.party)
    for action in actions:
        match action:
            case StartTimer(timer, party, ago) if timer.outlives:
                since = timing.now - ago
                after = (
                    *without_deadline(after, timer, party),
                    Deadline(timer, party, since, since + _seconds(call, timer, timing)),
                )
            case CancelTimer(timer, party):
                after = without_deadline(after, timer, party)
            case CancelTimers():
                after = ()
            case _:
                pass
    return call if after == call.deadlines else replace(call, deadlines=after)


def resume(call: Call, actions: Iterable[Action], record: Call, at: float, timing: Timing) -> Call:
    """An adopted call with the deadlines of its record, for the timers that it starts. `at`: Unix seconds."""
    after = tuple(
        resumed(
            find_deadline(record.deadlines, action.timer, action.party),
            action.timer,
            action.party,
            timing.now,
            _seconds(call, action.timer, timing),
            _ran(record, action.timer, action.party, at),
        )
        for action in actions
        if isinstance(action, StartTimer) and action.timer.outlives
    )
    return replace(call, deadlines=after)


def _seconds(call: Call, timer: Timer, timing: Timing) -> float:
    return call.ring_seconds if timer is Timer.RING and call.ring_seconds else timing.duration(timer)


def _ran(record: Call, timer: Timer, party: int, at: float) -> float:
    """For how long the timer has run, if the record has no deadline for it; 0 if it starts only now."""
    if timer is Timer.RING:
        return at - record.created_at
    called = record.party(party)
    return at - called.created_at if timer is Timer.PARTY and called else 0.0
