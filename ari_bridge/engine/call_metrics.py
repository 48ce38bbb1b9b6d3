"""Counts and durations of calls. Durations are taken on the monotonic clock: Unix time may jump."""

import time

from ari_bridge import metrics
from ari_bridge.fsm import events
from ari_bridge.fsm.call import Call, Direction, Milestone, Step
from ari_bridge.fsm.events import Event

_BRIDGED = {Milestone.EXTERNAL_MEDIA_BRIDGED, Milestone.FAR_BRIDGED, Milestone.FAR_ANSWERED}


class CallMetrics:
    """Those of one call."""

    def __init__(self) -> None:
        self._started = 0.0  # the offer came
        self._agreed = 0.0  # outbound: the far side answered; inbound: the page accepted

    def adopted(self, call: Call) -> None:
        """The call was started by an earlier process."""
        metrics.ACTIVE_CALLS.labels(call.direction.value).inc()
        if call.outcome:
            self._ended(call)

    def on_transition(self, before: Call, after: Call, event: Event) -> None:
        now = time.monotonic()
        match event:
            case events.Placed() | events.Arrived():
                self._started = now
                metrics.ACTIVE_CALLS.labels(after.direction.value).inc()
            case events.Accepted():
                self._started = self._agreed = now
            case events.StepDone(step=Step.DIAL_FAR) if after.state.live:
                metrics.CALL_SETUP.labels("invite").observe(now - self._started)
            case events.StepDone(step=Step.ANSWER_MEDIA) if after.state.live:
                metrics.CALL_SETUP.labels("answer").observe(now - self._started)
            case _:
                pass
        if after.direction is Direction.OUTBOUND and Milestone.FAR_ANSWERED in after.milestones - before.milestones:
            self._agreed = now
        if after.reached >= _BRIDGED and not before.reached >= _BRIDGED and after.state.live:
            metrics.CALL_SETUP.labels("bridged").observe(now - self._agreed)
        if before.outcome is None and after.outcome:
            self._ended(after)

    def _ended(self, call: Call) -> None:
        direction = call.direction.value
        metrics.ACTIVE_CALLS.labels(direction).dec()
        if call.outcome:
            metrics.CALLS.labels(direction, call.outcome.value).inc()
        if call.answered_at and call.ended_at:
            metrics.CALL_DURATION.labels(direction).observe(max(0.0, call.ended_at - call.answered_at))
