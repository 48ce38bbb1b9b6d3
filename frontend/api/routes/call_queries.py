"""`GET /calls` and `GET /call/{callId}`, for clients that poll instead of following events."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.call_store import CallStore
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import InvalidRequest
from ari_bridge.fsm.call import Direction
from ari_bridge.fsm.call_data import CallData
from ari_bridge_protocol.messages import ClientState
from frontend.api.routes.call_endpoints import CALLS, EXAMPLE_CALL, CallPath
from frontend.api.routes.call_list import Filter, page_of
from frontend.api.routes.paging import NextCursor, PageCursor
from frontend.auth.errors import Unauthorized
from frontend.calls.permissions import check_sees
from frontend.http import examples
from frontend.http.endpoint import HEADER, Access, Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.long_poll import MAX_WAIT_S, CallChangeWaiter, tags_of
from frontend.http.middleware import json_response
from frontend.http.parameters import Timestamp

_FRESH = {"Cache-Control": "no-store"}
_TAG = {"ETag": "The version of the call in this response. Send it in `If-None-Match` to miss no change."}


class CallWait(CallPath, frozen=True, rename="camel"):
    wait: Annotated[
        int, Meta(ge=0, le=MAX_WAIT_S, description="respond at the next change of the call, or after this many seconds")
    ] = 0
    if_none_match: Annotated[
        str | None,
        HEADER,
        Meta(description="`ETag` of the previous response; if the call has changed since, it is returned at once"),
    ] = msgspec.field(default=None, name="If-None-Match")


class CallFilter(msgspec.Struct, frozen=True, rename="camel"):
    state: ClientState | None = None
    live: Annotated[bool | None, Meta(description="true: only calls that have not ended")] = None
    direction: Direction | None = None
    number: Annotated[
        str | None, Meta(min_length=1, max_length=64, description="part of the caller's or the called number")
    ] = None
    since: Annotated[Timestamp | None, Meta(description="start of the call, from")] = None
    until: Annotated[Timestamp | None, Meta(description="start of the call, before")] = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    cursor: PageCursor = None


class CallPage(msgspec.Struct, frozen=True, rename="camel"):
    calls: Annotated[
        list[CallData],
        Meta(description="newest first; a page may be short, or empty, without being the last"),
    ]
    next_cursor: NextCursor


SHOW = Endpoint(
    name="showCall",
    method="GET",
    path="/call/{callId}",
    tag=CALLS,
    summary="Show a call, or wait for its next change",
    description=(
        "Calls that have ended are kept for `CALL_STORE_DAYS`. With `wait`, and without `If-None-Match`, a call that "
        "has ended is returned at once."
    ),
    parameters=CallWait,
    body=Nothing,
    responses={
        200: ResponseSpec(description="The call", shape=CallData, headers=_TAG, example=EXAMPLE_CALL),
        304: ResponseSpec(description="The call has not changed since the version in `If-None-Match`", headers=_TAG),
    },
    problems=("unknown_call", "too_many"),
    example={"callId": examples.CALL_ID, "wait": "30"},
)
LIST = Endpoint(
    name="listCalls",
    method="GET",
    path="/calls",
    tag=CALLS,
    summary="List your calls, live and ended, newest first",
    description="If sign-in is off: all calls. Calls that start in the meantime do not shift the pages.",
    parameters=CallFilter,
    body=Nothing,
    responses={
        200: ResponseSpec(description="A page of calls", shape=CallPage, example=CallPage([EXAMPLE_CALL], None))
    },
    problems=("unavailable",),
    example={"live": "true", "limit": "20"},
)
ENDPOINTS = (SHOW, LIST)


class CallQueryApi:
    def __init__(self, calls: CallManager, store: CallStore, watchers: CallChangeWaiter, access: Access) -> None:
        self._calls = calls
        self._store = store
        self._watchers = watchers
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [SHOW.route(self._access, self.show), LIST.route(self._access, self.list)]

    async def show(self, request: TypedRequest[CallWait, Nothing]) -> web.Response:
        call_id, sharing = request.parameters.call_id, request.principal.counted_as
        check_sees(request.principal, self._calls.get(call_id))
        known = tags_of(request.parameters.if_none_match)
        shown = await self._watchers.next(
            call_id, sharing, known, request.parameters.wait, gone=lambda: request.client_gone or self._ended(request)
        )
        if self._ended(request):
            raise Unauthorized("What you had signed in to has ended meanwhile: sign in again.")
        headers = {"ETag": shown.tag, **_FRESH}
        if shown.is_one_of(known):
            return web.Response(status=304, headers=headers)
        return web.Response(body=shown.body, content_type="application/json", charset="utf-8", headers=headers)

    def _ended(self, request: TypedRequest[CallWait, Nothing]) -> bool:
        return not self._access.holds(request.principal)

    async def list(self, request: TypedRequest[CallFilter, Nothing]) -> web.Response:
        given = request.parameters
        if given.since is not None and given.until is not None and given.since >= given.until:
            raise InvalidRequest("since must be before until.", field="since")
        wanted = Filter(
            principal=request.principal,
            state=given.state,
            live=given.live,
            direction=given.direction,
            number=given.number or "",
            since=given.since,
            until=given.until,
        )
        calls, after = await page_of(self._store, wanted, cursor=given.cursor, limit=given.limit, live=self._calls.live)
        return json_response(CallPage(list(map(CallData.of, calls)), str(after) if after else None), headers=_FRESH)
