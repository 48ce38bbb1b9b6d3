"""`GET /events`: call events and ARI events as they happen, from the event log: numbered and durable. As server-sent
events, or over a WebSocket.

Everybody has those of their own calls; who may see more is `event_view`'s to say. A reader takes events at its own
pace: what is not among the last in memory is read from the log's file, so nobody who is slow costs memory.
"""

import sqlite3
import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.audit import Action
from ari_bridge.cdr import owner
from ari_bridge.errors import Unavailable
from ari_bridge.event_log import EventLog, LoggedEvent, Page
from ari_bridge.event_log.event import ARI, with_digit
from ari_bridge.tasks import WakeUp
from frontend.api.event_outlets import (
    EVENT_VERSION,
    KEEP_ALIVE_INTERVAL_S,
    EventSocket,
    Outlet,
    SentEvent,
    ServerSentEvents,
)
from frontend.auth.authenticator import CLOCK_LEEWAY_S, Authenticator
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.calls.permissions import event_view
from frontend.http import examples
from frontend.http.endpoint import HEADER, Endpoint, Nothing, ResponseSpec, TypedRequest

MAX_RECENT = 10_000
MISSED = "events.missed"

log = structlog.get_logger(__name__)

Text = Annotated[str, Meta(min_length=1, max_length=256)]
EventNames = Annotated[str, Meta(pattern=r"^[a-z_.]+(\.\*)?(,[a-z_.]+(\.\*)?)*$", max_length=500)]
Number = Annotated[int, Meta(ge=0)]


class EventFilters(msgspec.Struct, frozen=True):
    """Which events, of those that one may see."""

    type: Annotated[
        EventNames | None, Meta(description="names, separated by commas; `call.*` for all that begin with `call.`")
    ] = None
    user: Annotated[
        Text | None,
        Meta(description="of calls that this user has, or that have rung for this user, and of the user's alarms"),
    ] = None
    call: Annotated[Text | None, Meta(description="of this call")] = None


class EventsRequest(EventFilters, frozen=True):
    """Where to start; default: only new events."""

    last_event_id: Annotated[Number | None, HEADER] = msgspec.field(default=None, name="Last-Event-ID")
    after: Annotated[
        Number | None,
        Meta(description="the same as `Last-Event-ID`, which comes first; 0: with the oldest that is kept"),
    ] = None
    query_id: Annotated[Number | None, Meta(description="the same as `after`")] = msgspec.field(
        default=None, name="lastEventId"
    )
    recent: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_RECENT)] | None, Meta(description="start so many numbers before the newest")
    ] = None


class EventData(msgspec.Struct, frozen=True, rename="camel"):
    """One event, in `data:`."""

    id: Annotated[
        int,
        Meta(description="the event's number: increases, also over restarts; Unix milliseconds is where numbers begin"),
    ]
    at: Annotated[float, Meta(description="Unix seconds")]
    name: str
    call_id: Annotated[str | None, Meta(description="the call that it is about; null if none")]
    data: Annotated[dict[str, Any], Meta(description="see docs/HOOKS.md for each `name`")]
    version: Annotated[int, Meta(description="of the form of events")] = EVENT_VERSION


class EventReader:
    """One who follows. `wake` is set when there may be something to do."""

    def __init__(self, principal: Principal, filters: EventFilters, events: EventLog) -> None:
        self.principal = principal
        self.wake = WakeUp()
        self.ended = False
        self._filters = filters
        self._names = filters.type.split(",") if filters.type else []
        self._log = events
        self.ari = (principal.unrestricted or principal.may(Grant.EVENTS_RAW)) and self._wants_name(ARI)

    def end(self) -> None:
        self.ended = True
        self.wake.set()

    async def next(self, position: int) -> Page:
        """Raises OSError, sqlite3.Error."""
        return await self._log.after(position, call_id=self._filters.call, ari=self.ari)

    def shown(self, page: Page) -> list[SentEvent]:
        """As they are sent."""
        return [sent for event in page.events if (sent := self._shown(event))]

    def _shown(self, event: LoggedEvent) -> SentEvent | None:
        view = event_view(self.principal, event.name, event.call)
        if view == "hidden" or not self._wants(event):
            return None
        digit = self._log.digit(event.number) if view == "whole" else ""
        data = with_digit(event.data, digit) if digit else event.data
        return SentEvent(event.number, event.at, event.name, event.call_id, data)

    def _wants(self, event: LoggedEvent) -> bool:
        return self._wants_name(event.name) and (self._filters.user is None or _is_of(event, self._filters.user))

    def _wants_name(self, name: str) -> bool:
        return not self._names or any(
            name == wanted or (wanted.endswith(".*") and name.startswith(wanted[:-1])) for wanted in self._names
        )


def _is_of(event: LoggedEvent, user: str) -> bool:
    if event.call:
        return event.call.user == user or user in event.call.users or owner(event.call) == user
    return event.name != ARI and bool(msgspec.json.decode(event.data).get("user") == user)


def missed(position: int, after: int, reason: Literal["too_old", "ari_too_old", "unknown_number"]) -> SentEvent:
    """What is sent in place of events that are not there any more. `position`: where the reader goes on."""
    data = msgspec.Raw(msgspec.json.encode({"after": after, "reason": reason}))
    return SentEvent(position, time.time(), MISSED, None, data)


class EventStreams:
    """Those who follow the log."""

    def __init__(self, events: EventLog) -> None:
        self.log = events
        self._readers: set[EventReader] = set()
        events.listeners.append(self._wake)

    @property
    def last_id(self) -> int:
        return self.log.last

    def subscribe(self, principal: Principal, filters: EventFilters) -> EventReader:
        """Give it back to `unsubscribe`."""
        reader = EventReader(principal, filters, self.log)
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

    def _wake(self) -> None:
        for reader in self._readers:
            reader.wake.set()


_EXAMPLE = EventData(
    1790000000042, examples.AT, "call.digit", examples.CALL_ID, {"callId": examples.CALL_ID, "digit": "5"}
)
STREAM = Endpoint(
    name="followEvents",
    method="GET",
    path="/events",
    tag="Watching",
    summary="Follow call events and ARI events",
    description=(
        "A stream of server-sent events: those of your own calls; with the right `events:read` those of all, with "
        "`events:raw` Asterisk's own too. Keys that others press are shown as `•`. Events are numbered (`id`) and kept "
        "for `EVENT_LOG_DAYS`, over restarts: `Last-Event-ID` (a header, or the query parameter `after`) replays what "
        "came after that number. Whoever asks for events that are not kept any more is sent `events.missed` in their "
        "place. With `Upgrade: websocket` the same comes over a WebSocket, an EventData in each text frame. "
        "A stream ends with its token, or when the log cannot be read; open it again with the last id. "
        "[API.md](API.md#events) says what is promised, [HOOKS.md](HOOKS.md) lists the events."
    ),
    problems=("unavailable",),
    parameters=EventsRequest,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The stream; each `data:` is an EventData",
            shape=EventData,
            media="text/event-stream",
            example="retry: 1000\n\nid: 1790000000042\nevent: call.digit\ndata: "
            + msgspec.json.encode(_EXAMPLE).decode()
            + "\n\n",
        )
    },
    example={"Last-Event-ID": "1790000000041"},
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (STREAM,)


class EventApi:
    def __init__(self, streams: EventStreams, access: Authenticator) -> None:
        self._streams = streams
        self._log = streams.log
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [STREAM.route(self._access, self.stream)]

    async def stream(self, request: TypedRequest[EventsRequest, Nothing]) -> web.StreamResponse:
        raw, asked = request.raw, request.parameters
        reader = self._streams.subscribe(request.principal, asked)
        watched = request.principal.may(Grant.EVENTS_READ) or request.principal.may(Grant.EVENTS_RAW)
        since = time.monotonic()
        after = _after(asked)
        upgrade = raw.headers.get("Upgrade", "").lower() == "websocket"
        outlet: Outlet = EventSocket(reader.end) if upgrade else ServerSentEvents(raw.headers.get("Origin"))
        if watched:
            self._access.audit.record(Action.MONITOR_START, "events", replayed=after is not None)
        try:
            begin, position = self._begin(after, asked.recent, reader)
            page = await self._read(reader, position)  # before the status is sent: it may fail
            await outlet.start(raw)
            await outlet.send(begin)
            await self._follow(outlet, reader, position, page)
        except ConnectionError:
            pass  # the client has disconnected
        finally:
            self._streams.unsubscribe(reader)
            await outlet.end()
            if watched:
                self._access.audit.record(Action.MONITOR_END, "events", seconds=round(time.monotonic() - since))
        return outlet.response

    def _begin(self, after: int | None, recent: int | None, reader: EventReader) -> tuple[list[SentEvent], int]:
        """What to send first, and the number after which to start."""
        if after is None:
            return [], max(self._log.last - (recent or 0), self._log.purged_to)
        if after > self._log.last:  # of another log: nobody knows what the reader has seen
            return [missed(self._log.purged_to, after, "unknown_number")], self._log.purged_to
        if reader.ari and self._log.purged_to <= after < self._log.ari_purged_to and after:
            return [missed(after, after, "ari_too_old")], after
        return [], after or self._log.purged_to

    async def _read(self, reader: EventReader, position: int) -> Page:
        try:
            return await reader.next(position)
        except (OSError, sqlite3.Error) as error:
            log.warning("the event log cannot be read now", reason=str(error))
            raise Unavailable("the event log cannot be read now", retry_after=1.0) from error

    async def _follow(self, outlet: Outlet, reader: EventReader, position: int, page: Page) -> None:
        """Until the token ends, at the latest."""
        ends_at, sent_at = reader.principal.expires_at, time.monotonic()
        while not reader.ended and (ends_at is None or time.time() < ends_at + CLOCK_LEEWAY_S):
            events = reader.shown(page)
            if _is_gap(page, position, self._log.purged_to):
                events = [missed(self._log.purged_to, position, "too_old"), *events]
            idle = page.position == position and not events
            position = max(position, page.position)
            if idle:
                await reader.wake.wait(KEEP_ALIVE_INTERVAL_S)
            if events:
                await outlet.send(events)
                sent_at = time.monotonic()
            elif time.monotonic() - sent_at >= KEEP_ALIVE_INTERVAL_S:
                await outlet.keep_alive()
                sent_at = time.monotonic()
            try:
                page = await self._read(reader, position)
            except Unavailable:
                return


def _is_gap(page: Page, position: int, purged_to: int) -> bool:
    """Whether events between the position and the page were deleted, before or while a slow reader followed."""
    return position < purged_to and not (page.events and page.events[0].number <= purged_to)


def _after(asked: EventsRequest) -> int | None:
    given = (asked.last_event_id, asked.after, asked.query_id)
    return next((number for number in given if number is not None), None)
