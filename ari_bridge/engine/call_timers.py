"""The timers of one call that are running in this process.

When a timer that outlives the process expires is part of the call (`Call.deadlines`, `fsm.timing`); here it is only
handed to the event loop.
"""

import asyncio
import time

from ari_bridge.engine.call_context import CallContext
from ari_bridge.fsm.events import Timer, TimerFired
from ari_bridge.fsm.timing import find_deadline


class CallTimers:
    """`TimerFired` is posted for each that expires. `party`: of a timer of a party, whose; else 0."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        self._handles: dict[tuple[Timer, int], asyncio.TimerHandle] = {}

    def start(self, timer: Timer, party: int, ago: float) -> None:
        """Start it, or restart it. `ago`: seconds that it counts as having run already."""
        self.cancel(timer, party)
        now = time.monotonic()
        since, due = now - ago, now - ago + self._context.limits.duration(timer)
        if deadline := find_deadline(self._context.call.deadlines, timer, party):
            since, due = deadline.since, deadline.due
        self._handles[timer, party] = asyncio.get_running_loop().call_later(
            max(0.0, due - now), self._fired, timer, party, since
        )

    def cancel(self, timer: Timer, party: int) -> None:
        if handle := self._handles.pop((timer, party), None):
            handle.cancel()

    def cancel_all(self) -> None:
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _fired(self, timer: Timer, party: int, since: float) -> None:
        self._handles.pop((timer, party), None)
        self._context.post(TimerFired(time.time(), timer, party, time.monotonic() - since))
