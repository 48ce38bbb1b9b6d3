"""A tiny server that answers the HTTP API as a test wants it, and remembers what it was asked.

api.answer("GET /call/one", ok({...}, etag='"1"'))      # once, in order; the last one for ever
api.asked                                              # [RecordedRequest("GET", "/call/one", {...}, {...}, b""), …]
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass(frozen=True)
class RecordedRequest:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Given:
    """`cut`: the connection breaks after so many bytes of the body; `hang`: no answer at all."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None
    hang: bool = False


def ok(data: Any, status: int = 200, **headers: str) -> Given:
    return Given(status, msgspec.json.encode(data), (("Content-Type", "application/json"), *headers.items()))


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> Given:
    """RFC 9457."""
    body = {"type": f"/docs#problem-{code}", "title": code, "status": status, "detail": detail, "code": code}
    told = (("Content-Type", "application/problem+json"), *(headers or {}).items())
    return Given(status, msgspec.json.encode(body | members), told)


class FakeHttpApi:
    """As `async with`; `url` without a slash at its end."""

    def __init__(self) -> None:
        self.asked: list[RecordedRequest] = []
        self.url = ""
        self._answers: dict[str, list[Given | Callable[[RecordedRequest], Given]]] = defaultdict(list)
        self._closing = asyncio.Event()

    def answer(self, route: str, *given: Given | Callable[[RecordedRequest], Given]) -> None:
        """`route`: method and path."""
        self._answers[route] += given

    def paths(self) -> list[str]:
        return [f"{asked.method} {asked.path}" for asked in self.asked]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._server = TestServer(app)
        await self._server.start_server()
        self.url = str(self._server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *error: object) -> None:
        self._closing.set()
        await self._server.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        asked = RecordedRequest(
            request.method, request.path, dict(request.query), dict(request.headers), await request.read()
        )
        self.asked.append(asked)
        answers = self._answers[f"{request.method} {request.path}"]
        if not answers:
            return self._whole(problem(404, "not_found", f"There is nothing at {request.path}."))
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        given = given if isinstance(given, Given) else given(asked)
        if given.hang:
            await self._closing.wait()
        if given.cut is None:
            return self._whole(given)
        response = web.StreamResponse(status=given.status, headers=dict(given.headers))
        response.content_length = len(given.body)
        await response.prepare(request)
        await response.write(given.body[: given.cut])
        await asyncio.sleep(0.05)  # that what was written is on its way before the connection breaks
        if request.transport:
            request.transport.abort()
        return response

    def _whole(self, given: Given) -> web.Response:
        return web.Response(status=given.status, body=given.body, headers=dict(given.headers))
