"""Ports for the real parts: whatever is free, so that several runs go side by side."""

import random
from collections import deque

from deploy.demo.ports import Port, PortsTaken, require_free

HOST = "127.0.0.1"


_given_ports: deque[int] = deque(maxlen=500)


def ports(count: int) -> list[int]:
    """Ports that are free for UDP and TCP alike, all different.

    Below those that the system gives out by itself: a part may open its port much later, or again and again, and a
    browser's media would have taken it meanwhile.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(2_000, 12_000)
        if port in _given_ports:
            continue
        try:
            require_free([Port(HOST, "udp", port, "a part"), Port(HOST, "tcp", port, "a part")])
        except PortsTaken:
            continue
        _given_ports.append(port)
        found.append(port)
    return found


_LOWEST, _HIGHEST = 12_000, 32_000  # below the ports that the system gives out
_given: deque[range] = deque(maxlen=16)


def rtp_range(size: int = 400) -> tuple[int, int]:
    """First and last of `size` UDP ports in a row that are all free, and in none of the last ranges given out.

    A part takes its media ports call by call: two that were given the same free range would meet much later.
    """
    while True:
        first = random.randrange(_LOWEST, _HIGHEST - size, 2)  # RTP likes even ports
        wanted = range(first, first + size)
        if any(first < given.stop and given.start < wanted.stop for given in _given):
            continue
        try:
            require_free(Port(HOST, "udp", number, "media") for number in wanted)
        except PortsTaken:
            continue
        _given.append(wanted)
        return first, first + size - 1
