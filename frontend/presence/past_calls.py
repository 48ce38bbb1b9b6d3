"""Tells a user's pages of each call of theirs that has ended, so that the list of the last calls is one on all of them.

What ended while a page was away it reads from the call records. Knows whose a call is; asks no database.
"""

from ari_bridge.cdr import Cdr, from_call
from ari_bridge.hooks import CallEnded, HookEvent, Hooks
from ari_bridge_protocol.messages import PastCall
from frontend.presence.registrar import WebSocketRegistrar


class PastCalls:
    """Also where no records are kept: what is told here is not looked up."""

    def __init__(self, pages: WebSocketRegistrar, hooks: Hooks) -> None:
        self._pages = pages
        hooks.tap(self._on_hook)

    def _on_hook(self, event: HookEvent) -> None:
        if isinstance(event, CallEnded) and event.call.outcome:
            record = from_call(event.call)
            if record.user:
                self._pages.send_to_user(record.user, past_call(record))


def past_call(record: Cdr) -> PastCall:
    return PastCall(
        call_id=record.call_id,
        direction=record.direction,
        caller=record.caller,
        caller_name=record.caller_name,
        target=record.target,
        created_at=record.created_at,
        ended_at=record.ended_at,
        talk_seconds=record.talk_seconds,
        outcome=record.outcome,
        ringing_at=record.ringing_at,
        answered_at=record.answered_at,
        connected_number=record.connected_number,
        connected_name=record.connected_name,
    )
