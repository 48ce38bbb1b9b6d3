"""The NG commands of a call: the browser's encrypted Opus on one side, plain PCMU on the other."""

from ari_bridge.errors import InvalidSdp, PeerRefused
from ari_bridge.leg_stats import LegStats
from ari_bridge.media import activity, stats
from ari_bridge.media import sdp as sdp_text
from ari_bridge.media.activity import Load, PacketCount
from ari_bridge.media.bencode import Value
from ari_bridge.media.candidate_filter import CandidateFilter
from ari_bridge.media.codec_policy import PLAIN_OPUS, Codec, OpusOptions
from ari_bridge.media.ng import PEER, NgClient
from ari_bridge.net import RtpAddress

BROWSER, ASTERISK = "browser", "asterisk"  # the tags of the two sides

_FLAGS: list[Value] = ["generate-mid", "endpoint-learning-off"]
_TOWARDS_ASTERISK: dict[str, Value] = {
    "transport-protocol": "RTP/AVP",
    "ICE": "remove",
    "DTLS": "off",
    "rtcp-mux": ["demux"],
    "replace": ["origin", "session-connection"],
    # Where the browser is, ICE alone decides: its checks are authenticated (RFC 8445 section 7.3). What rtpengine would
    # learn from the packets of the first three seconds contradicts that up to 12.5: it may send by the one socket to
    # the other's peer, and there is no sound. And anyone's copy of a packet would redirect the sound: it keeps no
    # replay list.
    "flags": [*_FLAGS],
    # Its own reports to the browser: they say what is lost on the way here, which no one else knows, and the responses
    # give the round trip. A legacy Asterisk sends none that could be passed on.
    "generate RTCP": "on",
    "address-family": "IP4",  # whatever the browser has: a legacy Asterisk listens on IPv4
}
# `consume`, not `mask`: a browser that offers PCMU beside Opus is answered Opus, which survives packet loss.
_OPUS_TO_PCMU: dict[str, Value] = {
    "strip": ["PCMU", "PCMA", "G722", "red", "CN"],
    "consume": ["opus"],
    "transcode": ["PCMU"],
}
_PCMU_AS_IT_IS: dict[str, Value] = {"strip": ["opus", "PCMA", "G722", "red", "CN"]}
# Of an existing session. rtpengine would give Asterisk's side another port where the browser's address in the SDP is
# another one, and Asterisk's channel knows the first alone.
_AGAIN: dict[str, Value] = {**_TOWARDS_ASTERISK, "flags": [*_FLAGS, "port-latching"]}
_CODEC = {Codec.OPUS: _OPUS_TO_PCMU, Codec.PCMU: _PCMU_AS_IT_IS}
# No `DTLS passive`: rtpengine then is the active side, with which every client's handshake works.
# Asterisk has reported the address that it sends from. Learning it from packets instead, as rtpengine does by itself
# for the first three seconds, would send the browser's sound to anyone who sends to the port, and play what comes from
# there: somebody who tries ports, or an ended call's Asterisk or browser. `strict-source` alone keeps what was learned.
_TOWARDS_BROWSER: dict[str, Value] = {
    "transport-protocol": "UDP/TLS/RTP/SAVPF",
    "ICE": "force",
    "rtcp-mux": ["require"],
    "replace": ["origin", "session-connection"],
    "generate RTCP": "on",
    "flags": ["generate-mid", "endpoint-learning-off", "strict-source"],
}


class Rtpengine:
    """One rtpengine. `name`: a session's call-id there, `<application>:<leg>`. Every method raises PeerError."""

    def __init__(self, ng: NgClient, opus: OpusOptions = PLAIN_OPUS, candidates: CandidateFilter | None = None) -> None:
        self._ng = ng
        self._opus = opus
        self._candidates = candidates or CandidateFilter()
        # The answer must have as many sections as the offer.
        self._offers: dict[str, str] = {}

    async def offer(self, name: str, sdp: str, codec: Codec, *, within: float) -> RtpAddress:
        """The address that receives Asterisk's PCMU for the browser that made this offer and is to use `codec`.

        `within`: seconds.
        """
        answer = await self._ng.ask("offer", self._offer(name, sdp, codec), within)
        try:
            address = sdp_text.rtp_address(_sdp(answer, "offer"))
        except InvalidSdp as error:
            raise PeerRefused(PEER, "offer", f"its SDP cannot be used: {error}") from error
        self._offers[name] = sdp
        return address

    async def reoffer(self, name: str, sdp: str, codec: Codec, address: RtpAddress, *, within: float) -> None:
        """Another browser's offer (with new ICE and DTLS) for a session that was answered.

        Raises PeerRefused also where Asterisk's PCMU would have to go elsewhere than to `address`, as before.
        """
        # The browser begins DTLS. rtpengine would do so only when it has something to send.
        arguments = {**self._offer(name, sdp, codec), **_AGAIN, "DTLS": "passive", "to-tag": ASTERISK}
        answer = await self._ng.ask("offer", arguments, within)
        try:
            found = sdp_text.rtp_address(_sdp(answer, "offer"))
        except InvalidSdp as error:
            raise PeerRefused(PEER, "offer", f"its SDP cannot be used: {error}") from error
        if found != address:
            raise PeerRefused(PEER, "offer", f"it takes Asterisk's RTP at {found} now, and no more at {address}")
        self._offers[name] = sdp

    def _offer(self, name: str, sdp: str, codec: Codec) -> dict[str, Value]:
        return {
            **_TOWARDS_ASTERISK,
            "call-id": name,
            "from-tag": BROWSER,
            "sdp": self._candidates.apply(sdp_text.audio_only(sdp)),
            "codec": _CODEC[codec],
        }

    async def answer(self, name: str, asterisk: RtpAddress) -> str:
        """The SDP answer for the browser, once Asterisk receives at `asterisk`."""
        offer = self._offers.get(name)
        if offer is None:
            raise PeerRefused(PEER, "answer", f"there is no offer of {name}")
        arguments: dict[str, Value] = {
            **_TOWARDS_BROWSER,
            "call-id": name,
            "from-tag": BROWSER,
            "to-tag": ASTERISK,
            "sdp": sdp_text.pcmu_answer(asterisk),
        }
        answer = await self._ng.command("answer", **arguments)
        try:
            answered = _sdp(answer, "answer")
            self._candidates.learn(answered)
            whole = sdp_text.answer_all_sections(offer, answered)
            whole = sdp_text.with_opus_options(whole, fec=self._opus.fec, dtx=self._opus.dtx)
        except InvalidSdp as error:
            raise PeerRefused(PEER, "answer", f"its SDP cannot be used: {error}") from error
        self.forget(name)
        return whole

    async def trickle(self, name: str, sdp: str, codec: Codec) -> None:
        """The browser's offer again, once it was answered, with more ICE candidates; `codec`: as it was offered.

        Not where ICE has found the browser already. The whole offer, as rtpengine 10.5 forgets a session's media
        if it is given a fragment (RFC 8840): ICE works then, but there is no audio.
        """
        if activity.ice_connected(await self._ng.command("query", **{"call-id": name, "from-tag": BROWSER}), BROWSER):
            return
        await self._ng.command("offer", **{**self._offer(name, sdp, codec), **_AGAIN, "to-tag": ASTERISK})

    async def delete(self, name: str) -> LegStats | None:
        """End the session and return its statistics; None if it no longer exists."""
        self.forget(name)
        # With a tag the response has the statistics. Both sides are deleted all the same.
        arguments: dict[str, Value] = {"call-id": name, "from-tag": BROWSER, "delete-delay": 0}
        try:
            return stats.read(await self._ng.command("delete", **arguments), browser=BROWSER, asterisk=ASTERISK)
        except PeerRefused as error:
            if not _unknown(error):
                raise
            return None

    def forget(self, name: str) -> None:
        """This offer will not be answered."""
        self._offers.pop(name, None)

    async def names(self, limit: int, *, within: float) -> list[str]:
        """The names of its sessions, ours and others'; at most `limit`, as the response is one datagram."""
        answer = await self._ng.ask("list", {"limit": limit}, within)
        calls = answer.get("calls")
        if not isinstance(calls, list):
            return []
        return [call.decode("utf-8", "replace") for call in calls if isinstance(call, bytes)]

    async def packet_count(self, name: str) -> PacketCount | None:
        """What the browser has sent; None if rtpengine does not say. Raises UnknownSession if there is no session."""
        return activity.packet_count(await self._query(name), BROWSER)

    async def far_packets(self, name: str) -> int | None:
        """How many RTP packets Asterisk has sent; None if rtpengine does not say. Raises UnknownSession."""
        return activity.rtp_packets(await self._query(name), ASTERISK)

    async def _query(self, name: str) -> dict[str, Value]:
        try:
            return await self._ng.command("query", **{"call-id": name, "from-tag": BROWSER})
        except PeerRefused as error:
            raise (UnknownSession(name) if _unknown(error) else error) from error

    async def load(self) -> Load:
        """Its load, by us and others."""
        return activity.load(await self._ng.command("statistics"))


class UnknownSession(PeerRefused):
    """It has no such session."""

    def __init__(self, name: str) -> None:
        super().__init__(PEER, "query", f"it holds no session {name}")


def _unknown(error: PeerRefused) -> bool:
    """rtpengine's words: `Unknown call-id`; `Call-ID not found or tags didn't match`."""
    reason = error.reason.lower()
    return "unknown call-id" in reason or "call-id not found" in reason


def _sdp(answer: dict[str, Value], command: str) -> str:
    sdp = answer.get("sdp")
    if not isinstance(sdp, bytes):
        raise PeerRefused(PEER, command, "its answer has no SDP")
    return sdp.decode("utf-8", "replace")
