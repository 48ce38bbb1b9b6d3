"""`GET /cdrs`, `GET /cdrs.csv`, `GET /cdrs/{callId}`: the call detail records. docs/TAG.md is their reference."""

import asyncio
from dataclasses import replace
from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.cdr import MAX_PAGE_ROWS, Cdr, CdrPage, CdrService, CdrUnavailable, Match, Query, export, no_record
from ari_bridge.cursor import Cursor
from ari_bridge.errors import InvalidRequest, TooMany
from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Outcome
from frontend.api.routes.paging import PageCursor
from frontend.auth.authenticator import Authenticator
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import allow_origin, json_response
from frontend.http.parameters import Timestamp, text_format
from frontend.http.problems import ProblemError

MAX_EXPORTS = 4
"""At once."""
WRITE_TIMEOUT_S = 30.0
"""How long a reader of an export may take for one page of it."""
MAX_NUMBER_CHARACTERS = 64

log = structlog.get_logger(__name__)


# --- the endpoints ----------------------------------------------------------


def _text(value: str) -> str:
    if not 0 < len(value) <= MAX_NUMBER_CHARACTERS or not value.isprintable():
        raise ValueError(f"1 to {MAX_NUMBER_CHARACTERS} printable characters")
    return value


Text = Annotated[str, text_format(_text, {"type": "string", "minLength": 1, "maxLength": MAX_NUMBER_CHARACTERS})]


class CdrFilters(msgspec.Struct, frozen=True, rename="camel"):
    """Which records."""

    user: Annotated[Text | None, Meta(description="whose calls; with sign-in there are your own only")] = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    number: Annotated[
        Text | None, Meta(description="looked for in the caller, in the target, and in who was talked to")
    ] = None
    match: Annotated[Match, Meta(description="how it is")] = Match.CONTAINS
    since: Annotated[Timestamp | None, Meta(description="when the call began")] = None
    until: Annotated[Timestamp | None, Meta(description="not included")] = None
    min_seconds: Annotated[float, Meta(ge=0, description="of talk")] = 0.0


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
    codecs="opus > PCMU",
    recording=(f"{examples.CALL_ID}-rec1",),
    feedback={"score": 5},
)
SEARCH = Endpoint(
    name="listRecords",
    method="GET",
    path="/cdrs",
    tag=TAG,
    summary="Search the call records, newest first",
    description="There is none of this where `ENABLE_CDR_LOGGING` is off.",
    parameters=CdrQuery,
    body=Nothing,
    responses={200: ResponseSpec(description="A page", shape=CdrPage, example=CdrPage((_EXAMPLE,), None))},
    problems=("unavailable",),
    example={"outcome": "completed", "limit": "20"},
)
DOWNLOAD = Endpoint(
    name="exportRecords",
    method="GET",
    path="/cdrs.csv",
    tag=TAG,
    summary="All call records that the filters leave, as a table",
    description="Times are ISO 8601 in UTC. A connection that breaks before the end says that rows are missing.",
    parameters=CdrFilters,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="CSV (RFC 4180), the first line has the names",
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
    summary="See the record of a call",
    parameters=CdrPath,
    body=Nothing,
    responses={200: ResponseSpec(description="The record", shape=Cdr, example=_EXAMPLE)},
    problems=("unknown_call", "unavailable"),
    example={"callId": examples.CALL_ID},
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (SEARCH, DOWNLOAD, SHOW)


# --- the handlers --------------------------------------------------------------


class CdrApi:
    """With sign-in, a user sees the records of their own calls; without, everybody sees all."""

    def __init__(self, records: CdrService, access: Authenticator) -> None:
        self._records = records
        self._access = access
        self._exports = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            SEARCH.route(self._access, self.search),
            DOWNLOAD.route(self._access, self.download),
            SHOW.route(self._access, self.show),
        ]

    async def search(self, request: TypedRequest[CdrQuery, Nothing]) -> web.Response:
        query = query_of(request.parameters, request.user)
        try:
            return _json(await self._records.page(query))
        except CdrUnavailable as error:
            raise _away(error) from error

    async def show(self, request: TypedRequest[CdrPath, Nothing]) -> web.Response:
        call_id = request.parameters.call_id
        try:
            found = await self._records.get(call_id)
        except CdrUnavailable as error:
            raise _away(error) from error
        if not request.principal.sees_records_of(found.user):
            raise no_record(call_id)
        return _json(found)

    async def download(self, request: TypedRequest[CdrFilters, Nothing]) -> web.StreamResponse:
        """All rows that the filters leave, read page by page: no connection is held for a slow reader."""
        query = replace(query_of(request.parameters, request.user), limit=MAX_PAGE_ROWS)
        if self._exports >= MAX_EXPORTS:
            raise TooMany(f"{self._exports} exports are under way: try again later.")
        self._exports += 1
        try:
            return await self._export(request.raw, query)
        finally:
            self._exports -= 1

    async def _export(self, request: web.Request, query: Query) -> web.StreamResponse:
        try:
            page = await self._records.page(query)
        except CdrUnavailable as error:
            raise _away(error) from error
        response = web.StreamResponse(
            headers={
                "Content-Type": export.CONTENT_TYPE,
                "Content-Disposition": 'attachment; filename="cdrs.csv"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            }
        )
        if origin := request.headers.get("Origin"):
            allow_origin(response, origin)
        try:
            await response.prepare(request)
            await _write(response, export.header() + export.lines(page.cdrs))
            while page.next_cursor is not None:
                page = await self._records.page(replace(query, cursor=Cursor.parse(page.next_cursor)))
                await _write(response, export.lines(page.cdrs))
            await response.write_eof()
        except (CdrUnavailable, TimeoutError, ConnectionError) as error:
            # A file that ends too early must not look whole: the connection breaks before the end is told.
            log.warning("an export of call records was broken off", reason=str(error) or "the reader was too slow")
            if request.transport is not None:
                request.transport.abort()
        return response


def query_of(wanted: CdrFilters, user: str | None) -> Query:
    """The query, limited to the calls of `user`; None: not limited. Raises InvalidRequest."""
    if user is not None and wanted.user not in (None, user):
        raise InvalidRequest("You see the records of your own calls only.", field="user")
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise InvalidRequest("since must be before until.", field="since")
    query = Query(
        user=wanted.user if user is None else user,
        direction=wanted.direction,
        outcome=wanted.outcome,
        number=wanted.number or "",
        match=wanted.match,
        since=wanted.since,
        until=wanted.until,
        min_seconds=wanted.min_seconds,
    )
    return replace(query, cursor=wanted.cursor, limit=wanted.limit) if isinstance(wanted, CdrQuery) else query


def _json(data: Any) -> web.Response:
    return json_response(data, headers={"Cache-Control": "no-store"})


def _away(error: CdrUnavailable) -> ProblemError:
    return ProblemError("unavailable", str(error), retry_after=error.retry_after)


async def _write(response: web.StreamResponse, text: str) -> None:
    """Raises TimeoutError, ConnectionError."""
    async with asyncio.timeout(WRITE_TIMEOUT_S):
        await response.write(text.encode())
