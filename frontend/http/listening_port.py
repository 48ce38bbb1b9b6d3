"""Accepts connections: those that the table has room for, also when the process runs out of file descriptors.

asyncio's own server makes a transport of everything that connects, and tells us only after the TLS handshake.
"""

import asyncio
import errno
import socket
import ssl
from typing import Any

import structlog

from ari_bridge.tasks import TaskSet
from frontend.http.door import Door
from frontend.http.server import Runner

HANDSHAKE_TIMEOUT_S = 10.0
TLS_SHUTDOWN_TIMEOUT_S = 3.0
BACKLOG = 512
ACCEPTED_AT_ONCE = 16
"""Connections that are accepted before calls get a turn."""
PAUSE_S = 0.2
"""Until the next attempt, if no more connections can be opened."""

log = structlog.get_logger(__name__)


class ListeningPort:
    """One port. `port`: the one that it listens on, once opened."""

    def __init__(self, runner: Runner, host: str, port: int, door: Door, tls: ssl.SSLContext | None) -> None:
        self._door = door
        self._tls = tls
        self._runner = runner
        self._host = host
        self.port = port
        self._sockets: list[socket.socket] = []
        self._connecting = TaskSet()
        self._pauses: set[asyncio.TimerHandle] = set()

    async def open(self) -> None:
        """Raises OSError."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
            try:
                listening = socket.create_server(address, family=family, backlog=BACKLOG)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL and len(found) > 1:
                    continue  # of a name with several addresses: this machine has no IPv6
                raise
            listening.setblocking(False)
            self._sockets.append(listening)
            self._listen(listening)
        if not self._sockets:
            raise OSError(errno.EADDRNOTAVAIL, "no address of this name can be used")
        self.port = self._sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening; end the open requests, soon by force."""
        loop = asyncio.get_running_loop()
        for pause in self._pauses:
            pause.cancel()
        for listening in self._sockets:
            loop.remove_reader(listening)
            listening.close()
        self._sockets.clear()
        await self._connecting.cancel()
        await self._runner.cleanup()

    def _listen(self, listening: socket.socket) -> None:
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptors or no memory: the client waits in the backlog
                self._pause(listening, error)
                return
            self._open(accepted, address[0])

    def _open(self, accepted: socket.socket, peer: str) -> None:
        accepted.setblocking(False)
        opening: list[asyncio.Task[None]] = []

        def close() -> None:
            opening[0].cancel()

        connection = self._door.admit(peer, close)
        if connection is None:
            accepted.close()
            return
        # From `connection_made` on it is the protocol that gives the place back.
        protocol = self._runner.protocol(connection, self._door.table)
        task = self._connecting.start(self._connect(accepted, protocol))
        opening.append(task)

        def connected(_: object) -> None:  # or displaced, also before the first step of the task
            if not protocol.connected:
                self._door.table.leave(connection)
                accepted.close()

        task.add_done_callback(connected)

    async def _connect(self, accepted: socket.socket, protocol: asyncio.Protocol) -> None:
        """Until the connection is made, after the TLS handshake if there is one."""
        tls: dict[str, Any] = {}
        if self._tls is not None:
            tls = {
                "ssl": self._tls,
                "ssl_handshake_timeout": HANDSHAKE_TIMEOUT_S,
                "ssl_shutdown_timeout": TLS_SHUTDOWN_TIMEOUT_S,
            }
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, accepted, **tls)
        except OSError as error:  # also ssl.SSLError, and the handshake's deadline
            log.debug("a connection was not opened", reason=str(error))

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        displaced = self._door.table.displace_one()
        log.error("no more connections can be opened", reason=error.strerror or str(error), displaced=displaced)
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening)
        pauses = self._pauses = {pause for pause in self._pauses if pause.when() > loop.time()}
        pauses.add(loop.call_later(PAUSE_S, self._listen, listening))
