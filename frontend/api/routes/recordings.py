"""The HTTP API of recordings: list, play (also from the middle), delete. docs/RECORDINGS.md describes it.

Users see the recordings of their own calls. Without the grant `recordings:read` the recordings of others look as if
they did not exist.
"""

from collections.abc import Callable
from contextlib import aclosing
from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.audit import Action, Result
from ari_bridge.guest_names import shown_name
from ari_bridge.recordings import Filters, Library, Recording, StoreFailed
from frontend.api.routes.paging import NextCursor, PageCursor
from frontend.api.watching import Reading
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.calls.permissions import deletes_recording, hears_recording
from frontend.http import examples
from frontend.http.endpoint import HEADER, Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import allow_origin, json_response
from frontend.http.parameters import Timestamp
from frontend.http.problems import ProblemError

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
STORE_RETRY_AFTER_S = 30
"""When to ask again while the store does not answer."""

log = structlog.get_logger(__name__)


# --- the endpoints ----------------------------------------------------------


class RecordingData(msgspec.Struct, frozen=True, rename="camel"):
    """A recording. Times are Unix seconds."""

    name: str
    call_id: str
    user: Annotated[str | None, Meta(description="the user of the call; null if it had none")]
    caller: str
    target: str
    started_at: float
    seconds: Annotated[float, Meta(description="of audio, without pauses")]
    size: Annotated[int, Meta(description="bytes of the audio file")]
    sha256: Annotated[str, Meta(description="of the audio file, in hexadecimal")]


class RecordingPage(msgspec.Struct, frozen=True, rename="camel"):
    """Newest first."""

    recordings: list[RecordingData]
    next_cursor: NextCursor


class RecordingFilters(msgspec.Struct, frozen=True, rename="camel"):
    call_id: str | None = None
    since: Annotated[Timestamp | None, Meta(description="start of the recording, from")] = None
    until: Annotated[Timestamp | None, Meta(description="start of the recording, before")] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    cursor: PageCursor = None


class RecordingPath(msgspec.Struct, frozen=True):
    name: str


class AudioRequest(RecordingPath, frozen=True):
    download: Annotated[
        str | None, Meta(description="with any value: browsers save the file instead of playing it")
    ] = None
    range: Annotated[str | None, HEADER, Meta(description="one range of bytes")] = msgspec.field(
        default=None, name="Range"
    )
    if_range: Annotated[str | None, HEADER, Meta(description="an ETag")] = msgspec.field(default=None, name="If-Range")
    if_none_match: Annotated[str | None, HEADER] = msgspec.field(default=None, name="If-None-Match")


RECORDINGS = "Recordings"
_NAME = f"{examples.CALL_ID}-rec1"
_EXAMPLE = RecordingData(
    _NAME,
    examples.CALL_ID,
    "1001",
    "1001",
    "600",
    examples.AT + 5,
    42.5,
    680044,
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)
_AUDIO_HEADERS = {"Accept-Ranges": "`bytes`.", "ETag": "Of the audio file.", "Content-Disposition": "The file's name."}
LIST = Endpoint(
    name="listRecordings",
    method="GET",
    path="/recordings",
    tag=RECORDINGS,
    summary="List recordings, newest first",
    description="If sign-in is on, those of your own calls; with the right `recordings:read` all.",
    parameters=RecordingFilters,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="A page of recordings", shape=RecordingPage, example=RecordingPage([_EXAMPLE], None)
        )
    },
    example={"since": "2026-09-21T00:00:00Z"},
)
SHOW = Endpoint(
    name="showRecording",
    method="GET",
    path="/recordings/{name}",
    tag=RECORDINGS,
    summary="Show a recording",
    parameters=RecordingPath,
    body=Nothing,
    responses={200: ResponseSpec(description="The recording", shape=RecordingData, example=_EXAMPLE)},
    problems=("unknown_recording",),
    example={"name": _NAME},
)
DELETE = Endpoint(
    name="deleteRecording",
    method="DELETE",
    path="/recordings/{name}",
    tag=RECORDINGS,
    summary="Delete a recording",
    parameters=RecordingPath,
    body=Nothing,
    responses={204: ResponseSpec(description="The recording is deleted")},
    problems=("unknown_recording", "unavailable"),
    example={"name": _NAME},
)
AUDIO = Endpoint(
    name="playRecording",
    method="GET",
    path="/recordings/{name}/audio",
    tag=RECORDINGS,
    summary="Download a recording, or a part of it",
    parameters=AudioRequest,
    body=Nothing,
    responses={
        200: ResponseSpec(description="The audio file", media="audio/wav", headers=_AUDIO_HEADERS),
        206: ResponseSpec(
            description="The part requested by `Range`",
            media="audio/wav",
            headers={**_AUDIO_HEADERS, "Content-Range": "The range, and the total size."},
        ),
        304: ResponseSpec(description="Not changed since the version in `If-None-Match`", headers=_AUDIO_HEADERS),
    },
    problems=("unknown_recording", "range_not_satisfiable", "unavailable"),
    example={"name": _NAME, "Range": "bytes=0-65535"},
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (LIST, SHOW, DELETE, AUDIO)


# --- the handlers --------------------------------------------------------------


class RecordingsApi:
    def __init__(self, library: Library, access: Authenticator) -> None:
        self._library = library
        self._access = access
        self._reading = Reading(access.audit)

    def routes(self) -> list[web.RouteDef]:
        return [
            LIST.route(self._access, self.list),
            SHOW.route(self._access, self.show),
            DELETE.route(self._access, self.delete),
            AUDIO.route(self._access, self.audio),
        ]

    async def list(self, request: TypedRequest[RecordingFilters, Nothing]) -> web.Response:
        wanted = request.parameters
        who = request.principal
        everybody = who.may(Grant.RECORDINGS_READ)
        filters = Filters(
            user=None if everybody else who.name,
            call_id=wanted.call_id,
            since=wanted.since if everybody else max(wanted.since or 0.0, who.since),
            until=wanted.until,
        )
        page = self._library.find(filters, before=wanted.cursor, limit=wanted.limit)
        following = str(page.recordings[-1].cursor) if page.more else None
        return json_response(RecordingPage([_told(one, who) for one in page.recordings], following))

    async def show(self, request: TypedRequest[RecordingPath, Nothing]) -> web.Response:
        return json_response(_told(self._find(request), request.principal))

    async def delete(self, request: TypedRequest[RecordingPath, Nothing]) -> web.Response:
        recording = self._find(request, deletes_recording)
        try:
            await self._library.delete(recording.name)
        except StoreFailed as error:
            self._access.audit.record(
                Action.RECORDING_DELETE, recording.name, result=Result.FAILED, user=recording.user, reason=str(error)
            )
            raise _store_failed(recording, error) from error
        log.info("recording deleted", recording=recording.name, user=recording.user, by=request.user)
        self._access.audit.record(Action.RECORDING_DELETE, recording.name, user=recording.user)
        return web.Response(status=204)

    async def audio(self, request: TypedRequest[AudioRequest, Nothing]) -> web.StreamResponse:
        recording, raw = self._find(request), request.raw
        tag = f'"{recording.sha256}"'
        headers = _headers(recording, tag, download=request.parameters.download is not None)
        if request.parameters.if_none_match == tag:
            return web.Response(status=304, headers=headers)
        part = _range(raw, request.parameters.if_range, recording.size, tag)
        if part is None:
            headers["Content-Range"] = f"bytes */{recording.size}"
            raise ProblemError(
                "range_not_satisfiable", f"There are {recording.size} bytes.", field="Range", headers=headers
            )
        start, end = part
        whole = end - start == recording.size
        if not whole:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{recording.size}"
        response = web.StreamResponse(status=200 if whole else 206, headers=headers)
        response.content_type = "audio/wav"
        response.content_length = end - start
        if origin := raw.headers.get("Origin"):
            allow_origin(response, origin)
        if raw.method == "HEAD" or start == end:
            await response.prepare(raw)
            return response
        heard = Action.RECORDING_PLAY if request.parameters.download is None else Action.RECORDING_DOWNLOAD
        self._reading.record(request.principal, heard, recording.name, {"user": recording.user})
        return await self._send(request, response, recording, start, end)

    async def _send(
        self,
        typed: TypedRequest[AudioRequest, Nothing],
        response: web.StreamResponse,
        recording: Recording,
        start: int,
        end: int,
    ) -> web.StreamResponse:
        request = typed.raw
        try:
            async with aclosing(self._library.read(recording, start, end)) as pieces:
                async for piece in pieces:
                    if not self._access.holds(typed.principal):
                        raise ConnectionError("what the listener had signed in to has ended")
                    if not response.prepared:  # only now it is known that the store answers
                        await response.prepare(request)
                    await response.write(piece)
        except StoreFailed as error:
            if not response.prepared:
                raise _store_failed(recording, error) from error
            # The client sees by the length that something is missing: the connection is cut.
            log.error("sending a recording failed midway", recording=recording.name, reason=str(error))
            if request.transport:
                request.transport.abort()
        except ConnectionError:  # the client has disconnected, or must not hear more
            if request.transport:
                request.transport.abort()
        return response

    def _find(self, request: TypedRequest[Any, Nothing], may: Callable[..., bool] = hears_recording) -> Recording:
        """Raises the same ProblemError for another user's recording as for one that does not exist."""
        name = request.parameters.name
        recording = self._library.get(name)
        if recording is None or not may(request.principal, recording.user, recording.started_at):
            raise ProblemError("unknown_recording", f"There is no recording {name[:100]!r}.", field="name")
        return recording


def _told(one: Recording, principal: Principal) -> RecordingData:
    """The whole name of a guest is for the guest alone."""
    told = RecordingData(**msgspec.structs.asdict(one))
    if one.user is None or one.user == principal.name:
        return told
    return msgspec.structs.replace(told, user=shown_name(one.user), target=shown_name(one.target))


def _headers(recording: Recording, tag: str, *, download: bool) -> dict[str, str]:
    way = "attachment" if download else "inline"
    return {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Cache-Control": "private, no-cache",  # revalidated each time: it may have been deleted
        "Content-Disposition": f'{way}; filename="{recording.name}.wav"',  # a name has letters, digits, and -_. only
        "X-Content-Type-Options": "nosniff",
    }


def _range(request: web.Request, if_range: str | None, size: int, tag: str) -> tuple[int, int] | None:
    """From which byte up to, not including, which (RFC 9110, 14.2); None: nothing of it is there.

    What is not one range of bytes counts as none at all, as the RFC wants it.
    """
    if if_range not in (None, tag):
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


def _store_failed(recording: Recording, error: StoreFailed) -> ProblemError:
    log.error("recording store failed", recording=recording.name, reason=str(error))
    detail = f"The recording store does not respond. Try again in {STORE_RETRY_AFTER_S} s."
    return ProblemError("unavailable", detail, retry_after=STORE_RETRY_AFTER_S)
