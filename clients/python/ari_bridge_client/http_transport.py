"""HTTP requests: repeated when that is safe, and refusals made into one exception.

Repeated are GET, and POST with an Idempotency-Key, when the server is not reached, or asks to come again.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from ari_bridge_client.api_models import CauseData
from ari_bridge_client.errors import ConnectionFailed, Details, Problem
from ari_bridge_client.retry import RetryPolicy, backoff, parse_retry_after, wait_after
from ari_bridge_client.token_keeper import TokenKeeper, TokenProvider

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_RESPONSE_BYTES = 16 * 1024 * 1024
"""Of a response that is read as a whole."""
_RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response that was read as a whole."""

    status: int
    body: bytes
    headers: Mapping[str, str]


class _Problem(msgspec.Struct, rename="camel"):
    """The members of RFC 9457, and those that we add to them. Others are ignored."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    code: str = "error"
    field: str | None = None
    call_id: str | None = None
    outcome: str | None = None
    cause: CauseData | None = None
    retry_after: float | None = None
    challenge: str | None = None
    request_id: str | None = None


class HttpTransport:
    """One connection pool, opened by the first request.

    Args:
        base: The server's address, without a slash at its end.
        token: The first token, if there is one.
        tls: The TLS context; None: the system's.
        retry_policy: How long a request may take.
        token_provider: Asked for another token.
    """

    def __init__(
        self,
        base: str,
        *,
        token: str | None,
        tls: ssl.SSLContext | None,
        retry_policy: RetryPolicy,
        token_provider: TokenProvider | None = None,
    ) -> None:
        self.base = base
        self.tokens = TokenKeeper(token, token_provider, self._post_once)
        self._tls: ssl.SSLContext | bool = tls or True
        self._retry_policy = retry_policy
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        wait: float = 0.0,
        also_ok: frozenset[int] = frozenset(),
    ) -> HttpResponse:
        """Send a request, repeatedly if that is safe.

        Args:
            method: GET, POST, PUT or DELETE.
            path: Below the server's address.
            query: Parameters; those that are None are left out.
            body: Sent as JSON.
            headers: Further headers.
            wait: Seconds that the server is asked to wait before it responds.
            also_ok: Statuses beside 2xx that are no refusal.

        Raises Problem, ConnectionFailed.
        """
        await self.tokens.renew_if_due()
        repeatable = method == "GET" or (method == "POST" and IDEMPOTENCY_KEY in (headers or {}))
        end = asyncio.get_running_loop().time() + self._retry_policy.total_timeout + wait
        may_replace_token = True
        for pause in backoff():
            token = self.tokens.token
            try:
                return await self._attempt(method, path, query, body, headers, wait, end, also_ok)
            except (Problem, ConnectionFailed) as error:
                if error.status == 401 and may_replace_token and await self.tokens.replace(token):
                    may_replace_token = False
                    continue
                after = wait_after(error, pause)
                retryable = isinstance(error, ConnectionFailed) or is_retryable(error)
                if not (repeatable and retryable) or asyncio.get_running_loop().time() + after > end:
                    raise
                await asyncio.sleep(after)
        raise AssertionError("backoff never ends")

    async def _post_once(self, path: str, body: Any, attempt: str) -> bytes:
        end = asyncio.get_running_loop().time() + self._retry_policy.total_timeout
        headers = {IDEMPOTENCY_KEY: attempt} if attempt else None
        return (await self._attempt("POST", path, None, body, headers, 0.0, end, frozenset())).body

    async def _attempt(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str] | None,
        wait: float,
        end: float,
        also_ok: frozenset[int],
    ) -> HttpResponse:
        left = end - asyncio.get_running_loop().time()
        try:
            async with (
                asyncio.timeout(max(0.0, min(left, self._retry_policy.attempt_timeout + wait))),
                self.stream(method, path, query=query, body=body, headers=headers, also_ok=also_ok) as response,
            ):
                data = await response.content.read(MAX_RESPONSE_BYTES + 1)
                while len(data) <= MAX_RESPONSE_BYTES and (more := await response.content.read(MAX_RESPONSE_BYTES + 1)):
                    data += more
                if len(data) > MAX_RESPONSE_BYTES:
                    raise ConnectionFailed(self.base + path, "the response is too large")
                return HttpResponse(response.status, data, response.headers)
        except TimeoutError as error:
            raise ConnectionFailed(self.base + path, "no response in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionFailed(self.base + path, str(error) or type(error).__name__) from error

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        also_ok: frozenset[int] = frozenset(),
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A response whose body the caller reads. Raises Problem, and what aiohttp raises."""
        sent = {"Authorization": f"Bearer {self.tokens.token}"} if self.tokens.token else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
        async with self._open().request(
            method,
            self.base + path,
            params={name: _text(value) for name, value in (query or {}).items() if value is not None},
            data=None if body is None else msgspec.json.encode(body),
            headers={**sent, **(headers or {})},
            ssl=self._tls,
        ) as response:
            if not 200 <= response.status < 300 and response.status not in also_ok:
                raise problem_of(response.status, await response.content.read(MAX_RESPONSE_BYTES), response.headers)
            yield response

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Each request has its own deadline; a stream has none in total.
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._retry_policy.attempt_timeout)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session


def is_retryable(error: Problem) -> bool:
    """Whether the server has not done it, and may do it later. A 409 says so by its Retry-After."""
    return (
        error.status in _RETRYABLE_STATUSES
        and error.code != "call_failed"
        or (error.status == 409 and error.retry_after > 0)
    )


def problem_of(status: int, body: bytes, headers: Mapping[str, str]) -> Problem:
    """What a response says that is no success, from our server or a proxy before it."""
    members = _Problem()
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/problem+json":
        try:
            members = msgspec.json.decode(body, type=_Problem)
        except msgspec.MsgspecError:
            pass  # the status says enough
    return Problem(
        Details(
            status=status,
            code=members.code,
            title=members.title,
            detail=members.detail,
            type=members.type,
            field=members.field or "",
            call_id=members.call_id or "",
            outcome=members.outcome or "",
            cause=members.cause,
            retry_after=members.retry_after or parse_retry_after(headers),
            challenge=members.challenge or "",
            request_id=members.request_id or headers.get("X-Request-Id", ""),
        )
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
