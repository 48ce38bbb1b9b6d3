"""A tiny SIP server at UDP and TCP that answers by a script, for clients that are to survive it.

    async with FakeSipServer(answer) as server:   # answer(request) -> what is sent back, message by message
        ...server.port...

`requests` holds what came; `reply` makes a well-formed response.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Self

from ari_bridge.diagnostics.sip_message import BadMessage, Request, StreamReader, parse, write

Script = Callable[[Request], Iterable[bytes]]


def reply(request: Request, status: str, *more: tuple[str, str], body: str = "", tag: str = "there") -> bytes:
    to = request.headers.get("to")
    headers = [("Via", request.headers.get("via")), ("From", request.headers.get("from"))]
    headers += [("To", to if "tag=" in to else f"{to};tag={tag}"), ("Call-ID", request.headers.get("call-id"))]
    headers += [("CSeq", request.headers.get("cseq")), *more]
    if body:
        headers.append(("Content-Type", "application/sdp"))
    return write(f"SIP/2.0 {status}", headers, body.encode())


class FakeSipServer(asyncio.DatagramProtocol):
    def __init__(self, script: Script) -> None:
        self._script = script
        self.requests: list[Request] = []
        self.responses: list[bytes] = []  # of the client, to what was asked of it
        self.came = asyncio.Event()
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._closed = asyncio.Event()

    async def __aenter__(self) -> Self:
        for _ in range(50):
            self._server = await asyncio.start_server(self._on_connection, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
            try:
                self._datagrams, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: self, local_addr=("127.0.0.1", self.port)
                )
                return self
            except OSError:  # the port is free for TCP alone
                self._server.close()
        raise OSError("no port is free for both UDP and TCP")

    async def __aexit__(self, *error: object) -> None:
        self._datagrams.close()
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.wait_for(self._closed.wait(), 5)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for answer in self._on_message(data):
            self._datagrams.sendto(answer, addr)

    async def _on_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        messages = StreamReader()
        self._writers.add(writer)
        try:
            while data := await reader.read(65536):
                for message in messages.feed(data):
                    for answer in self._on_message(message):
                        writer.write(answer)
        except OSError:
            pass
        finally:
            writer.close()

    def _on_message(self, data: bytes) -> list[bytes]:
        try:
            message = parse(data)
        except BadMessage:
            return []
        self.came.set()
        if not isinstance(message, Request):
            self.responses.append(data)
            return []
        self.requests.append(message)
        return list(self._script(message))
