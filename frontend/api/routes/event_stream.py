"""`GET /events`: call events and ARI events, numbered; the last ones can be replayed."""

import asyncio
from collections import deque
from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.hooks import HookEvent, Hooks
from frontend.auth.authenticator import Authenticator
from frontend.http import examples
from frontend.http.endpoint import HEADER, Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import allow_origin

MAX_REMEMBERED_EVENTS = 1000
MAX_QUEUED_EVENTS = 1000
"""Events queued for one slow client; one more closes its stream, and it reconnects with its Last-Event-ID."""
KEEP_ALIVE_INTERVAL_S = 15.0

log = structlog.get_logger(__name__)


class EventLog:
    def __init__(self, hooks: Hooks) -> None:
        self._number = 0
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=MAX_REMEMBERED_EVENTS)
        self._readers: set[asyncio.Queue[bytes | None]] = set()
        hooks.tap(self._add)

    @property
    def last_id(self) -> int:
        return self._number

    def _add(self, event: HookEvent) -> None:
        self._number += 1
        data = EventData(self._number, event.at, event.name, event.call_id, event.data())
        block = b"id: %d\nevent: %b\ndata: %b\n\n" % (self._number, event.name.encode(), msgspec.json.encode(data))
        self._kept.append((self._number, block))
        for reader in list(self._readers):
            try:
                reader.put_nowait(block)
            except asyncio.QueueFull:
                log.warning("closing the event stream of a slow client")
                self._readers.discard(reader)
                reader.get_nowait()
                reader.put_nowait(None)

    def since(self, last_id: int) -> list[bytes]:
        """Remembered events after that id. An id of an earlier start replays all remembered events."""
        if last_id > self._number:
            last_id = 0
        return [block for number, block in self._kept if number > last_id]

    def subscribe(self) -> asyncio.Queue[bytes | None]:
        """Blocks as they come; None ends the stream. Give it back to `unsubscribe`."""
        reader: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_QUEUED_EVENTS)
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


class Since(msgspec.Struct, frozen=True):
    """The event after which to start; default: only new events."""

    last_event_id: Annotated[Annotated[int, Meta(ge=0)] | None, HEADER] = msgspec.field(
        default=None, name="Last-Event-ID"
    )
    query_id: Annotated[int, Meta(ge=0)] | None = msgspec.field(default=None, name="lastEventId")


class EventData(msgspec.Struct, frozen=True, rename="camel"):
    """One event, in `data:`."""

    id: Annotated[int, Meta(description="increases; starts at 1 when the server starts")]
    at: Annotated[float, Meta(description="Unix seconds")]
    name: str
    call_id: Annotated[str | None, Meta(description="the call that it is about; null if none")]
    data: Annotated[dict[str, Any], Meta(description="see docs/HOOKS.md for each `name`")]


_EXAMPLE = EventData(42, examples.AT, "call.digit", examples.CALL_ID, {"callId": examples.CALL_ID, "digit": "5"})
STREAM = Endpoint(
    name="followEvents",
    method="GET",
    path="/events",
    tag="Watching",
    summary="Follow call events and ARI events",
    description=(
        "A stream of server-sent events. `id` increases; `Last-Event-ID` (a header, or the query parameter "
        f"`lastEventId`) replays what came after it, from the last {MAX_REMEMBERED_EVENTS} events. The stream of a "
        "reader that is too slow is ended; it reconnects with its last id. [HOOKS.md](HOOKS.md) lists the events."
    ),
    parameters=Since,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The stream; each `data:` is an EventData",
            shape=EventData,
            media="text/event-stream",
            example="retry: 1000\n\nid: 42\nevent: call.digit\ndata: "
            + msgspec.json.encode(_EXAMPLE).decode()
            + "\n\n",
        )
    },
    example={"Last-Event-ID": "41"},
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (STREAM,)


class EventApi:
    def __init__(self, events: EventLog, access: Authenticator) -> None:
        self._events = events
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [STREAM.route(self._access, self.stream)]

    async def stream(self, request: TypedRequest[Since, Nothing]) -> web.StreamResponse:
        raw, last = request.raw, request.parameters.last_event_id
        if last is None:
            last = request.parameters.query_id
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        if origin := raw.headers.get("Origin"):
            allow_origin(response, origin)
        replay = self._events.since(last) if last is not None else []
        reader = self._events.subscribe()  # no await since the replay: no event is in both, none in neither
        try:
            await response.prepare(raw)
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
                async with asyncio.timeout(KEEP_ALIVE_INTERVAL_S):
                    block = await reader.get()
            except TimeoutError:
                block = b": still here\n\n"
            if block is None:
                return
            await response.write(block)
