"""The media of a call by aiortc: one peer connection after the other, with the same source and receiver."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from ari_bridge_client.errors import MediaMissing
from ari_bridge_protocol.messages import IceServer

try:
    import aioice.ice
    import numpy as np
    from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
    from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
    from av import AudioFrame
except ImportError as error:
    raise MediaMissing(error.name) from error

from ari_bridge_client.audio import FRAME_SAMPLES, ReceivedAudio, Silence, Source, feed_from_track
from ari_bridge_client.media import MediaStats

_JITTER_CLOCK_HZ = 48_000


def allow_loopback_candidates() -> None:
    """aioice leaves loopback out of its candidates, but a server on this machine may be reached by nothing else."""
    found = aioice.ice.get_host_addresses

    def addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
        others = [address for address in found(use_ipv4, use_ipv6) if address != "127.0.0.1"]
        return (["127.0.0.1"] if use_ipv4 else []) + others

    if not getattr(found, "with_loopback", False):
        addresses.with_loopback = True  # type: ignore[attr-defined]
        aioice.ice.get_host_addresses = addresses


class _OutboundTrack(MediaStreamTrack):
    """What one media connection sends. It is stopped with that connection, but the source goes on in the next."""

    kind = "audio"

    def __init__(self, media: "AiortcMedia", source: Source) -> None:
        super().__init__()
        self._media = media
        self._source = source

    async def recv(self) -> Any:
        if self.readyState != "live":
            raise MediaStreamError
        frame: AudioFrame = await self._source.recv()
        return _silent(frame) if self._media.muted else frame


def _silent(frame: AudioFrame) -> AudioFrame:
    """The same frame with silence."""
    silent = AudioFrame.from_ndarray(np.zeros((1, FRAME_SAMPLES), dtype=np.int16), format="s16", layout="mono")
    silent.sample_rate, silent.pts, silent.time_base = frame.sample_rate, frame.pts, frame.time_base
    return silent


class AiortcMedia:
    """Implements `Media`.

    Args:
        source: The sound to send. None: silence.
        codec: The only codec to offer; "": all that aiortc knows.

    Attributes:
        received_audio: The last ten seconds of what was received.
    """

    def __init__(self, source: Source | None = None, *, codec: str = "") -> None:
        self.received_audio = ReceivedAudio()
        self.muted = False
        self.sdp_offer = ""
        self.sdp_answer = ""
        self._source = source or Silence()
        self._codec = codec
        self._peer: RTCPeerConnection | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: dict[RTCPeerConnection, asyncio.Task[None]] = {}

    async def create_offer(self, ice_servers: Sequence[IceServer]) -> str:
        self.stop()
        allow_loopback_candidates()
        self.sdp_answer = ""
        peer = self._peer = self._new_peer(ice_servers)
        await peer.setLocalDescription(await peer.createOffer())
        self.sdp_offer = peer.localDescription.sdp
        return self.sdp_offer

    async def set_answer(self, sdp: str) -> None:
        self.sdp_answer = sdp
        if self._peer:
            await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def mute(self, muted: bool) -> None:
        self.muted = muted

    async def get_stats(self) -> MediaStats:
        sent, received, lost, jitter = 0, 0, 0, None
        for report in (await self._peer.getStats()).values() if self._peer else ():
            if report.type == "inbound-rtp":
                received, lost, jitter = report.packetsReceived, report.packetsLost, report.jitter / _JITTER_CLOCK_HZ
            elif report.type == "outbound-rtp":
                sent = report.packetsSent
        return MediaStats(_codec_of(self.sdp_answer), sent, received, lost, jitter)

    def stop(self) -> None:
        """At once: packets would go on arriving at ports that the next call may get."""
        peer = self._peer
        if peer is not None and peer not in self._closing:
            # To the end: an aiortc connection whose closing is cancelled never closes.
            self._closing[peer] = asyncio.create_task(peer.close())

    async def close(self) -> None:
        self.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._closing.values())
        self.received_audio.close()

    def _new_peer(self, ice_servers: Sequence[IceServer]) -> RTCPeerConnection:
        servers = [RTCIceServer(one.urls, one.username, one.credential) for one in ice_servers]
        peer = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        sender = peer.addTrack(_OutboundTrack(self, self._source))
        if self._codec:
            known = RTCRtpSender.getCapabilities("audio").codecs
            wanted = [each for each in known if each.mimeType.lower() == f"audio/{self._codec.lower()}"]
            [transceiver] = [each for each in peer.getTransceivers() if each.sender is sender]
            transceiver.setCodecPreferences(wanted)
        peer.on("track", lambda track: self._run(self._listen(peer, track)))
        return peer

    async def _listen(self, peer: RTCPeerConnection, track: MediaStreamTrack) -> None:
        await feed_from_track(track, self.received_audio)
        if peer is self._peer:
            self.received_audio.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _codec_of(sdp: str) -> str:
    """The first codec of an SDP."""
    for line in sdp.splitlines():
        if line.startswith("a=rtpmap:"):
            return line.split(" ", 1)[1].split("/")[0]
    return ""
