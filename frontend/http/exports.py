"""Long downloads that are made page by page, so that nothing is held for a slow client but one page."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import structlog
from aiohttp import web

from ari_bridge.errors import TooMany
from frontend.auth.errors import Unauthorized
from frontend.auth.principal import Principal
from frontend.http.endpoint import TypedRequest
from frontend.http.middleware import allow_origin
from frontend.http.problems import ProblemError

MAX_EXPORTS = 4
"""In progress at the same time, one of each user."""
EXPORT_TIMEOUT_S = 600.0
"""How long an export may take in all."""
WRITE_TIMEOUT_S = 30.0
"""How long the client may take to receive one page."""

log = structlog.get_logger(__name__)


class Exports:
    """The downloads of one kind. `holds`: whether what a principal has signed in to has not ended."""

    def __init__(self, holds: Callable[[Principal], bool]) -> None:
        self._holds = holds
        self._running: list[str] = []  # the ids of the users, "" without sign-in

    async def send(
        self, request: TypedRequest[Any, Any], pages: AsyncGenerator[str, None], *, content_type: str, filename: str
    ) -> web.StreamResponse:
        """Send the pages; the first one is made before anything is answered.

        Raises TooMany, and the ProblemError of the first page. That of a later page, a client that is too slow, and
        the end of the sign-in abort the connection: a truncated file must not look complete.
        """
        user_id = request.principal.counted_as
        if user_id and user_id in self._running:
            raise TooMany("An export of yours is in progress: try again when it has ended.")
        if len(self._running) >= MAX_EXPORTS:
            raise TooMany(f"{MAX_EXPORTS} exports are in progress: try again later.")
        self._running.append(user_id)
        try:
            async with aclosing(pages), aclosing(self._while_signed_in(request.principal, pages)) as checked:
                return await _send(request.raw, checked, content_type, filename)
        finally:
            self._running.remove(user_id)

    async def _while_signed_in(
        self, principal: Principal, pages: AsyncGenerator[str, None]
    ) -> AsyncGenerator[str, None]:
        """Raises Unauthorized."""
        async for page in pages:
            if not self._holds(principal):
                raise Unauthorized("What this export was begun with has ended: sign in again.")
            yield page


async def _send(
    request: web.Request, pages: AsyncGenerator[str, None], content_type: str, filename: str
) -> web.StreamResponse:
    page = await anext(pages)
    response = web.StreamResponse(
        headers={
            "Content-Type": content_type,
            "Content-Disposition": f'attachment; filename="{filename}"',
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
    )
    if origin := request.headers.get("Origin"):
        allow_origin(response, origin)
    try:
        async with asyncio.timeout(EXPORT_TIMEOUT_S):
            await response.prepare(request)
            await _write(response, page)
            async for page in pages:
                await _write(response, page)
            await response.write_eof()
    except (ProblemError, Unauthorized, TimeoutError, ConnectionError) as error:
        log.warning("an export was aborted", file=filename, reason=str(error) or "the client was too slow")
        if request.transport is not None:
            request.transport.abort()
    return response


async def _write(response: web.StreamResponse, text: str) -> None:
    """Raises TimeoutError, ConnectionError."""
    async with asyncio.timeout(WRITE_TIMEOUT_S):
        await response.write(text.encode())
