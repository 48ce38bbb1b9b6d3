"""Ports for the real parts: whatever is free, so that several runs go side by side."""

import random
import socket
from contextlib import ExitStack

from deploy.demo.ports import Port, PortsTaken, require_free

HOST = "127.0.0.1"


def ports(count: int) -> list[int]:
    """Ports that are free for UDP and TCP alike, all different."""
    with ExitStack() as held:
        found: list[int] = []
        while len(found) < count:
            tcp = held.enter_context(socket.socket())
            tcp.bind((HOST, 0))
            udp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            found.append(tcp.getsockname()[1])
        return found


def rtp_range(size: int = 400) -> tuple[int, int]:
    """First and last of `size` UDP ports in a row that are all free, below the ports that the system gives out."""
    while True:
        first = random.randrange(12_000, 32_000 - size, size)
        try:
            require_free(Port(HOST, "udp", number, "media") for number in range(first, first + size))
        except PortsTaken:
            continue
        return first, first + size - 1
