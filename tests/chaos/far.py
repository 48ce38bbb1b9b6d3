"""The far party's sound in a process of its own, so that a busy test neither delays its tone nor blurs its ears.

Run as `python -m tests.chaos.far`. It takes PCMU on one UDP port, sends a tone back to every address that sends to
it, and remembers when it heard the page's tone, by the kernel's time of arrival. Standard output first has the port;
each line on standard input is answered by one line of JSON: for every far address, the spans of time with the tone,
and those with other sound.
"""

import asyncio
import contextlib
import json
import os
import select
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

import numpy as np

from tests.real.rtp import FRAME, PCMU, RATE, decode, encode
from tests.real.tone_presence import FRAME_SECONDS, Span, TonePresence, has_tone

_HEADER = struct.Struct("!BBHII")  # RFC 3550 section 5.1
_TIMESTAMPNS = getattr(socket, "SO_TIMESTAMPNS", 35)  # asm-generic/socket.h; Python has no name for it
_TIME = struct.Struct("@qq")  # struct timespec
FAR_TONE = 700.0
"""Hz that the far party sends."""
PAGE_TONE = 440.0
"""Hz that it listens for."""


class Ears:
    """The loop: packets in, a packet out to everyone each 20 ms."""

    def __init__(self, host: str) -> None:
        self.heard: dict[tuple[str, int], TonePresence] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self._tone = [_tone(number) for number in range(RATE // FRAME)]  # one second: a whole number of turns
        self._sent = 0

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def run(self) -> None:
        """Until standard input ends."""
        started = time.monotonic()
        while True:
            due = started + self._sent * FRAME / RATE - time.monotonic()
            if due <= 0:
                self._send()
                continue
            readable, _, _ = select.select([self._socket, sys.stdin], [], [], due)
            if self._socket in readable:
                self._receive()
            if sys.stdin in readable and not self._answer():
                return

    def _receive(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _, address = self._socket.recvmsg(2048, 64)
                if len(data) < _HEADER.size or data[0] >> 6 != 2 or data[1] & 0x7F != PCMU:
                    continue
                presence = self.heard.setdefault(address, TonePresence())
                arrived = _arrival(ancillary)
                tone = has_tone(decode(data[_HEADER.size :]), PAGE_TONE, RATE)
                presence.heard(arrived - FRAME_SECONDS, arrived, tone=tone)

    def _send(self) -> None:
        header = _HEADER.pack(0x80, PCMU, self._sent & 0xFFFF, self._sent * FRAME & 0xFFFFFFFF, 0x7E57)
        packet = header + self._tone[self._sent % len(self._tone)]
        for address in self.heard:
            with contextlib.suppress(OSError):
                self._socket.sendto(packet, address)
        self._sent += 1

    def _answer(self) -> bool:
        order = sys.stdin.readline()
        if not order:
            return False
        if order.strip() == "forget":
            self.heard.clear()
        heard = {f"{host}:{port}": (each.spans, each.other) for (host, port), each in self.heard.items()}
        sys.stdout.write(json.dumps(heard) + "\n")
        sys.stdout.flush()
        return True


def _tone(number: int) -> bytes:
    turns = np.arange(number * FRAME, (number + 1) * FRAME) * (FAR_TONE / RATE) % 1.0
    return encode((np.sin(2 * np.pi * turns) * 8000).astype(np.int16))


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> float:
    for level, kind, value in ancillary:
        if level == socket.SOL_SOCKET and kind == _TIMESTAMPNS:
            seconds, nanoseconds = _TIME.unpack(value[: _TIME.size])
            return float(seconds + nanoseconds / 1e9)
    return time.time()


@dataclass
class Far:
    """The test's handle of that process: `async with Far() as far`. SIPp is told `far.port`."""

    host: str = "127.0.0.1"
    port: int = field(default=0, init=False)
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def heard(self) -> dict[str, TonePresence]:
        """For every address of Asterisk's that sent here: when the page's tone was heard."""
        return await self._ask("tell")

    async def forget(self) -> None:
        """Knows no address any more; calls that still stand come back with their next packet."""
        await self._ask("forget")

    async def _ask(self, order: str) -> dict[str, TonePresence]:
        assert self._process and self._process.stdin and self._process.stdout
        async with self._busy:
            self._process.stdin.write(f"{order}\n".encode())
            answer: dict[str, list[list[Span]]] = json.loads(await self._process.stdout.readline())
        return {
            address: TonePresence(*([(start, end) for start, end in spans] for spans in both))
            for address, both in answer.items()
        }

    async def __aenter__(self) -> "Far":
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.far", self.host),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
        assert self._process.stdout
        self.port = int(await self._process.stdout.readline())
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._process and self._process.stdin
        self._process.stdin.close()
        await self._process.wait()


def main() -> None:
    with contextlib.suppress(OSError):
        os.nice(-10)  # an instrument: what it measures must not depend on who else computes
    ears = Ears(sys.argv[1])
    sys.stdout.write(f"{ears.port}\n")
    sys.stdout.flush()
    ears.run()


if __name__ == "__main__":
    main()
