"""One HTTP request, asked again where that is safe, and refusals made into one exception.

Asked again: GET, and POST with an Idempotency-Key, where the server is not reached, or says to come again.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from ari_bridge_client.errors import ConnectionFailed, Details, Problem
from ari_bridge_client.models import CauseInfo
from ari_bridge_client.retry import backoff, retry_after, wait_after
from ari_bridge_client.token_keeper import TokenKeeper, TokenProvider

KEY = "Idempotency-Key"
MOST_BYTES = 16 * 1024 * 1024
"""Of an answer that is read as a whole."""
_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: `attempt` for one answer, `deadline` for all attempts and the pauses between them."""

    attempt: float = 10.0
    deadline: float = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str]


class _Problem(msgspec.Struct, rename="camel"):
    """RFC 9457, and the members that we add to it. What is no such thing in an answer is left out."""

    type: str = "about:blank"
    title: str = ""
    detail: str = ""
    code: str = "error"
    field: str | None = None
    call_id: str | None = None
    outcome: str | None = None
    cause: CauseInfo | None = None
    retry_after: float | None = None
    request_id: str | None = None


class Requests:
    """`base`: the server's address without a slash at its end. One connection pool, opened by the first request."""

    def __init__(
        self,
        base: str,
        *,
        token: str | None,
        tls: ssl.SSLContext | None,
        patience: Patience,
        token_provider: TokenProvider | None = None,
    ) -> None:
        self.base = base
        self.tokens = TokenKeeper(token, token_provider, self._post_once)
        self._tls: ssl.SSLContext | bool = tls or True
        self._patience = patience
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
        taken: frozenset[int] = frozenset(),
    ) -> Reply:
        """Any 2xx, or one of `taken`. `wait`: seconds that the server is asked to hold the answer back.

        Raises Problem, ConnectionFailed.
        """
        await self.tokens.keep()
        safe = method == "GET" or (method == "POST" and KEY in (headers or {}))
        end = asyncio.get_running_loop().time() + self._patience.deadline + wait
        signs_in = True
        for pause in backoff():
            token = self.tokens.token
            try:
                return await self._attempt(method, path, query, body, headers, wait, end, taken)
            except (Problem, ConnectionFailed) as error:
                if error.status == 401 and signs_in and await self.tokens.again(token):
                    signs_in = False
                    continue  # nothing was done of it
                after = wait_after(error, pause)
                again = isinstance(error, ConnectionFailed) or asks_again(error)
                if not (safe and again) or asyncio.get_running_loop().time() + after > end:
                    raise
                await asyncio.sleep(after)
        raise AssertionError("backoff never ends")

    async def _post_once(self, path: str, body: Any) -> bytes:
        end = asyncio.get_running_loop().time() + self._patience.deadline
        return (await self._attempt("POST", path, None, body, None, 0.0, end, frozenset())).body

    async def _attempt(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str] | None,
        wait: float,
        end: float,
        taken: frozenset[int],
    ) -> Reply:
        left = end - asyncio.get_running_loop().time()
        try:
            async with (
                asyncio.timeout(max(0.0, min(left, self._patience.attempt + wait))),
                self.stream(method, path, query=query, body=body, headers=headers, taken=taken) as response,
            ):
                data = await response.content.read(MOST_BYTES + 1)
                while len(data) <= MOST_BYTES and (more := await response.content.read(MOST_BYTES + 1)):
                    data += more
                if len(data) > MOST_BYTES:
                    raise ConnectionFailed(self.base + path, "the answer is too large")
                return Reply(response.status, data, response.headers)
        except TimeoutError as error:
            raise ConnectionFailed(self.base + path, "no answer in time") from error
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
        taken: frozenset[int] = frozenset(),
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose body the caller reads. Raises Problem, and what aiohttp raises."""
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
            if not 200 <= response.status < 300 and response.status not in taken:
                raise problem(response.status, await response.content.read(MOST_BYTES), response.headers)
            yield response

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Each request has its own deadline: a stream has none in all.
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._patience.attempt)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session


def asks_again(error: Problem) -> bool:
    """Whether the server has not done it, and may do it later. A 409 says so by its Retry-After."""
    return error.status in _AGAIN and error.code != "call_failed" or (error.status == 409 and error.retry_after > 0)


def problem(status: int, body: bytes, headers: Mapping[str, str]) -> Problem:
    """What an answer that is no success tells, be it of our server or of a proxy before it."""
    told = _Problem()
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/problem+json":
        try:
            told = msgspec.json.decode(body, type=_Problem)
        except msgspec.MsgspecError:
            pass  # the status says enough
    return Problem(
        Details(
            status=status,
            code=told.code,
            title=told.title,
            detail=told.detail,
            type=told.type,
            field=told.field or "",
            call_id=told.call_id or "",
            outcome=told.outcome or "",
            cause=told.cause,
            retry_after=told.retry_after or retry_after(headers),
            request_id=told.request_id or headers.get("X-Request-Id", ""),
        )
    )


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
