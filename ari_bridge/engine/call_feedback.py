"""What pages report of how a call sounds, and users of a call that has ended: checked, and emitted to the hooks."""

import time
from typing import Any

from ari_bridge.engine.registry import CallRegistry
from ari_bridge.errors import WrongState
from ari_bridge.hooks import FeedbackGiven, Hooks, QualityReported

MAX_FEEDBACK_DELAY_S = 86400.0
"""After a call's end."""


class CallFeedback:
    """`CallManager.feedback`."""

    def __init__(self, registry: CallRegistry, hooks: Hooks) -> None:
        self._registry = registry
        self._hooks = hooks

    def report_quality(self, call_id: str, report: dict[str, Any]) -> None:
        """How the call has sounded on its page so far; JSON-ready. Raises UnknownCall."""
        self._hooks.emit(QualityReported(self._registry.get(call_id).id, report))

    def rate(self, call_id: str, feedback: dict[str, Any]) -> None:
        """The user's rating of an ended call; JSON-ready. Raises UnknownCall, WrongState."""
        call = self._registry.get(call_id)
        ended_at = call.left_at or call.ended_at
        if ended_at is None:
            raise WrongState("The call goes on: feedback is given after its end.", field="callId")
        if time.time() - ended_at > MAX_FEEDBACK_DELAY_S:
            raise WrongState("The call is too long ago: feedback is taken for a day.", field="callId")
        self._hooks.emit(FeedbackGiven(call.id, feedback))
