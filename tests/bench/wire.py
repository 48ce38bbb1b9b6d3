"""UDP with the kernel's own time of arrival, so that how busy this process is does not show in a figure."""

import asyncio
import socket
import struct
from collections.abc import Callable

from tests.real.free_ports import HOST

Address = tuple[str, int]
_SO_TIMESTAMPNS = 35  # Linux, <asm-generic/socket.h>; Python's socket module does not name it
_TIMESPEC = struct.Struct("@ll")  # seconds, nanoseconds


class StampedUdp:
    """`received(datagram, sender, at)`: `at` is when it came, in Unix seconds."""

    def __init__(self, received: Callable[[bytes, Address, float], None], port: int = 0) -> None:
        self._received = received
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        self._socket.bind((HOST, port))
        self.port: int = self._socket.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def send(self, data: bytes, to: Address) -> None:
        self._socket.sendto(data, to)

    def close(self) -> None:
        """Safe to repeat."""
        if self._socket.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()

    def _read(self) -> None:
        while self._socket.fileno() >= 0:
            try:
                data, ancillary, _, sender = self._socket.recvmsg(65536, socket.CMSG_SPACE(_TIMESPEC.size))
            except BlockingIOError:
                return
            seconds, nanoseconds = _TIMESPEC.unpack(ancillary[0][2][: _TIMESPEC.size])
            self._received(data, sender, seconds + nanoseconds / 1e9)
