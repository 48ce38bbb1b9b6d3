"""The calls that ring at one client, and those that have."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from ari_bridge.fsm.call import Call
from ari_bridge_protocol import messages
from ari_bridge_protocol.messages import IncomingEndReason, ServerMessage
from frontend.calls.views import incoming_message

MAX_REMEMBERED_CALLS = 16


class RingingCalls:
    """Sends `incoming-call` and `incoming-ended`.

    Args:
        send: Sends a message to the client.
    """

    def __init__(self, send: Callable[[ServerMessage], None]) -> None:
        self._send = send
        self._ringing: set[str] = set()
        self._recent: deque[str] = deque(maxlen=MAX_REMEMBERED_CALLS)
        self._accepting: str | None = None

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._ringing

    def has_rung(self, call_id: str) -> bool:
        """Whether the call is one of the last that have rung here."""
        return call_id in self._recent

    def ring(self, call: Call) -> None:
        if call.id not in self._ringing:
            self._ringing.add(call.id)
            self._recent.append(call.id)
            self._send(incoming_message(call))

    def update_caller(self, call: Call) -> None:
        if call.id in self._ringing and call.id != self._accepting:
            self._send(incoming_message(call))

    def stop(self, call: Call, reason: str) -> None:
        if call.id in self._ringing and call.id != self._accepting:
            self._ringing.discard(call.id)
            self._send(messages.IncomingEnded(call.id, cast(IncomingEndReason, reason)))

    def stop_all(self) -> None:
        for call_id in self._ringing:
            self._send(messages.IncomingEnded(call_id, "cancelled"))
        self._ringing.clear()

    def forget_all(self) -> None:
        """Without telling the client."""
        self._ringing.clear()

    @contextmanager
    def accepting(self, call_id: str) -> Iterator[None]:
        """While this client accepts the call: only the user's other clients are sent the end of ringing."""
        self._accepting = call_id
        try:
            yield
        finally:
            self._accepting = None
        self._ringing.discard(call_id)
