"""`GET /cdrs`, `GET /cdrs.csv`, `GET /cdrs/{callId}`: the call detail records. docs/RECORDS.md describes them."""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge import csv_text
from ari_bridge.audit import Action
from ari_bridge.cdr import MAX_PAGE_ROWS, Cdr, CdrPage, CdrService, CdrUnavailable, Match, Query, export, no_record
from ari_bridge.cursor import Cursor
from ari_bridge.errors import InvalidRequest
from ari_bridge.fsm.call import Direction
from ari_bridge.guest_names import shown_name
from ari_bridge.outcomes import Outcome
from frontend.api.routes.paging import PageCursor
from frontend.api.watching import filters_of
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.calls.permissions import sees_record
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.exports import Exports
from frontend.http.middleware import json_response
from frontend.http.parameters import Timestamp, text_format
from frontend.http.problems import ProblemError

MAX_NUMBER_CHARACTERS = 64
_NAMES = ("user", "caller", "target", "transferred_to", "connected_number")


# --- the endpoints ----------------------------------------------------------


def _text(value: str) -> str:
    if not 0 < len(value) <= MAX_NUMBER_CHARACTERS or not value.isprintable():
        raise ValueError(f"1 to {MAX_NUMBER_CHARACTERS} printable characters")
    return value


Text = Annotated[str, text_format(_text, {"type": "string", "minLength": 1, "maxLength": MAX_NUMBER_CHARACTERS})]


class CdrFilters(msgspec.Struct, frozen=True, rename="camel"):
    """Which records."""

    user: Annotated[
        Text | None, Meta(description="the user of the calls; without the right `records:read`, only you")
    ] = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    number: Annotated[Text | None, Meta(description="searched in the caller, the target and the connected line")] = None
    match: Annotated[Match, Meta(description="how `number` is compared")] = Match.CONTAINS
    since: Annotated[Timestamp | None, Meta(description="start of the call, from")] = None
    until: Annotated[Timestamp | None, Meta(description="start of the call, before")] = None
    min_seconds: Annotated[float, Meta(ge=0, description="minimum talk time")] = 0.0


class CdrQuery(CdrFilters, frozen=True, rename="camel"):
    cursor: PageCursor = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_ROWS)] = 50


class CdrPath(msgspec.Struct, frozen=True, rename="camel"):
    call_id: str


TAG = "Call records"
_EXAMPLE = Cdr(
    call_id=examples.CALL_ID,
    direction=Direction.OUTBOUND,
    caller="1001",
    caller_name="",
    target="600",
    user="1001",
    tenant="",
    created_at=examples.AT,
    ringing_at=examples.AT + 0.25,
    answered_at=examples.AT + 2.5,
    ended_at=examples.AT + 60.5,
    talk_seconds=58.0,
    outcome=Outcome.COMPLETED,
    q850=16,
    sip=200,
    cause="Normal Clearing",
    codecs="opus, PCMU",
    recording=(f"{examples.CALL_ID}-rec1",),
    feedback={"score": 5},
)
SEARCH = Endpoint(
    name="listRecords",
    method="GET",
    path="/cdrs",
    tag=TAG,
    summary="Search the call records, newest first",
    costly=True,
    description="Not available if `ENABLE_CDR_LOGGING` is off.",
    parameters=CdrQuery,
    body=Nothing,
    responses={
        200: ResponseSpec(description="A page of call records", shape=CdrPage, example=CdrPage((_EXAMPLE,), None))
    },
    problems=("unavailable",),
    example={"outcome": "completed", "limit": "20"},
)
DOWNLOAD = Endpoint(
    name="exportRecords",
    method="GET",
    path="/cdrs.csv",
    tag=TAG,
    summary="Export matching call records as CSV",
    costly=True,
    description="Times are ISO 8601 in UTC. If the connection is closed before the end of the body, rows are missing.",
    parameters=CdrFilters,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="CSV (RFC 4180) with a header line",
            media="text/csv",
            headers={"Content-Disposition": "The file's name."},
            example=export.header() + export.lines([_EXAMPLE]),
        )
    },
    problems=("too_many", "unavailable"),
    example={"since": "2026-09-21T00:00:00Z"},
)
SHOW = Endpoint(
    name="showRecord",
    method="GET",
    path="/cdrs/{callId}",
    tag=TAG,
    summary="Show the record of a call",
    parameters=CdrPath,
    body=Nothing,
    responses={200: ResponseSpec(description="The record", shape=Cdr, example=_EXAMPLE)},
    problems=("unknown_call", "unavailable"),
    example={"callId": examples.CALL_ID},
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (SEARCH, DOWNLOAD, SHOW)


# --- the handlers --------------------------------------------------------------


class CdrApi:
    """If sign-in is on, users see the records of their own calls; otherwise all records."""

    def __init__(self, records: CdrService, access: Authenticator) -> None:
        self._records = records
        self._access = access
        self._exports = Exports(access.holds)

    def routes(self) -> list[web.RouteDef]:
        return [
            SEARCH.route(self._access, self.search),
            DOWNLOAD.route(self._access, self.download),
            SHOW.route(self._access, self.show),
        ]

    async def search(self, request: TypedRequest[CdrQuery, Nothing]) -> web.Response:
        query = query_of(request.parameters, request.principal)
        if query.user is None or query.user != request.user:
            self._access.audit.record(Action.CDR_READ, query.user or "", details=filters_of(request.parameters))
        try:
            page = await self._records.page(query)
            return _json(msgspec.structs.replace(page, cdrs=_told(page.cdrs, request.principal)))
        except CdrUnavailable as error:
            raise _away(error) from error

    async def show(self, request: TypedRequest[CdrPath, Nothing]) -> web.Response:
        call_id = request.parameters.call_id
        try:
            found = await self._records.get(call_id)
        except CdrUnavailable as error:
            raise _away(error) from error
        if not sees_record(request.principal, found.user, found.created_at):
            raise no_record(call_id)
        if found.user != request.user:
            self._access.audit.record(Action.CDR_READ, call_id, user=found.user)
        return _json(*_told([found], request.principal))

    async def download(self, request: TypedRequest[CdrFilters, Nothing]) -> web.StreamResponse:
        """All matching rows, read page by page: no database connection is held for a slow client."""
        query = replace(query_of(request.parameters, request.principal), limit=MAX_PAGE_ROWS)
        self._access.audit.record(Action.CDR_EXPORT, "csv", details=filters_of(request.parameters))
        return await self._exports.send(
            request, self._lines(query, request.principal), content_type=csv_text.CONTENT_TYPE, filename="cdrs.csv"
        )

    async def _lines(self, query: Query, principal: Principal) -> AsyncGenerator[str, None]:
        try:
            page = await self._records.page(query)
            yield export.header() + export.lines(_told(page.cdrs, principal))
            while page.next_cursor is not None:
                page = await self._records.page(replace(query, cursor=Cursor.parse(page.next_cursor)))
                yield export.lines(_told(page.cdrs, principal))
        except CdrUnavailable as error:
            raise _away(error) from error


def query_of(wanted: CdrFilters, principal: Principal) -> Query:
    """The query, limited to the calls that the principal may see. Raises InvalidRequest."""
    everybody = principal.may(Grant.RECORDS_READ)
    if not everybody and wanted.user not in (None, principal.name):
        raise InvalidRequest("Only the records of your own calls can be searched.", field="user")
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise InvalidRequest("since must be before until.", field="since")
    query = Query(
        user=wanted.user if everybody else principal.name,
        direction=wanted.direction,
        outcome=wanted.outcome,
        number=wanted.number or "",
        match=wanted.match,
        since=wanted.since if everybody else max(wanted.since or 0.0, principal.since),
        until=wanted.until,
        min_seconds=wanted.min_seconds,
    )
    return replace(query, cursor=wanted.cursor, limit=wanted.limit) if isinstance(wanted, CdrQuery) else query


def _told(records: Iterable[Cdr], principal: Principal) -> tuple[Cdr, ...]:
    """As the principal may read them: the whole name of a guest is for the guest alone."""
    return tuple(one if one.user == principal.name else _without_guests(one) for one in records)


def _without_guests(one: Cdr) -> Cdr:
    parties = tuple({**party, "number": shown_name(str(party.get("number", "")))} for party in one.parties)
    names = {name: shown_name(getattr(one, name)) for name in _NAMES}
    return msgspec.structs.replace(one, parties=parties, **names)


def _json(data: Any) -> web.Response:
    return json_response(data, headers={"Cache-Control": "no-store"})


def _away(error: CdrUnavailable) -> ProblemError:
    return ProblemError("unavailable", str(error), retry_after=error.retry_after)
