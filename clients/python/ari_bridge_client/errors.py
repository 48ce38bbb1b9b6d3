"""Every error that the client raises, under one base.

    ClientError
    ├── ConnectionFailed     the server cannot be reached, or refuses the connection
    ├── ConnectionLost       the WebSocket closed, and is not opened again
    ├── Refused              the server refused a request on the WebSocket: `code` is the server's
    │   └── Problem          the same over HTTP (RFC 9457 problem details)
    ├── WaitTimeout          what was waited for did not come in time, or cannot come any more
    ├── AuthenticationLost   the server does not accept the token any more: no calls until there is another
    ├── DownloadFailed       the file that came is not the recording
    ├── MediaUnavailable     the call has no media here
    └── MediaMissing         the packages that sound needs are not installed

Each has `code` (stable, for programs), `name` (of its class), `message` (one sentence, for people), `fatal` (the same
request would fail again), and `retry_after`: how many seconds the server asks to wait before the next attempt, else 0.
"""

from dataclasses import dataclass

from ari_bridge_client.api_models import CauseData

FATAL_CODES = frozenset(
    {
        "malformed",
        "unknown_type",
        "invalid_request",
        "invalid_sdp",
        "invalid_target",
        "idempotency_key_reused",
        "unauthorized",
        "password_change_required",
        "second_factor_required",
        "second_factor_enrolment_required",
        "forbidden",
        "unknown_call",
        "unknown_recording",
        "unknown_user",
        "user_exists",
        "last_admin",
        "own_account",
        "sign_in_off",
        "changed_meanwhile",
        "range_not_satisfiable",
        "in_doubt",
        "not_found",
        "method_not_allowed",
        "too_large",
    }
)
"""The codes of requests that are wrong in themselves."""


class ClientError(Exception):
    """Base of all."""

    code = "error"
    fatal = False
    retry_after = 0.0

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def message(self) -> str:
        return str(self)


class ConnectionFailed(ClientError):
    """The server cannot be reached, or refuses the connection. `status`: the HTTP status of the refusal, else 0."""

    code = "connection_failed"

    def __init__(self, url: str, reason: str, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(url, reason, status, retry_after)
        self.url = url
        self.reason = reason
        self.status = status
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"cannot connect to {self.url}: {self.reason}"


class ConnectionLost(ClientError):
    """The WebSocket closed. `close_code`: RFC 6455 section 7.4, 0 if none came."""

    code = "connection_lost"

    def __init__(self, close_code: int = 0, reason: str = "") -> None:
        super().__init__(close_code, reason)
        self.close_code = close_code
        self.reason = reason

    def __str__(self) -> str:
        code = f" (code {self.close_code})" if self.close_code else ""
        return f"the connection to the server is closed{code}{': ' + self.reason if self.reason else ''}"


class Refused(ClientError):
    """The server refused a request. `field`: which value is wrong; `call_id`: of which call; "" if it says neither."""

    def __init__(self, code: str, detail: str, *, field: str = "", call_id: str = "", retry_after: float = 0.0) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.field = field
        self.call_id = call_id
        self.retry_after = retry_after
        self.fatal = code in FATAL_CODES

    def __str__(self) -> str:
        field = f" (field {self.field})" if self.field else ""
        return f"{self.code}: {self.detail}{field}"


@dataclass(frozen=True, slots=True)
class Details:
    """What the server says of a refused HTTP request: the members of RFC 9457, and our own."""

    status: int
    code: str = "error"
    title: str = ""
    detail: str = ""
    type: str = "about:blank"
    field: str = ""
    call_id: str = ""
    outcome: str = ""  # of a call that ended before its SDP answer
    cause: CauseData | None = None  # of the same
    retry_after: float = 0.0  # seconds
    challenge: str = ""  # of a sign-in that is not complete: for the next step
    request_id: str = ""  # by which the server's log has the request


class Problem(Refused):
    """An HTTP request was refused; `details` has everything that the server says of it."""

    def __init__(self, details: Details) -> None:
        super().__init__(
            details.code,
            details.detail or details.title or f"HTTP {details.status}",
            field=details.field,
            call_id=details.call_id,
            retry_after=details.retry_after,
        )
        self.details = details
        self.status = details.status

    @property
    def request_id(self) -> str:
        return self.details.request_id

    @property
    def challenge(self) -> str:
        """Of a sign-in that is not complete (`second_factor_required`, for example), for the next step; else ""."""
        return self.details.challenge

    def __reduce__(self) -> tuple[type["Problem"], tuple[Details]]:
        return (Problem, (self.details,))


class WaitTimeout(ClientError):
    """What was waited for did not come; the text says what came instead."""

    code = "wait_timeout"


class AuthenticationLost(ClientError):
    """The server accepts neither the token nor the session any more."""

    code = "authentication_lost"
    fatal = True


class DownloadFailed(ClientError):
    """The file differs from what the server says of the recording; it was deleted."""

    code = "download_failed"


class MediaUnavailable(ClientError):
    """The call has no media here."""

    code = "media_unavailable"
    fatal = True

    def __init__(self, call_id: str) -> None:
        super().__init__(call_id)
        self.call_id = call_id

    def __str__(self) -> str:
        return f"call {self.call_id} has no media here"


class MediaMissing(ClientError, ImportError):  # type: ignore[misc]  # both have a `name`
    """aiortc or numpy is not installed. Signalling and HTTP work without them."""

    code = "media_missing"
    fatal = True

    def __init__(self, package: str | None) -> None:
        super().__init__(f"sound needs the package {package or 'aiortc'}: pip install 'ari-bridge-client[audio]'")
