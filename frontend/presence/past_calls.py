"""Sends each call that has ended to its user's pages, so that all of them show the same list of recent calls.

A page reads the calls that ended while it was offline from the call records. Needs no database.
"""

from ari_bridge.cdr import Cdr, from_call
from ari_bridge.hooks import CallEnded, HookEvent, Hooks
from ari_bridge_protocol.messages import PastCall
from frontend.presence.registrar import WebSocketRegistrar


class PastCalls:
    """Sends ended calls; also works if no call records are kept.

    Args:
        pages: The registered pages.
        hooks: Report calls that have ended.
    """

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
