"""`GET /events`: every call event and every ARI event as it happens, numbered, with a bounded memory."""

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
"""Events that wait for one slow reader; one more ends its stream: it comes again with its Last-Event-ID."""
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
    """After which event to begin; without: with what comes from now on."""

    last_event_id: Annotated[Annotated[int, Meta(ge=0)] | None, HEADER] = msgspec.field(
        default=None, name="Last-Event-ID"
    )
    query_id: Annotated[int, Meta(ge=0)] | None = msgspec.field(default=None, name="lastEventId")


class EventData(msgspec.Struct, frozen=True, rename="camel"):
    """One event: what stands in `data:`."""

    id: Annotated[int, Meta(description="counts up; where the server was started anew, from 1 on")]
    at: Annotated[float, Meta(description="Unix seconds")]
    name: str
    call_id: Annotated[str | None, Meta(description="of which call it is; null: of none")]
    data: Annotated[dict[str, Any], Meta(description="what docs/HOOKS.md says of this `name`")]


_EXAMPLE = EventData(42, examples.AT, "call.digit", examples.CALL_ID, {"callId": examples.CALL_ID, "digit": "5"})
STREAM = Endpoint(
    name="followEvents",
    method="GET",
    path="/events",
    tag="Watching",
    summary="Every call event and every ARI event, as it happens",
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
