"""`GET /cdrs`, `GET /cdrs.csv`, `GET /cdrs/{callId}`: the call detail records. docs/RECORDS.md is their reference."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any, TypeVar

import structlog
from aiohttp import web

from ari_bridge.calls.causes import Outcome
from ari_bridge.calls.state import Direction
from ari_bridge.errors import InvalidRequest, TooMany, UnknownCall
from ari_bridge.records import MOST_ROWS, Cursor, Match, Query, Records, RecordsAway, export
from frontend.auth import Access
from frontend.middleware import allow_origin, error_response, json_response

MOST_EXPORTS = 4
"""At once."""
WRITE_SECONDS = 30.0
"""How long a reader of an export may take for one page of it."""
NUMBER_CHARS = 64

log = structlog.get_logger(__name__)

E = TypeVar("E", bound=Enum)


class RecordsApi:
    """With sign-in, a user sees the records of their own calls; without, everybody sees all."""

    def __init__(self, records: Records, access: Access) -> None:
        self._records = records
        self._access = access
        self._exports = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/cdrs", self.search),
            web.get("/cdrs.csv", self.download),
            web.get("/cdrs/{id}", self.show),
        ]

    async def search(self, request: web.Request) -> web.Response:
        query = self._query(request, _PARAMETERS)
        try:
            return _json(await self._records.page(query))
        except RecordsAway as error:
            return _away(error)

    async def show(self, request: web.Request) -> web.Response:
        user = self._user(request)
        call_id = request.match_info["id"]
        try:
            found = await self._records.get(call_id)
        except RecordsAway as error:
            return _away(error)
        if user is not None and found.user != user:  # whose it is, is not told
            raise UnknownCall(f"There is no record of a call {call_id[:64]!r}.", field="callId")
        return _json(found)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """All rows that the filters leave, read page by page: no connection is held for a slow reader."""
        query = replace(self._query(request, _FILTERS), limit=MOST_ROWS)
        if self._exports >= MOST_EXPORTS:
            raise TooMany(f"{self._exports} exports are under way: try again later.")
        self._exports += 1
        try:
            return await self._export(request, query)
        finally:
            self._exports -= 1

    async def _export(self, request: web.Request, query: Query) -> web.StreamResponse:
        try:
            page = await self._records.page(query)
        except RecordsAway as error:
            return _away(error)
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
            while page.next is not None:
                page = await self._records.page(replace(query, cursor=Cursor.parse(page.next)))
                await _write(response, export.lines(page.cdrs))
            await response.write_eof()
        except (RecordsAway, TimeoutError, ConnectionError) as error:
            # A file that ends too early must not look whole: the connection breaks before the end is told.
            log.warning("an export of call records was broken off", reason=str(error) or "the reader was too slow")
            if request.transport is not None:
                request.transport.abort()
        return response

    def _user(self, request: web.Request) -> str | None:
        """Whose records may be seen; None: everybody's. Raises Unauthorized."""
        return self._access.of_request(request.headers.get("Authorization"))

    def _query(self, request: web.Request, allowed: Mapping[str, Callable[[str], Any]]) -> Query:
        """Raises Unauthorized, InvalidRequest."""
        user = self._user(request)
        query = parse_query(request.query.items(), allowed)
        if user is None:
            return query
        if query.user not in (None, user):
            raise InvalidRequest("You see the records of your own calls only.", field="user")
        return replace(query, user=user)


def parse_query(given: Iterable[tuple[str, str]], allowed: "Mapping[str, Callable[[str], Any]] | None" = None) -> Query:
    """What the parameters of a URL ask. Raises InvalidRequest, which names the one that is wrong."""
    allowed = _PARAMETERS if allowed is None else allowed
    values: dict[str, Any] = {}
    for name, value in given:
        if name not in allowed:
            raise InvalidRequest(f"There is no parameter {name[:40]!r}, but {', '.join(allowed)}.", field=name[:40])
        if _FIELDS.get(name, name) in values:
            raise InvalidRequest(f"{name} is given twice.", field=name)
        try:
            values[_FIELDS.get(name, name)] = allowed[name](value)
        except ValueError as error:
            raise InvalidRequest(f"{name} is {error}, not {value[:40]!r}.", field=name) from None
    query = Query(**values)
    if query.since is not None and query.until is not None and query.since >= query.until:
        raise InvalidRequest("since must be before until.", field="since")
    return query


def _text(value: str) -> str:
    if not 0 < len(value) <= NUMBER_CHARS or not value.isprintable():
        raise ValueError(f"1 to {NUMBER_CHARS} printable characters")
    return value


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError("a number of seconds, 0 or more")
    return seconds


def _limit(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 9 and 1 <= int(value) <= MOST_ROWS):
        raise ValueError(f"a number from 1 to {MOST_ROWS}")
    return int(value)


def _one_of(kind: type[E]) -> Callable[[str], E]:
    words = [str(member.value) for member in kind]

    def parse(value: str) -> E:
        if value not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return kind(value)

    return parse


_FILTERS: dict[str, Callable[[str], Any]] = {
    "user": _text,
    "direction": _one_of(Direction),
    "outcome": _one_of(Outcome),
    "number": _text,
    "match": _one_of(Match),
    "since": _seconds,
    "until": _seconds,
    "minSeconds": _seconds,
}
_PARAMETERS = _FILTERS | {"cursor": Cursor.parse, "limit": _limit}
_FIELDS = {"minSeconds": "min_seconds"}  # where the name differs


def _json(data: Any) -> web.Response:
    return json_response(data, headers={"Cache-Control": "no-store"})


def _away(error: RecordsAway) -> web.Response:
    headers = {"Retry-After": f"{error.retry_after:.0f}"}
    return error_response(503, error.code, str(error), headers=headers, retryAfter=error.retry_after)


async def _write(response: web.StreamResponse, text: str) -> None:
    """Raises TimeoutError, ConnectionError."""
    async with asyncio.timeout(WRITE_SECONDS):
        await response.write(text.encode())
