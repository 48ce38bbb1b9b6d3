"""`GET /openapi.json`, `GET /asyncapi.json` and `GET /docs`: the reference, for programs and for people."""

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import Any

from aiohttp import web

from frontend.auth.authenticator import Authenticator
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.pages import page_response

TAG = "This reference"
JSON_DOCUMENT = Endpoint(
    name="showOpenApi",
    method="GET",
    path="/openapi.json",
    tag=TAG,
    summary="Get the OpenAPI 3.1 document",
    parameters=Nothing,
    body=Nothing,
    responses={200: ResponseSpec(description="The document", shape=dict[str, Any])},
    public=True,
)
EVENTS_DOCUMENT = Endpoint(
    name="showAsyncApi",
    method="GET",
    path="/asyncapi.json",
    tag=TAG,
    summary="Get the AsyncAPI 3.0 document of the events",
    parameters=Nothing,
    body=Nothing,
    responses={200: ResponseSpec(description="The document: each event of `GET /events`", shape=dict[str, Any])},
    public=True,
)
PAGE = Endpoint(
    name="showReference",
    method="GET",
    path="/docs",
    tag=TAG,
    summary="Show this reference as a page",
    parameters=Nothing,
    body=Nothing,
    responses={200: ResponseSpec(description="The page", media="text/html")},
    public=True,
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (JSON_DOCUMENT, EVENTS_DOCUMENT, PAGE)


class ReferenceApi:
    """`document`, `events` and `page` make them; each is made once, on first use."""

    def __init__(
        self, access: Authenticator, document: Callable[[], bytes], events: Callable[[], bytes], page: Callable[[], str]
    ) -> None:
        self._access = access
        self._make_document = document
        self._make_events = events
        self._make_page = page

    def routes(self) -> list[web.RouteDef]:
        return [
            JSON_DOCUMENT.route(self._access, self.document),
            EVENTS_DOCUMENT.route(self._access, self.events),
            PAGE.route(self._access, self.page),
        ]

    @cached_property
    def _document(self) -> bytes:
        return self._make_document()

    @cached_property
    def _events(self) -> bytes:
        return self._make_events()

    @cached_property
    def _page(self) -> str:
        return self._make_page()

    async def document(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        # In a thread: the first one takes a tenth of a second, which must not block the event loop.
        document = await asyncio.to_thread(lambda: self._document)
        return web.Response(body=document, content_type="application/json", charset="utf-8")

    async def events(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        document = await asyncio.to_thread(lambda: self._events)
        return web.Response(body=document, content_type="application/json", charset="utf-8")

    async def page(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        page = await asyncio.to_thread(lambda: self._page)
        return page_response(request.raw, page)
