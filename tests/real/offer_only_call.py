"""Calls without a phone: a browser's offer as text, and a record of what the call tells."""

import asyncio

from ari_bridge.engine.call_manager import CallManager
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.notifications import Notification, StateChanged

FINGERPRINT = ":".join(["5A"] * 32)
HEAD = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
TRANSPORT = (
    "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:Xy12\r\na=ice-pwd:q1w2e3r4t5z6u7i8o9p0a1s2\r\n"
    f"a=ice-options:trickle\r\na=fingerprint:sha-256 {FINGERPRINT}\r\na=setup:actpass\r\na=mid:0\r\n"
    "a=sendrecv\r\na=rtcp-mux\r\n"
)
OPUS = "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n"
OFFER = f"{HEAD}m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n{TRANSPORT}{OPUS}a=rtpmap:0 PCMU/8000\r\n"
"""As a browser's `createOffer` makes it, before any ICE candidate is gathered."""
VIDEO_ONLY = f"{HEAD}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n{TRANSPORT}a=rtpmap:96 VP8/90000\r\n"
NO_KNOWN_CODEC = f"{HEAD}m=audio 9 UDP/TLS/RTP/SAVPF 9\r\n{TRANSPORT}a=rtpmap:9 G722/8000\r\n"
HUGE = OFFER + "a=x:" + "y" * (1 << 20) + "\r\n"


class OfferOnlyCall:
    """A call that was placed; `states` are the words that a client would be told, in order."""

    def __init__(
        self, calls: CallManager, target: str, *, sdp: str = OFFER, caller: str = "1001", call_id: str | None = None
    ) -> None:
        self._calls = calls
        self._ended = asyncio.Event()
        self.states: list[str] = []
        self.id = calls.place(target=target, sdp=sdp, caller=caller, call_id=call_id, listener=self._listen).id

    @property
    def call(self) -> Call:
        return self._calls.get(self.id)

    async def ended(self, *, seconds: float = 10.0) -> Call:
        """The call as it ended. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._ended.wait()
        return self.call

    def _listen(self, call: Call, notification: Notification) -> None:
        if isinstance(notification, StateChanged):
            self.states.append(call.state.value)
            if not call.state.live:
                self._ended.set()
