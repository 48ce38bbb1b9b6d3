"""rtpengine as the media engine of calls: the browser's encrypted Opus on one side, plain PCMU on the other."""

import time

from ari_bridge.calls.state import RtpAddress
from ari_bridge.errors import InvalidSdp, PeerRefused
from ari_bridge.media import sdp as sdp_text
from ari_bridge.media.bencode import Value
from ari_bridge.media.ng import PEER, NgClient, Observer

BROWSER, ASTERISK = "browser", "asterisk"  # the tags of the two sides

_TOWARDS_ASTERISK: dict[str, Value] = {
    "transport-protocol": "RTP/AVP",
    "ICE": "remove",
    "DTLS": "off",
    "rtcp-mux": ["demux"],
    "replace": ["origin", "session-connection"],
    "flags": ["generate-mid"],
}
# `consume`, not `mask`: a browser that offers PCMU beside Opus is answered Opus, which survives packet loss.
_OPUS_TO_PCMU: dict[str, Value] = {
    "strip": ["PCMU", "PCMA", "G722", "red", "CN"],
    "consume": ["opus"],
    "transcode": ["PCMU"],
}
_PCMU_AS_IT_IS: dict[str, Value] = {"strip": ["PCMA", "G722", "red", "CN"]}
# No `DTLS passive`: rtpengine then is the active side, with which every client's handshake works.
_TOWARDS_BROWSER: dict[str, Value] = {
    "transport-protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "rtcp-mux": ["require"],
    "replace": ["origin", "session-connection"],
    "flags": ["generate-mid"],
}


class Rtpengine:
    """`address`: `host:port` of its NG port, UDP. `timeout`: seconds for a command."""

    def __init__(self, address: str, *, timeout: float = 3.0, request_observer: Observer | None = None) -> None:
        host, _, port = address.rpartition(":")
        self._ng = NgClient(host.strip("[]"), int(port), timeout=timeout, observer=request_observer)
        # The answer must have as many sections as the offer.
        self._offers: dict[str, str] = {}

    async def start(self) -> None:
        await self._ng.open()

    async def close(self) -> None:
        await self._ng.close()

    async def ping(self) -> float:
        """Seconds that an answer takes. Raises PeerError."""
        began = time.perf_counter()
        await self._ng.command("ping")
        return time.perf_counter() - began

    async def offer(self, call_id: str, sdp: str) -> RtpAddress:
        """Where rtpengine takes Asterisk's PCMU for the browser that made this offer. Raises PeerError."""
        audio = sdp_text.audio_only(sdp)
        arguments: dict[str, Value] = {
            **_TOWARDS_ASTERISK,
            "call-id": call_id,
            "from-tag": BROWSER,
            "sdp": audio,
            "codec": _OPUS_TO_PCMU if sdp_text.has_opus(sdp) else _PCMU_AS_IT_IS,
        }
        answer = await self._ng.command("offer", **arguments)
        try:
            address = sdp_text.rtp_address(_sdp(answer, "offer"))
        except InvalidSdp as error:
            raise PeerRefused(PEER, "offer", f"its SDP cannot be used: {error}") from error
        self._offers[call_id] = sdp
        return address

    async def answer(self, call_id: str, asterisk: RtpAddress) -> str:
        """The SDP answer for the browser, once Asterisk receives at `asterisk`. Raises PeerError."""
        arguments: dict[str, Value] = {
            **_TOWARDS_BROWSER,
            "call-id": call_id,
            "from-tag": BROWSER,
            "to-tag": ASTERISK,
            "sdp": sdp_text.pcmu_answer(asterisk),
        }
        offer = self._offers.pop(call_id)  # now: the call may end, and forget it, while rtpengine answers
        answer = await self._ng.command("answer", **arguments)
        return sdp_text.answer_all_sections(offer, _sdp(answer, "answer"))

    async def delete(self, call_id: str) -> None:
        """End the session; one that is gone already is no error. Raises PeerError."""
        self._offers.pop(call_id, None)
        arguments: dict[str, Value] = {"call-id": call_id, "delete-delay": 0}
        await self._ng.command("delete", **arguments)

    async def sessions(self) -> list[str]:
        """The call ids that rtpengine holds, at most 10 000. Raises PeerError."""
        answer = await self._ng.command("list", limit=10_000)
        calls = answer.get("calls", [])
        return (
            [call.decode("utf-8", "replace") for call in calls if isinstance(call, bytes)]
            if isinstance(calls, list)
            else []
        )


def _sdp(answer: dict[str, Value], command: str) -> str:
    sdp = answer.get("sdp")
    if not isinstance(sdp, bytes):
        raise PeerRefused(PEER, command, "its answer has no SDP")
    return sdp.decode("utf-8", "replace")
