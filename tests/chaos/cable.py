"""A network cable in software, for the faults that a kernel without sch_netem cannot make: loss, delay, jitter, a cut.

Run as `python -m tests.chaos.cable HOST_END FAR_END` by root. It makes two TUN devices of these names and carries
packets between them; `network.py` puts the far end into a namespace. Each line on standard input is a JSON object
with the faults from now on: `{"loss": 0.3, "delay": 0.05, "jitter": 0.2}` (a share, and seconds), all 0 when left
out; jitter is spread evenly and may change the order of packets, as netem does. Ends with its standard input.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import random
import struct
import sys
from dataclasses import dataclass
from typing import Any

_TUNSETIFF = 0x400454CA  # linux/if_tun.h
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_MTU = 1500
_RANDOM = random.Random(4)  # the same faults in every run


@dataclass
class Faults:
    """`loss`: the share of packets that vanish. `delay` in seconds, and up to `jitter` more of them."""

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0


def open_tun(name: str) -> int:
    """The file descriptor of a new TUN device that carries bare IP packets. Raises OSError."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    except BaseException:
        os.close(device)
        raise
    return device


class Cable:
    def __init__(self, ends: tuple[int, int]) -> None:
        self.faults = Faults()
        self._loop = asyncio.get_running_loop()
        for end, other in (ends, ends[::-1]):
            self._loop.add_reader(end, self._arrived, end, other)

    def _arrived(self, end: int, other: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                packet = os.read(end, _MTU)
                if _RANDOM.random() < self.faults.loss:
                    continue
                delay = self.faults.delay + _RANDOM.random() * self.faults.jitter
                if delay:
                    self._loop.call_later(delay, _put, other, packet)
                else:
                    _put(other, packet)


def _put(end: int, packet: bytes) -> None:
    with contextlib.suppress(OSError):  # an end that is down, or full, loses packets as any cable does
        os.write(end, packet)


async def carry(names: tuple[str, str]) -> None:
    """Until standard input ends."""
    loop = asyncio.get_running_loop()
    cable = Cable((open_tun(names[0]), open_tun(names[1])))
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while order := await orders.readline():
        values: dict[str, Any] = json.loads(order)
        cable.faults = Faults(**values)
        sys.stdout.write("done\n")
        sys.stdout.flush()


def main() -> None:
    with contextlib.suppress(OSError):
        os.nice(-10)  # what it delays must be what it was told to delay
    asyncio.run(carry((sys.argv[1], sys.argv[2])))


if __name__ == "__main__":
    main()
