"""The HTTP API of recordings: listed, played (also from the middle), deleted. docs/RECORDINGS.md is its reference.

A user has the recordings of the calls that were theirs; of others it is not even told that there are any.
"""

import base64
import math
from contextlib import aclosing
from datetime import datetime
from typing import Any

import msgspec
import structlog
from aiohttp import web

from ari_bridge.errors import InvalidRequest
from ari_bridge.recordings import Filters, Library, Recording, StoreFailed
from frontend.auth import Access
from frontend.middleware import allow_origin, error_response, json_response

LIMIT, MOST = 50, 500
RETRY_SECONDS = 30
"""When to ask again while the store does not answer."""

log = structlog.get_logger(__name__)


class RecordingsApi:
    def __init__(self, library: Library, access: Access) -> None:
        self._library = library
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/recordings", self.list),
            web.get("/recordings/{name}", self.show),
            web.delete("/recordings/{name}", self.delete),
            web.get("/recordings/{name}/audio", self.audio),
        ]

    async def list(self, request: web.Request) -> web.Response:
        user = self._access.of_request(request.headers.get("Authorization"))
        query = request.query
        filters = Filters(
            user=user,
            call_id=query.get("callId"),
            since=_moment(query, "since"),
            until=_moment(query, "until"),
        )
        page = self._library.find(filters, before=_cursor(query.get("cursor")), limit=_limit(query.get("limit")))
        following = _encode_cursor(page.recordings[-1]) if page.more else None
        return json_response({"recordings": [_told(one) for one in page.recordings], "next": following})

    async def show(self, request: web.Request) -> web.Response:
        recording = self._find(request)
        return json_response(_told(recording)) if recording else _unknown(request)

    async def delete(self, request: web.Request) -> web.Response:
        recording = self._find(request)
        if not recording:
            return _unknown(request)
        try:
            await self._library.delete(recording.name)
        except StoreFailed as error:
            return _store_failed(recording, error)
        log.info("a recording was deleted by its user", recording=recording.name, user=recording.user)
        return web.Response(status=204)

    async def audio(self, request: web.Request) -> web.StreamResponse:
        recording = self._find(request)
        if not recording:
            return _unknown(request)
        tag = f'"{recording.sha256}"'
        headers = _headers(recording, tag, request)
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers=headers)
        part = _range(request, recording.size, tag)
        if part is None:
            headers["Content-Range"] = f"bytes */{recording.size}"
            return error_response(416, "invalid_request", f"There are {recording.size} bytes.", headers=headers)
        start, end = part
        whole = end - start == recording.size
        if not whole:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{recording.size}"
        response = web.StreamResponse(status=200 if whole else 206, headers=headers)
        response.content_type = "audio/wav"
        response.content_length = end - start
        if origin := request.headers.get("Origin"):
            allow_origin(response, origin)
        if request.method == "HEAD" or start == end:
            await response.prepare(request)
            return response
        return await self._send(request, response, recording, start, end)

    async def _send(
        self, request: web.Request, response: web.StreamResponse, recording: Recording, start: int, end: int
    ) -> web.StreamResponse:
        try:
            async with aclosing(self._library.read(recording, start, end)) as pieces:
                async for piece in pieces:
                    if not response.prepared:  # only now it is known that the store answers
                        await response.prepare(request)
                    await response.write(piece)
        except StoreFailed as error:
            if not response.prepared:
                return _store_failed(recording, error)
            # The client sees by the length that something is missing: the connection is cut.
            log.error("a recording could not be sent to its end", recording=recording.name, reason=str(error))
            if request.transport:
                request.transport.abort()
        except ConnectionError:
            pass  # the listener is gone
        return response

    def _find(self, request: web.Request) -> Recording | None:
        """None also for another user's: whose it is, is not told. Raises Unauthorized."""
        user = self._access.of_request(request.headers.get("Authorization"))
        recording = self._library.get(request.match_info["name"])
        return recording if recording and (user is None or user == recording.user) else None


def _told(recording: Recording) -> dict[str, Any]:
    return {
        "name": recording.name,
        "callId": recording.call_id,
        "user": recording.user,
        "caller": recording.caller,
        "target": recording.target,
        "startedAt": recording.started_at,
        "seconds": recording.seconds,
        "size": recording.size,
        "sha256": recording.sha256,
    }


def _headers(recording: Recording, tag: str, request: web.Request) -> dict[str, str]:
    way = "attachment" if "download" in request.query else "inline"
    return {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Cache-Control": "private, no-cache",  # kept by the browser, but asked for again: it may have been deleted
        "Content-Disposition": f'{way}; filename="{recording.name}.wav"',  # a name has letters, digits, and -_. only
        "X-Content-Type-Options": "nosniff",
    }


def _range(request: web.Request, size: int, tag: str) -> tuple[int, int] | None:
    """From which byte up to, not including, which (RFC 9110, 14.2); None: nothing of it is there.

    What is not one range of bytes counts as none at all, as the RFC wants it.
    """
    if request.headers.get("If-Range", tag) != tag:
        return 0, size
    try:
        wanted = request.http_range
    except ValueError:
        return 0, size
    if wanted.start is None and wanted.stop is None:
        return 0, size
    if wanted.start is not None and wanted.start < 0:  # the last so many
        return (max(0, size + wanted.start), size) if size else None
    start, end = wanted.start or 0, size if wanted.stop is None else min(size, wanted.stop)
    return (start, end) if start < end else None


def _moment(query: Any, name: str) -> float | None:
    """Unix seconds, as such or in ISO 8601 with a zone."""
    text = query.get(name)
    if text is None:
        return None
    try:
        moment = float(text)
    except ValueError:
        try:
            parsed = datetime.fromisoformat(text)
            moment = parsed.timestamp() if parsed.tzinfo else math.nan
        except (ValueError, OverflowError):
            moment = math.nan
    if not math.isfinite(moment):
        told = "Unix seconds, or a time as 2026-11-24T10:00:00Z"
        raise InvalidRequest(f"{name} is {told}, not {text[:40]!r}.", field=name)
    return moment


def _limit(text: str | None) -> int:
    if text is None:
        return LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise InvalidRequest(f"limit is a number from 1 to {MOST}, not {text[:40]!r}.", field="limit")
    return int(text)


def _encode_cursor(recording: Recording) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(recording.place)).decode().rstrip("=")


def _cursor(text: str | None) -> tuple[float, str] | None:
    if text is None:
        return None
    try:
        data = base64.b64decode(text[:400] + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(data, type=tuple[float, str])
    except (ValueError, msgspec.DecodeError):  # also UnicodeEncodeError, binascii.Error
        raise InvalidRequest("cursor is what `next` said on the page before.", field="cursor") from None


def _unknown(request: web.Request) -> web.Response:
    name = request.match_info["name"][:100]
    return error_response(404, "unknown_recording", f"There is no recording {name!r}.", field="name")


def _store_failed(recording: Recording, error: StoreFailed) -> web.Response:
    log.error("the store of recordings failed", recording=recording.name, reason=str(error))
    message = f"The store of recordings does not answer. Try again in {RETRY_SECONDS} s."
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return error_response(503, "unavailable", message, headers=headers, retryAfter=RETRY_SECONDS)
