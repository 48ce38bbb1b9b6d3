"""`GET /events`: call events and ARI events as they happen, numbered, with a bounded memory.

Everybody has those of their own calls; who may see more is `event_view`'s to say.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.audit import Action
from ari_bridge.fsm.call import Call
from ari_bridge.hooks import AriReceived, CallEvent, DigitReceived, HookEvent, Hooks
from frontend.auth.authenticator import CLOCK_LEEWAY_S, Authenticator
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.calls.permissions import event_view
from frontend.http import examples
from frontend.http.endpoint import HEADER, Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import allow_origin

MAX_REMEMBERED_EVENTS = 1000
MAX_QUEUED_EVENTS = 1000
"""Events queued for one slow client; one more closes its stream, and it reconnects with its Last-Event-ID."""
KEEP_ALIVE_INTERVAL_S = 15.0

log = structlog.get_logger(__name__)


MASKED_DIGIT = "•"


@dataclass(frozen=True, slots=True)
class _Entry:
    """An event as it is sent: whole, and with the digits mrequest. `call`: of which call it is."""

    number: int
    name: str
    call: Call | None
    whole: bytes
    masked: bytes

    def shown_to(self, principal: Principal) -> bytes:
        """Empty if the principal may not see it."""
        view = event_view(principal, self.name, self.call)
        return {"whole": self.whole, "masked": self.masked, "hidden": b""}[view]


class EventReader:
    """One who follows: `queue` has the blocks as they come; None ends the stream."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_QUEUED_EVENTS)

    def end(self) -> None:
        if self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class EventLog:
    """The last events, and those who follow them.

    Args:
        find: The call of an id; None if it is not known.
    """

    def __init__(self, hooks: Hooks, find: Callable[[str], Call | None] = lambda _: None) -> None:
        self._number = 0
        self._find = find
        self._kept: deque[_Entry] = deque(maxlen=MAX_REMEMBERED_EVENTS)
        self._readers: set[EventReader] = set()
        hooks.tap(self._add)

    @property
    def last_id(self) -> int:
        return self._number

    def _add(self, event: HookEvent) -> None:
        self._number += 1
        entry = self._entry(event)
        self._kept.append(entry)
        for reader in list(self._readers):
            if not (block := entry.shown_to(reader.principal)):
                continue
            try:
                reader.queue.put_nowait(block)
            except asyncio.QueueFull:
                log.warning("closing the event stream of a slow client")
                self._readers.discard(reader)
                reader.end()

    def since(self, last_id: int, principal: Principal) -> list[bytes]:
        """What came after that number, is still kept, and may be seen.

        A number of an earlier start replays everything kept.
        """
        if last_id > self._number:
            last_id = 0
        shown = (entry.shown_to(principal) for entry in self._kept if entry.number > last_id)
        return list(filter(None, shown))

    def subscribe(self, principal: Principal) -> EventReader:
        """Give it back to `unsubscribe`."""
        reader = EventReader(principal)
        self._readers.add(reader)
        return reader

    def unsubscribe(self, reader: EventReader) -> None:
        self._readers.discard(reader)

    def end_if(self, ended: Callable[[Principal], bool]) -> None:
        """End the streams of those of whom `ended` says so."""
        for reader in [reader for reader in self._readers if ended(reader.principal)]:
            reader.end()

    def count(self, user_id: str) -> int:
        """Open streams of the user."""
        return sum(reader.principal.user_id == user_id for reader in self._readers)

    def close(self) -> None:
        """End every stream."""
        self.end_if(lambda _: True)

    def _entry(self, event: HookEvent) -> _Entry:
        call = event.call if isinstance(event, CallEvent) else event.call_id and self._find(event.call_id) or None
        data = event.data()
        block = self._block(event, data)
        masked = block
        if isinstance(event, DigitReceived | AriReceived) and "digit" in data:
            masked = self._block(event, {**data, "digit": MASKED_DIGIT})
        return _Entry(self._number, event.name, call, block, masked)

    def _block(self, event: HookEvent, data: dict[str, Any]) -> bytes:
        encoded = msgspec.json.encode(EventData(self._number, event.at, event.name, event.call_id, data))
        return b"id: %d\nevent: %b\ndata: %b\n\n" % (self._number, event.name.encode(), encoded)


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
        "A stream of server-sent events: those of your own calls; with the right `events:read` those of all, with "
        "`events:raw` Asterisk's own too. Keys that others press are shown as `•`. `id` increases; `Last-Event-ID` (a "
        "header, or the query parameter `lastEventId`) replays what came after it, from the last "
        f"{MAX_REMEMBERED_EVENTS} events. The stream of a reader that is too slow is ended; it reconnects with its "
        "last id. [HOOKS.md](HOOKS.md) lists the events."
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
        replay = self._events.since(last, request.principal) if last is not None else []
        reader = self._events.subscribe(request.principal)
        watched = request.principal.may(Grant.EVENTS_READ) or request.principal.may(Grant.EVENTS_RAW)
        since = time.monotonic()
        if watched:
            self._access.audit.record(Action.MONITOR_START, "events", replayed=last is not None)
        try:
            await response.prepare(raw)
            await response.write(b"retry: 1000\n\n" + b"".join(replay))
            await self._follow(response, reader)
        except ConnectionError:
            pass  # the client has disconnected
        finally:
            self._events.unsubscribe(reader)
            if watched:
                self._access.audit.record(Action.MONITOR_END, "events", seconds=round(time.monotonic() - since))
        return response

    async def _follow(self, response: web.StreamResponse, reader: EventReader) -> None:
        """Until the token ends, at the latest."""
        ends_at = reader.principal.expires_at
        while ends_at is None or time.time() < ends_at + CLOCK_LEEWAY_S:
            try:
                async with asyncio.timeout(KEEP_ALIVE_INTERVAL_S):
                    block = await reader.queue.get()
            except TimeoutError:
                block = b": still here\n\n"
            if block is None:
                return
            await response.write(block)
