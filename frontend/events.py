"""`GET /events`: every call event and every ARI event as it happens, numbered, with a bounded memory."""

import asyncio
from collections import deque
from typing import Any

import msgspec
import structlog
from aiohttp import web

from ari_bridge.errors import InvalidRequest
from ari_bridge.hooks import HookEvent, Hooks
from frontend.auth import Access

KEPT = 1000
WAITING = 1000
"""Events that wait for one slow reader; one more ends its stream: it comes again with its Last-Event-ID."""
KEEP_ALIVE_SECONDS = 15.0

log = structlog.get_logger(__name__)


class EventLog:
    def __init__(self, hooks: Hooks) -> None:
        self._number = 0
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=KEPT)
        self._readers: set[asyncio.Queue[bytes | None]] = set()
        hooks.tap(self._add)

    @property
    def last_id(self) -> int:
        return self._number

    def _add(self, event: HookEvent) -> None:
        self._number += 1
        data: dict[str, Any] = {"id": self._number, "at": event.at, "name": event.name}
        data |= {"callId": event.call_id, "data": event.data()}
        block = b"id: %d\nevent: %b\ndata: %b\n\n" % (self._number, event.name.encode(), msgspec.json.encode(data))
        self._kept.append((self._number, block))
        for reader in list(self._readers):
            try:
                reader.put_nowait(block)
            except asyncio.QueueFull:
                log.warning("a reader of /events is too slow: its stream ends")
                self._readers.discard(reader)
                reader.get_nowait()
                reader.put_nowait(None)

    def since(self, last_id: int) -> list[bytes]:
        """What came after that number and is still kept. A number of an earlier start replays everything kept."""
        if last_id > self._number:
            last_id = 0
        return [block for number, block in self._kept if number > last_id]

    def subscribe(self) -> asyncio.Queue[bytes | None]:
        """Blocks as they come; None ends the stream. Give it back to `unsubscribe`."""
        reader: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING)
        self._readers.add(reader)
        return reader

    def unsubscribe(self, reader: asyncio.Queue[bytes | None]) -> None:
        self._readers.discard(reader)

    def close(self) -> None:
        """End every stream."""
        for reader in self._readers:
            if reader.full():
                reader.get_nowait()
            reader.put_nowait(None)


class EventApi:
    def __init__(self, events: EventLog, access: Access) -> None:
        self._events = events
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/events", self.stream)]

    async def stream(self, request: web.Request) -> web.StreamResponse:
        self._access.of_request(request.headers.get("Authorization"))
        last = request.headers.get("Last-Event-ID") or request.query.get("lastEventId")
        if last is not None and not (last.isdecimal() and len(last) <= 19):
            raise InvalidRequest(f"Last-Event-ID is a number, not {last[:40]!r}.", field="Last-Event-ID")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        if origin := request.headers.get("Origin"):
            response.headers["Access-Control-Allow-Origin"] = origin
        replay = self._events.since(int(last)) if last is not None else []
        reader = self._events.subscribe()  # no await since the replay: no event is in both, none in neither
        try:
            await response.prepare(request)
            await response.write(b"retry: 1000\n\n" + b"".join(replay))
            await self._follow(response, reader)
        except ConnectionError:
            pass  # the reader is gone
        finally:
            self._events.unsubscribe(reader)
        return response

    async def _follow(self, response: web.StreamResponse, reader: asyncio.Queue[bytes | None]) -> None:
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    block = await reader.get()
            except TimeoutError:
                block = b": still here\n\n"
            if block is None:
                return
            await response.write(block)
