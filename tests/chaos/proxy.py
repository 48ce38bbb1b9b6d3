"""A TCP proxy before the front end that can cut its connections, or swallow what they carry."""

import asyncio
import contextlib
import socket
import struct


class Proxy:
    """Listens on `host:port` and hands on to `to`; every connection is one of the faults' victims.

    A connection that the far end closes or that cannot be made is closed here too, as a browser would see it.
    """

    def __init__(self, host: str, port: int, to: tuple[str, int]) -> None:
        self.host = host
        self.port = port
        self._to = to
        self._server: asyncio.Server | None = None
        self._flows: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()  # what comes is handed on
        self._open.set()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self.host}:{self.port}/ws"

    async def cut(self) -> None:
        """Resets every connection and refuses new ones, until `mend`."""
        await self._stop_listening()
        self.reset()

    def reset(self) -> None:
        """Resets every connection; new ones are taken."""
        for writer in list(self._writers):
            # Without lingering, closing is a reset (socket(7)).
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def swallow(self) -> None:
        """Nothing passes any more and nobody is told: a path that went dead."""
        self._open.clear()

    async def mend(self) -> None:
        """As it was. What was swallowed meanwhile goes on, as TCP's repetitions would have it."""
        self._open.set()
        await self._listen()

    async def __aenter__(self) -> "Proxy":
        await self._listen()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stop_listening()
        self.reset()
        for flow in list(self._flows):
            flow.cancel()
        await asyncio.gather(*self._flows, return_exceptions=True)

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accepted, self.host, self.port)

    async def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flow = asyncio.get_running_loop().create_task(self._connect(reader, writer))
        self._flows.add(flow)
        flow.add_done_callback(self._flows.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            await self._open.wait()
            far_reader, far = await asyncio.open_connection(*self._to)
            self._writers.add(far)
            await self._carry_both((reader, far), (far_reader, writer))
        except OSError:
            writer.transport.abort()
        finally:
            for side in filter(None, (writer, far)):
                self._writers.discard(side)
                side.close()

    async def _carry_both(self, *ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Until either side closes, and a moment longer for the other's last words."""
        flows = [asyncio.create_task(self._carry(reader, writer)) for reader, writer in ways]
        try:
            await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(flows, timeout=0.2)
        finally:
            for flow in flows:
                flow.cancel()
            await asyncio.gather(*flows, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
