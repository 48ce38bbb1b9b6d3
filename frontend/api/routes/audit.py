"""`GET /audit`, `GET /audit.csv`, `GET /audit.ndjson`: the audit log. docs/AUDIT.md describes it."""

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge import csv_text
from ari_bridge.audit import (
    MAX_PAGE_ENTRIES,
    Action,
    ActorKind,
    AuditLog,
    AuditPage,
    AuditQuery,
    AuditUnavailable,
    Entry,
    Result,
)
from ari_bridge.cursor import Cursor
from ari_bridge.errors import InvalidRequest
from frontend.api.routes.paging import PageCursor
from frontend.api.watching import Reading, filters_of
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import Grant
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.exports import Exports
from frontend.http.middleware import json_response
from frontend.http.parameters import Timestamp, text_format
from frontend.http.problems import ProblemError

MAX_TEXT_CHARACTERS = 256
TAG = "Audit log"
NDJSON = "application/x-ndjson"


# --- the endpoints ----------------------------------------------------------


def _text(value: str) -> str:
    if not 0 < len(value) <= MAX_TEXT_CHARACTERS or not value.isprintable():
        raise ValueError(f"1 to {MAX_TEXT_CHARACTERS} printable characters")
    return value


Text = Annotated[str, text_format(_text, {"type": "string", "minLength": 1, "maxLength": MAX_TEXT_CHARACTERS})]


def _action(value: str) -> Action:
    if value not in set(Action):
        raise ValueError("an action as docs/AUDIT.md lists them, such as user.lock")
    return Action(value)


ActionName = Annotated[Action, text_format(_action, {"type": "string", "pattern": r"^[a-z_]+\.[a-z_]+$"})]


class AuditFilters(msgspec.Struct, frozen=True, rename="camel"):
    """Which entries."""

    actor: Annotated[Text | None, Meta(description="name or id of who did it")] = None
    action: Annotated[ActionName | None, Meta(description="one of those in [AUDIT.md](AUDIT.md#actions)")] = None
    object: Annotated[Text | None, Meta(description="what it was done to")] = None
    result: Result | None = None
    since: Annotated[Timestamp | None, Meta(description="from then on")] = None
    until: Annotated[Timestamp | None, Meta(description="before")] = None


class AuditRequest(AuditFilters, frozen=True, rename="camel"):
    cursor: PageCursor = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE_ENTRIES)] = 50


_EXAMPLE = Entry(
    number=1204,
    id="aud_5f1c9a0e7b2d4c68",
    at=examples.AT,
    actor_kind=ActorKind.USER,
    actor_id="usr_5f1c9a0e7b2d4c68",
    actor="1001",
    tenant="default",
    address="192.0.2.7",
    action=Action.FORWARD_CHANGE,
    object="1001",
    result=Result.OK,
    request_id="5f1c9a0e7b2d4c68",
    details={"field": "forwardAlways", "old": "", "new": "+4930123456"},
    previous_hash="5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456",
    hash="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
)
SEARCH = Endpoint(
    name="listAudit",
    method="GET",
    path="/audit",
    tag=TAG,
    summary="Search the audit log, newest first",
    parameters=AuditRequest,
    body=Nothing,
    responses={200: ResponseSpec(description="A page", shape=AuditPage, example=AuditPage((_EXAMPLE,), None))},
    problems=("unavailable",),
    example={"action": "forward.change", "limit": "20"},
    grant=Grant.AUDIT_READ,
    costly=True,
)


def _header() -> str:
    return csv_text.lines([Entry.__struct_encode_fields__])


def _csv(entries: Iterable[Entry]) -> str:
    return csv_text.lines([_cell(name, getattr(entry, name)) for name in Entry.__struct_fields__] for entry in entries)


def _cell(name: str, value: Any) -> str:
    if name == "at":
        return csv_text.time(value)
    return csv_text.text(msgspec.json.encode(value).decode() if name == "details" else str(value))


def _ndjson(entries: Iterable[Entry]) -> str:
    return "".join(msgspec.json.encode(entry).decode() + "\n" for entry in entries)


def _export(name: str, path: str, media: str, what: str, example: str) -> Endpoint[AuditFilters, Nothing]:
    return Endpoint(
        name=name,
        method="GET",
        path=path,
        tag=TAG,
        summary=f"Export matching entries as {what}, newest first",
        description=(
            "The export is an entry itself. If the connection is closed before the end of the body, entries are "
            "missing."
        ),
        parameters=AuditFilters,
        body=Nothing,
        responses={
            200: ResponseSpec(
                description=what, media=media, headers={"Content-Disposition": "The file's name."}, example=example
            )
        },
        problems=("too_many", "unavailable"),
        example={"since": "2026-09-21T00:00:00Z"},
        grant=Grant.AUDIT_READ,
        costly=True,
    )


CSV = _export("exportAuditCsv", "/audit.csv", "text/csv", "CSV with a header line", _header() + _csv([_EXAMPLE]))
LINES = _export("exportAuditLines", "/audit.ndjson", NDJSON, "lines of JSON", _ndjson([_EXAMPLE]))
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (SEARCH, CSV, LINES)


# --- the handlers --------------------------------------------------------------


class AuditApi:
    """For those with the right `audit:read`. That they read is recorded too."""

    def __init__(self, log: AuditLog, access: Authenticator) -> None:
        self._log = log
        self._access = access
        self._reading = Reading(log)
        self._exports = Exports(access.holds)

    def routes(self) -> list[web.RouteDef]:
        return [
            SEARCH.route(self._access, self.search),
            CSV.route(self._access, self.csv),
            LINES.route(self._access, self.ndjson),
        ]

    async def search(self, request: TypedRequest[AuditRequest, Nothing]) -> web.Response:
        query = replace(
            _query(request.parameters), before=_before(request.parameters.cursor), limit=request.parameters.limit
        )
        self._reading.record(request.principal, Action.AUDIT_READ, "", details=filters_of(request.parameters))
        try:
            return json_response(await self._log.page(query), headers={"Cache-Control": "no-store"})
        except AuditUnavailable as error:
            raise _away(error) from error

    async def csv(self, request: TypedRequest[AuditFilters, Nothing]) -> web.StreamResponse:
        return await self._export(request, _csv, _header(), csv_text.CONTENT_TYPE, "audit.csv")

    async def ndjson(self, request: TypedRequest[AuditFilters, Nothing]) -> web.StreamResponse:
        return await self._export(request, _ndjson, "", NDJSON, "audit.ndjson")

    async def _export(
        self,
        request: TypedRequest[AuditFilters, Nothing],
        write: Callable[[Iterable[Entry]], str],
        header: str,
        content_type: str,
        filename: str,
    ) -> web.StreamResponse:
        query = replace(_query(request.parameters), limit=MAX_PAGE_ENTRIES)
        self._log.record(Action.AUDIT_EXPORT, filename, details=filters_of(request.parameters))
        pages = self._pages(query, write, header)
        return await self._exports.send(request, pages, content_type=content_type, filename=filename)

    async def _pages(
        self, query: AuditQuery, write: Callable[[Iterable[Entry]], str], header: str
    ) -> AsyncGenerator[str, None]:
        try:
            page = await self._log.page(query)
            yield header + write(page.entries)
            while page.next_cursor is not None:
                page = await self._log.page(replace(query, before=page.entries[-1].number))
                yield write(page.entries)
        except AuditUnavailable as error:
            raise _away(error) from error


def _query(wanted: AuditFilters) -> AuditQuery:
    """Raises InvalidRequest."""
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise InvalidRequest("since must be before until.", field="since")
    return AuditQuery(wanted.since, wanted.until, wanted.actor, wanted.action, wanted.object, wanted.result)


def _before(cursor: Cursor | None) -> int | None:
    """Raises InvalidRequest."""
    if cursor is None:
        return None
    if not cursor.id.isascii() or not cursor.id.isdecimal() or len(cursor.id) > 18:
        raise InvalidRequest("cursor must be the nextCursor of the previous page.", field="cursor")
    return int(cursor.id)


def _away(error: AuditUnavailable) -> ProblemError:
    return ProblemError("unavailable", str(error), retry_after=error.retry_after)
