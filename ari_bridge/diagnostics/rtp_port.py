"""One RTP port with PCMU (RFC 3550, RFC 3551): sends silence or a tone, and hands on what it hears."""

import asyncio
import math
import secrets
import struct
import time
from collections.abc import Callable

from ari_bridge.net import RtpAddress

RATE_HZ = 8000
FRAME_S = 0.02
_FRAME_SAMPLES = 160
_HEADER = struct.Struct("!BBHII")
_PCMU = 0
_SILENCE = b"\xff" * _FRAME_SAMPLES
_BIAS, _CLIP = 0x84, 32635


def decode(code: int) -> int:
    """The 16 bit sample of a byte of µ-law (ITU-T G.711)."""
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS << (code >> 4 & 7)) - _BIAS
    return -magnitude if code & 0x80 else magnitude


def encode(sample: int) -> int:
    sign, magnitude = (0x80, -sample) if sample < 0 else (0, sample)
    magnitude = min(magnitude, _CLIP) + _BIAS
    exponent = max(0, magnitude.bit_length() - 8)
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3) & 0x0F)) & 0xFF


SAMPLES = tuple(map(decode, range(256)))
"""By µ-law's byte."""


def tone(hz: float, *, amplitude: float = 0.35) -> bytes:
    """A second of it, as µ-law; `hz` a whole number, so that it can be repeated without a gap."""
    wave = (math.sin(2 * math.pi * hz * n / RATE_HZ) for n in range(RATE_HZ))
    return bytes(encode(round(amplitude * 32767 * value)) for value in wave)


class RtpPort(asyncio.DatagramProtocol):
    """A UDP port for RTP.

    Args:
        heard: Called with the µ-law of each packet.

    Attributes:
        address: Where it receives.
        received: How many packets of PCMU have come.
    """

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self._heard = heard
        self.received = 0
        self._sending: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    @classmethod
    async def open(cls, host: str, heard: Callable[[bytes], None]) -> "RtpPort":
        """At a free port of this address of ours. Raises OSError."""
        _, port = await asyncio.get_running_loop().create_datagram_endpoint(lambda: cls(heard), local_addr=(host, 0))
        return port

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.address = RtpAddress(*transport.get_extra_info("sockname")[:2])

    def datagram_received(self, data: bytes, addr: object) -> None:
        if len(data) < _HEADER.size or data[0] >> 6 != 2 or data[1] & 0x7F != _PCMU:
            return
        start = _HEADER.size + 4 * (data[0] & 0x0F)
        if data[0] & 0x10 or len(data) <= start:
            return  # a header extension: nobody sends it with PCMU
        self.received += 1
        self._heard(data[start : start + 10 * _FRAME_SAMPLES])

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def error_received(self, exc: Exception) -> None:
        """Nobody receives there (yet)."""

    def send_to(self, remote: RtpAddress, sound: bytes = _SILENCE) -> None:
        """Send `sound` (µ-law, whole frames) over and over from now on."""
        self._sending = asyncio.create_task(self._send(remote, sound), name="RTP")

    async def close(self) -> None:
        if self._sending:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        self._transport.close()
        await self._closed.wait()

    async def _send(self, remote: RtpAddress, sound: bytes) -> None:
        source, began, number = secrets.randbits(32), time.monotonic(), 0
        while True:
            at = number * _FRAME_SAMPLES
            header = _HEADER.pack(0x80, _PCMU, number & 0xFFFF, at & 0xFFFFFFFF, source)
            start = at % len(sound)
            self._transport.sendto(header + sound[start : start + _FRAME_SAMPLES], (remote.host, remote.port))
            number += 1
            await asyncio.sleep(max(0.0, began + number * FRAME_S - time.monotonic()))


def offer(address: RtpAddress) -> str:
    """An SDP offer of PCMU, received there."""
    family = "IP6" if ":" in address.host else "IP4"
    lines = [
        "v=0",
        f"o=- {secrets.randbits(31)} 1 IN {family} {address.host}",
        "s=-",
        f"c=IN {family} {address.host}",
        "t=0 0",
        f"m=audio {address.port} RTP/AVP 0 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
        "a=sendrecv",
    ]
    return "".join(f"{line}\r\n" for line in lines)
