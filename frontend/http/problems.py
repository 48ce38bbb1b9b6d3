"""All problems that a request can be answered with: RFC 9457 problem details.

The codes are stable and meant for programs. This list is complete: the OpenAPI document and the reference are generated
from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.fsm.call_data import CauseData
from ari_bridge.outcomes import Outcome
from frontend.auth.errors import FactorMethod

MEDIA_TYPE = "application/problem+json"
DEFAULT_RETRY_AFTER_S = 5.0
"""When to retry, unless something better is known."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """`title`: the same for every problem with this code. `hint`: when it occurs, and what to do."""

    code: str
    status: int
    title: str
    hint: str


_PROBLEM_TYPES = (
    ProblemType("invalid_request", 400, "The request is invalid", "`field` names the invalid value."),
    ProblemType("invalid_sdp", 400, "The offer cannot be used", "`sdp` is not SDP, or has no audio with Opus or PCMU."),
    ProblemType("invalid_target", 400, "The number cannot be dialled", "It is empty, or has invalid characters."),
    ProblemType(
        "unauthorized", 401, "Sign-in required", "The token is missing or has expired, or the password is wrong."
    ),
    ProblemType(
        "password_change_required",
        401,
        "Choose a password of your own",
        "The password is right, but was chosen by somebody else: `POST /session/password` takes the `challenge`.",
    ),
    ProblemType(
        "second_factor_required",
        401,
        "A second factor is required",
        "The password is right. `POST /session/second-factor` takes the `challenge` and a code, "
        "`/session/second-factor/key` a security key.",
    ),
    ProblemType(
        "second_factor_enrolment_required",
        401,
        "Set up a second factor",
        "The password is right, but a role of yours needs a second factor: `POST /session/second-factor/enrolment` "
        "takes the `challenge`.",
    ),
    ProblemType(
        "forbidden",
        403,
        "Not allowed",
        "No role of yours allows it, dial permissions refuse the number (`rule`), or the page's origin is not in "
        "`CORS_ORIGIN`.",
    ),
    ProblemType("not_found", 404, "Not found", "The path is unknown."),
    ProblemType("unknown_call", 404, "No such call", "The call does not exist, or belongs to another user."),
    ProblemType(
        "unknown_recording", 404, "No such recording", "The recording does not exist, or belongs to another user."
    ),
    ProblemType("unknown_user", 404, "No such user", "The user does not exist, or was removed."),
    ProblemType("method_not_allowed", 405, "Method not allowed", "`Allow` lists the methods of the path."),
    ProblemType("timeout", 408, "The request took too long", "The body was not complete in time."),
    ProblemType(
        "wrong_state",
        409,
        "The call's state does not allow this",
        "Fetch the call and retry once its state allows it.",
    ),
    ProblemType("user_exists", 409, "The name is taken", "Choose another name."),
    ProblemType(
        "last_admin",
        409,
        "Somebody has to be admin",
        "Give another user the role admin before you take it from this one.",
    ),
    ProblemType(
        "own_account",
        409,
        "Not to your own account",
        "You would lock yourself out: ask another admin, or use `ari-bridge user` on the server.",
    ),
    ProblemType("sign_in_off", 409, "Sign-in is off", "There are no users while `ENABLE_AUTHENTICATION` is false."),
    ProblemType("in_progress", 409, "The same request is in progress", "Retry with the same `Idempotency-Key`."),
    ProblemType(
        "in_doubt",
        409,
        "It is unknown whether the request was carried out",
        "The server stopped in the middle of it: check the call `callId`.",
    ),
    ProblemType(
        "changed_meanwhile",
        412,
        "It was changed in the meantime",
        "Fetch it again, and repeat the change with its new ETag in `If-Match`.",
    ),
    ProblemType(
        "too_large",
        413,
        "The request is too large",
        "A body has at most 1 MiB, or 16 KiB without a token; a header 32 KiB, all of them 64 KiB (status 431).",
    ),
    ProblemType("range_not_satisfiable", 416, "Range not satisfiable", "`Content-Range` has the size."),
    ProblemType(
        "idempotency_key_reused", 422, "The key was used for another request", "Use a new key for a new request."
    ),
    ProblemType("too_many", 429, "A limit is reached", "Retry after `retryAfter` seconds."),
    ProblemType("error", 500, "The server failed", "A fault of the server; its log has it by `requestId`."),
    ProblemType("call_failed", 502, "The call failed", "`outcome` and `cause` say why there is no SDP answer."),
    ProblemType(
        "unavailable", 503, "Unavailable", "Something that is required is down. Retry after `retryAfter` seconds."
    ),
)
INCOMPLETE_SIGN_IN = ("password_change_required", "second_factor_required", "second_factor_enrolment_required")
"""Of a sign-in with the right password that requires something else."""
PROBLEM_TYPES = {kind.code: kind for kind in _PROBLEM_TYPES}


class Problem(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Problem details (RFC 9457)."""

    type: Annotated[str, Meta(description="where the code is explained, relative to this server")]
    title: Annotated[str, Meta(description="the same for every problem with this code")]
    status: Annotated[int, Meta(description="the status of the response")]
    detail: Annotated[str, Meta(description="what went wrong in this case, in one or two sentences for developers")]
    code: Annotated[str, Meta(description="for programs")]
    field: Annotated[str | None, Meta(description="the invalid value of the request")] = None
    rule: Annotated[
        str | None,
        Meta(description="the rule that refuses the number (`forbidden`), or the limit (`too_many`)"),
    ] = None
    challenge: Annotated[
        str | None,
        Meta(description="of a sign-in that is not complete: for the next step only, once, within ten minutes"),
    ] = None
    methods: Annotated[
        list[FactorMethod] | None,
        Meta(description="second factors that the user has, or may set up (`second_factor_enrolment_required`)"),
    ] = None
    call_id: str | None = None
    outcome: Annotated[Outcome | None, Meta(description="how the call ended")] = None
    cause: CauseData | None = None
    retry_after: Annotated[float | None, Meta(description="seconds; also, rounded, in the header Retry-After")] = None
    request_id: Annotated[str | None, Meta(description="identifies the request in the server's log")] = None


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
    challenge: str | None = None,
    methods: list[FactorMethod] | None = None,
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
        challenge=challenge,
        methods=methods,
        call_id=call_id,
        outcome=outcome,
        cause=cause,
        retry_after=retry_after,
        request_id=request_id,
    )


def problem_response(body: Problem, headers: Mapping[str, str] | None = None) -> web.Response:
    """The response, with `Retry-After` if the problem says when to retry (RFC 9110, 10.2.3: whole seconds)."""
    more = dict(headers or {})
    if body.retry_after is not None:
        more["Retry-After"] = str(max(1, round(body.retry_after)))
    return web.Response(
        body=msgspec.json.encode(body), status=body.status, headers={"Content-Type": MEDIA_TYPE, **more}
    )
