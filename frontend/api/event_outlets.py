"""How events go out to those who follow `GET /events`: as server-sent events, or over a WebSocket."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
from aiohttp import WSCloseCode, web

from ari_bridge import tasks
from frontend.http.middleware import allow_origin

KEEP_ALIVE_INTERVAL_S = 15.0
MAX_CLIENT_MESSAGE_BYTES = 1024
CLOSE_TIMEOUT_S = 2.0
"""For a client to answer that its WebSocket is closed."""
EVENT_VERSION = 1
"""Of the form of an event; raised when something that programs rely on changes."""


class SentEvent(msgspec.Struct, frozen=True, rename="camel"):
    """An EventData whose data is encoded already."""

    id: int
    at: float
    name: str
    call_id: str | None
    data: msgspec.Raw
    version: int = EVENT_VERSION


class Outlet(Protocol):
    """The response. Every method raises ConnectionError: the client has disconnected."""

    @property
    def response(self) -> web.StreamResponse: ...

    async def start(self, request: web.Request) -> None: ...

    async def send(self, events: list[SentEvent]) -> None: ...

    async def keep_alive(self) -> None: ...

    async def end(self) -> None:
        """The server ends it."""


class ServerSentEvents:
    def __init__(self, origin: str | None) -> None:
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        if origin:
            allow_origin(self.response, origin)

    async def start(self, request: web.Request) -> None:
        await self.response.prepare(request)
        await self.response.write(b"retry: 1000\n\n")

    async def send(self, events: list[SentEvent]) -> None:
        await self.response.write(b"".join(map(_block, events)))

    async def keep_alive(self) -> None:
        await self.response.write(b": still here\n\n")

    async def end(self) -> None:
        pass  # with the response


def _block(event: SentEvent) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.id, event.name.encode(), msgspec.json.encode(event))


class EventSocket:
    """A WebSocket, on which the client has nothing to say. Pings keep it alive, and end it if the client is gone.

    Args:
        on_closed: Called when the client has closed it.
    """

    def __init__(self, on_closed: Callable[[], None]) -> None:
        self.response: web.WebSocketResponse = web.WebSocketResponse(
            heartbeat=KEEP_ALIVE_INTERVAL_S, timeout=CLOSE_TIMEOUT_S, max_msg_size=MAX_CLIENT_MESSAGE_BYTES
        )
        self._on_closed = on_closed
        self._listening: asyncio.Task[None] | None = None

    async def start(self, request: web.Request) -> None:
        await self.response.prepare(request)
        self._listening = asyncio.create_task(self._listen())

    async def send(self, events: list[SentEvent]) -> None:
        for event in events:
            await self.response.send_str(msgspec.json.encode(event).decode())

    async def keep_alive(self) -> None:
        pass

    async def end(self) -> None:
        await tasks.cancel(self._listening)
        if self.response.prepared:
            await self.response.close(code=WSCloseCode.GOING_AWAY, message=b"open it again with the last id")

    async def _listen(self) -> None:
        try:
            async for _ in self.response:
                await self.response.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"nothing is taken here")
        finally:
            self._on_closed()
