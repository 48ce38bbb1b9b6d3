"""Every problem that an HTTP request can meet, and how it is told: RFC 9457 problem details.

The codes are stable and meant for programs. The list here is the whole of them: the OpenAPI document and the reference
page are made of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.fsm.call_data import CauseData
from ari_bridge.outcomes import Outcome

MEDIA_TYPE = "application/problem+json"
DEFAULT_RETRY_AFTER_S = 5.0
"""When to ask again, where nobody knows better."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """`title`: the same for every problem of this code. `hint`: when it comes and what to do about it."""

    code: str
    status: int
    title: str
    hint: str


_KINDS = (
    ProblemType("invalid_request", 400, "The request is not as it should be", "`field` names the value that is wrong."),
    ProblemType("invalid_sdp", 400, "The offer cannot be used", "`sdp` is no SDP, or has no audio with Opus or PCMU."),
    ProblemType(
        "invalid_target", 400, "The number cannot be dialled", "It is empty, or has characters that no number has."
    ),
    ProblemType("unauthorized", 401, "Sign in first", "The token is missing, has expired, or the password is wrong."),
    ProblemType(
        "forbidden",
        403,
        "Not allowed",
        "Dial permissions refuse the number (`rule`), or `CORS_ORIGIN` does not list a page's origin.",
    ),
    ProblemType("not_found", 404, "There is nothing here", "The path is unknown."),
    ProblemType("unknown_call", 404, "There is no such call", "Or it is another user's: which of both is not told."),
    ProblemType(
        "unknown_recording", 404, "There is no such recording", "Or it is another user's: which of both is not told."
    ),
    ProblemType("method_not_allowed", 405, "Not with this method", "`Allow` lists those that the path takes."),
    ProblemType(
        "wrong_state", 409, "The call is not in a state for this", "Look at the call, and ask again where it fits."
    ),
    ProblemType(
        "in_progress", 409, "The same request is being worked on", "Ask again with the same `Idempotency-Key`."
    ),
    ProblemType(
        "in_doubt", 409, "Nobody knows whether it was done", "The server died meanwhile: look at the call `callId`."
    ),
    ProblemType(
        "too_large",
        413,
        "The request is too large",
        "A body has at most 1 MiB, a header 32 KiB (told as 431).",
    ),
    ProblemType("range_not_satisfiable", 416, "No such bytes", "`Content-Range` tells how many there are."),
    ProblemType(
        "idempotency_key_reused", 422, "The key was used for something else", "Take a new key for a new request."
    ),
    ProblemType("too_many", 429, "A limit is reached", "Ask again after `retryAfter` seconds."),
    ProblemType("error", 500, "The server failed", "It is a fault of the server, and in its log, by `requestId`."),
    ProblemType(
        "call_failed", 502, "The call ended at once", "`outcome` and `cause` tell why there was no SDP answer."
    ),
    ProblemType(
        "unavailable", 503, "Not now", "Something that is needed is away. Ask again after `retryAfter` seconds."
    ),
)
PROBLEM_TYPES = {kind.code: kind for kind in _KINDS}


class Problem(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What went wrong (RFC 9457). What is below `code` is there where it applies."""

    type: Annotated[str, Meta(description="where the code is explained, relative to this server")]
    title: Annotated[str, Meta(description="the same for every problem of this code")]
    status: Annotated[int, Meta(description="as of the answer")]
    detail: Annotated[str, Meta(description="what went wrong this time, in one or two sentences for people")]
    code: Annotated[str, Meta(description="for programs")]
    field: Annotated[str | None, Meta(description="which value of the request is wrong")] = None
    rule: Annotated[
        str | None, Meta(description="with `forbidden` for a number: which rule of the dial permissions refuses it")
    ] = None
    call_id: str | None = None
    outcome: Annotated[Outcome | None, Meta(description="how the call ended")] = None
    cause: CauseData | None = None
    retry_after: Annotated[
        float | None, Meta(description="seconds; also, in whole ones, as the header Retry-After")
    ] = None
    request_id: Annotated[str | None, Meta(description="by which the server's log has this request")] = None


class ProblemError(Exception):
    """Raised by a route: the answer is this problem."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        field: str | None = None,
        call_id: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.call_id = call_id
        self.retry_after = retry_after
        self.headers = headers or {}

    def __str__(self) -> str:
        return self.detail


def problem(
    code: str,
    detail: str,
    *,
    field: str | None = None,
    rule: str | None = None,
    call_id: str | None = None,
    outcome: Outcome | None = None,
    cause: CauseData | None = None,
    retry_after: float | None = None,
    request_id: str | None = None,
) -> Problem:
    """Of a code in PROBLEM_TYPES. One to ask again for (429, 503) always says when."""
    kind = PROBLEM_TYPES[code]
    if kind.status in (429, 503) and retry_after is None:
        retry_after = DEFAULT_RETRY_AFTER_S
    return Problem(
        type=f"/docs#problem-{code}",
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=code,
        field=field,
        rule=rule,
        call_id=call_id,
        outcome=outcome,
        cause=cause,
        retry_after=retry_after,
        request_id=request_id,
    )


def problem_response(told: Problem, headers: Mapping[str, str] | None = None) -> web.Response:
    """The answer, with `Retry-After` where it says when to ask again (RFC 9110, 10.2.3: whole seconds)."""
    more = dict(headers or {})
    if told.retry_after is not None:
        more["Retry-After"] = str(max(1, round(told.retry_after)))
    return web.Response(
        body=msgspec.json.encode(told), status=told.status, headers={"Content-Type": MEDIA_TYPE, **more}
    )
