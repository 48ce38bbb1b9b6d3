"""Media that a client has prepared before its call begins."""

from collections.abc import Callable

from ari_bridge.engine.call_manager import CallManager
from ari_bridge.engine.prewarm import LegDiscarded, LegReady
from ari_bridge_protocol import messages


class PreparedMedia:
    """One connection's.

    Attributes:
        call_id: The last call that media was prepared for; "" if there is none.
        offer: The SDP offer of that media.
    """

    def __init__(self, calls: CallManager, send: Callable[[messages.ServerMessage], None]) -> None:
        self._calls = calls
        self._send = send
        self.call_id = ""
        self.offer = ""

    def prepare(self, message: messages.PrepareMedia, session: str, user: str | None) -> None:
        self._calls.prepare_media(
            message.call_id,
            sdp=message.sdp,
            session=session,
            user=user,
            prefer=message.prefer or "",
            listener=self._on_prewarm,
        )
        self.call_id, self.offer = message.call_id, message.sdp

    def _on_prewarm(self, update: LegReady | LegDiscarded) -> None:
        match update:
            case LegReady(call_id, sdp):
                self._send(messages.MediaPrepared(call_id, sdp))
            case LegDiscarded(call_id, reason):
                self._send(messages.MediaDiscarded(call_id, reason))
