"""What the metrics and hooks are told of each change of a call."""

import time

from ari_bridge import metrics
from ari_bridge.fsm import events
from ari_bridge.fsm.call import Call, CallState, Direction, Fact, Step
from ari_bridge.fsm.events import Event
from ari_bridge.hooks import CallChanged, CallEnded, CallReleased, CallStarted, Hooks, LegReleased

_BRIDGED = {Fact.EXTERNAL_MEDIA_BRIDGED, Fact.FAR_BRIDGED, Fact.FAR_ANSWERED}


def _shown(call: Call) -> tuple[object, ...]:
    """What clients see of a call besides its state."""
    return (
        call.held,
        call.held_by_far,
        call.transferring,
        call.left,
        call.far_is_here,
        call.far_number,
        call.far_name,
        call.recording,
    )


def _parties_shown(call: Call) -> list[tuple[object, ...]]:
    return [(party.number, party.name, party.state, party.here) for party in call.parties]


def _seen_otherwise(before: Call, after: Call) -> bool:
    """Whether clients see another call. Asked at every event, of which few change what is seen."""
    if before is after:
        return False
    if _shown(before) != _shown(after):
        return True
    return before.parties is not after.parties and _parties_shown(before) != _parties_shown(after)


class CallObserver:
    """One call's. Intervals are taken on the monotonic clock: Unix time may jump."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks
        self._began = 0.0  # the offer came
        self._agreed = 0.0  # outbound: the far side answered; inbound: the page accepted

    def adopted(self, call: Call) -> None:
        """The call was begun by an earlier process."""
        metrics.ACTIVE_CALLS.labels(call.direction.value).inc()
        if call.outcome:  # it ended before we looked
            self._ended(call)

    def changed(self, before: Call, after: Call, event: Event) -> None:
        now = time.monotonic()
        match event:
            case events.Placed() | events.Arrived():
                self._began = now
                metrics.ACTIVE_CALLS.labels(after.direction.value).inc()
                self._hooks.emit(CallStarted(after))
            case events.Accepted():
                self._began = self._agreed = now
            case events.StepDone(step=Step.DIAL_FAR) if after.state.live:
                metrics.CALL_SETUP.labels("invite").observe(now - self._began)
            case events.StepDone(step=Step.ANSWER_MEDIA) if after.state.live:
                metrics.CALL_SETUP.labels("answer").observe(now - self._began)
            case events.Released(leg=leg, figures=figures) if figures:
                self._hooks.emit(LegReleased(after.id, leg, figures))
            case _:
                pass
        if before.state is after.state and _seen_otherwise(before, after):
            self._hooks.emit(CallChanged(after))
        if after.direction is Direction.OUTBOUND and Fact.FAR_ANSWERED in after.facts - before.facts:
            self._agreed = now
        if after.facts >= _BRIDGED and not before.facts >= _BRIDGED and after.state.live:
            metrics.CALL_SETUP.labels("bridged").observe(now - self._agreed)
        if before.state is not after.state:
            self._moved(before, after)

    def _moved(self, before: Call, after: Call) -> None:
        if after.state.live:
            self._hooks.emit(CallChanged(after))
            return
        if before.outcome is None and after.outcome:
            self._ended(after)
        if after.state is CallState.ENDED:
            self._hooks.emit(CallReleased(after))

    def _ended(self, call: Call) -> None:
        direction = call.direction.value
        metrics.ACTIVE_CALLS.labels(direction).dec()
        if call.outcome:
            metrics.CALLS.labels(direction, call.outcome.value).inc()
        if call.answered_at and call.ended_at:
            metrics.CALL_DURATION.labels(direction).observe(max(0.0, call.ended_at - call.answered_at))
        self._hooks.emit(CallEnded(call))
