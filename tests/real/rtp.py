"""A SIP phone's media in the tests: takes PCMU packets, sends a tone back, and keeps what it hears.

One socket serves any number of calls: each far address is a `Stream` of its own. It sends to where packets come
from, so that nothing needs to be known of the call's SDP.
"""

import asyncio
import itertools
import struct
from dataclasses import dataclass, field
from typing import Self, cast

import numpy as np

from ari_bridge_client.audio import ReceivedAudio, Samples

RATE = 8000  # Hz, of PCMU
FRAME = 160  # samples: 20 ms
PCMU = 0  # RTP payload type (RFC 3551)
_BIAS = 0x84
HEADER = struct.Struct("!BBHII")  # RFC 3550 section 5.1


def _decode_table() -> Samples:
    """ITU-T G.711 µ-law: every byte as a 16 bit sample."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4) & 7
    magnitude = (((code & 15).astype(np.int32) << 3) + _BIAS << exponent.astype(np.int32)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


_DECODED = _decode_table()
_BY_VALUE = np.argsort(_DECODED, kind="stable")


def encode(samples: Samples) -> bytes:
    """µ-law: for each sample the byte whose value is next above or equal to it."""
    place = np.searchsorted(_DECODED[_BY_VALUE], samples)
    return _BY_VALUE[np.minimum(place, 255)].astype(np.uint8).tobytes()


def decode(payload: bytes) -> Samples:
    return _DECODED[np.frombuffer(payload, dtype=np.uint8)]


@dataclass
class Stream:
    """What came from one far address."""

    heard: ReceivedAudio = field(default_factory=ReceivedAudio)
    payload_types: set[int] = field(default_factory=set)  # RTP payload types seen
    packets: int = 0


class RtpPeer(asyncio.DatagramProtocol):
    """`hz`: the tone that it sends to everyone it hears; None: it sends nothing. `peak`: how loud, of 32767."""

    def __init__(self, hz: float | None, *, peak: int = 8000) -> None:
        self.hz = hz
        self.peak = peak
        self._stamps = itertools.count(8000, 4000)
        self.silent = False  # it sends nothing, as one who has nothing to say
        self.streams: dict[tuple[str, int], Stream] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._sender: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    @property
    def port(self) -> int:
        assert self._transport
        return int(self._transport.get_extra_info("sockname")[1])

    async def stream(self, number: int = 0, *, seconds: float = 5.0) -> Stream:
        """The stream that came as the `number`-th (from 0). Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while len(self.streams) <= number:
                self._arrived.clear()
                await self._arrived.wait()
        return list(self.streams.values())[number]

    def speak(self, address: tuple[str, int]) -> None:
        """Sends there at once. Two that both wait to be spoken to, a PBX alone between them, would wait for ever."""
        self.streams.setdefault(address, Stream())

    def forget(self) -> None:
        """Forgets all streams: the next call begins anew."""
        self.streams.clear()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # a class of its own in asyncio and in uvloop

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) < HEADER.size or data[0] >> 6 != 2 or 192 <= data[1] <= 223:  # no RTP, or RTCP (RFC 5761)
            return
        stream = self.streams.get(addr)
        if stream is None:
            stream = self.streams[addr] = Stream()
            self._arrived.set()
        stream.packets += 1
        stream.payload_types.add(data[1] & 0x7F)
        self.take(stream, data[1] & 0x7F, data[HEADER.size :])

    def take(self, stream: Stream, payload_type: int, payload: bytes) -> None:
        """One packet's sound."""
        if payload_type == PCMU:
            stream.heard.feed(decode(payload), RATE)

    def press(self, key: str, address: tuple[str, int], payload_type: int) -> None:
        """Sends one key as RFC 4733 has it: its end three times."""
        code = "0123456789*#ABCD".index(key)
        stamp = next(self._stamps)
        for number in range(6):
            end = 0x80 if number >= 3 else 0
            header = HEADER.pack(0x80, payload_type | (0x80 if number == 0 else 0), stamp + number, stamp, 0x7E57)
            self.send(header + bytes((code, end | 10)) + min(160 * (number + 1), 640).to_bytes(2, "big"), address)

    def send(self, packet: bytes, address: tuple[str, int]) -> None:
        assert self._transport
        self._transport.sendto(packet, address)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        if self.hz is not None:
            self._sender = asyncio.create_task(self._send(self.hz))
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._sender:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
        if self._transport:
            self._transport.close()
            await asyncio.sleep(0)

    async def _send(self, hz: float) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        for number in range(1 << 31):
            position = number * FRAME
            turns = np.arange(position, position + FRAME) * (hz / RATE) % 1.0
            payload = encode((np.sin(2 * np.pi * turns) * self.peak).astype(np.int16))
            packet = HEADER.pack(0x80, PCMU, number & 0xFFFF, position & 0xFFFFFFFF, 0x7E57) + payload
            for address in () if self.silent else self.streams:
                self.send(packet, address)
            await asyncio.sleep(max(0.0, started + (number + 1) * FRAME / RATE - loop.time()))
