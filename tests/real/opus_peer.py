"""A SIP phone's media in Opus: as `RtpPeer`, but every packet is really encoded and decoded."""

import asyncio
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext

from ari_bridge_client.audio import RATE_HZ, Samples
from tests.real.rtp import HEADER, RtpPeer, Stream

OPUS = 111
"""The RTP payload type that our offers give to Opus."""
FRAME = 960  # samples at 48 kHz: 20 ms


class OpusPeer(RtpPeer):
    """Sends a tone of `hz` in Opus to everyone it hears, and keeps what comes in Opus, as `payload_type`."""

    def __init__(self, hz: float | None, *, peak: int = 8000) -> None:
        super().__init__(hz, peak=peak)
        self.payload_type = OPUS
        self._decoders: dict[int, AudioCodecContext] = {}  # by the id of the stream: Opus has a memory

    def take(self, stream: Stream, payload_type: int, payload: bytes) -> None:
        if payload_type != self.payload_type:
            return
        decoder = self._decoders.get(id(stream))
        if decoder is None:
            decoder = self._decoders[id(stream)] = _codec("r")
        for frame in decoder.decode(av.Packet(payload)):
            samples = frame.to_ndarray()
            mono = samples.reshape(-1, frame.layout.nb_channels)[:, 0] if samples.shape[0] == 1 else samples[0]
            if mono.dtype != np.int16:  # float, from -1 to 1
                mono = np.clip(mono, -1, 1) * 32767
            stream.heard.feed(mono.astype(np.int16), RATE_HZ)

    async def _send(self, hz: float) -> None:
        encoder = _codec("w")
        loop = asyncio.get_running_loop()
        started = loop.time()
        number = 0
        for position in range(0, 1 << 40, FRAME):
            turns = np.arange(position, position + FRAME) * (hz / RATE_HZ) % 1.0
            tone: Samples = (np.sin(2 * np.pi * turns) * self.peak).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[np.newaxis], format="s16", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, position, Fraction(1, RATE_HZ)
            for packet in encoder.encode(frame):
                header = HEADER.pack(0x80, self.payload_type, number & 0xFFFF, (number * FRAME) & 0xFFFFFFFF, 0x0B05)
                number += 1
                for address in () if self.silent else list(self.streams):
                    self.send(header + bytes(packet), address)
            await asyncio.sleep(max(0.0, started + (position + FRAME) / RATE_HZ - loop.time()))


def _codec(mode: Literal["r", "w"]) -> AudioCodecContext:
    context = av.CodecContext.create("libopus", mode)
    assert isinstance(context, AudioCodecContext)
    context.sample_rate = RATE_HZ
    context.layout = "stereo"
    if mode == "w":
        context.format = av.AudioFormat("s16")
        context.options = {"application": "voip"}
    return context
