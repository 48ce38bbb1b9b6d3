"""A typed WebSocket client of the front end.

Sends and receives the messages of `frontend.messages`, and signs in for a token.
Knows no WebRTC and keeps no call state: `phone.py` does.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import aiohttp
import msgspec
from yarl import URL

from frontend.messages import ClientMessage, Error, ServerMessage
from frontend.problems import Problem

_DECODER = msgspec.json.Decoder(ServerMessage)
_CLOSE = 0.5  # seconds; a server that has died answers no goodbye
_HEARTBEAT = 20.0  # seconds; a server that went silent is noticed within one and a half


class ClientError(Exception):
    """Base of what can go wrong on the client's side.

    `retry_after`: for how many seconds the server asks not to be tried again; 0 where it asks for nothing.
    """

    retry_after = 0.0


class ConnectionFailed(ClientError):
    """The server cannot be reached, or refused the connection."""

    def __init__(self, url: str, reason: str, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(url, reason, status, retry_after)
        self.url = url
        self.reason = reason
        self.status = status  # HTTP status of the refusal, 0 where there was none
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"cannot connect to {self.url}: {self.reason}"


class ConnectionLost(ClientError):
    """The WebSocket closed. `code` is its close code (RFC 6455 section 7.4), 0 where none came."""

    def __init__(self, code: int = 0, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        code = f" (code {self.code})" if self.code else ""
        return f"the connection to the server is closed{code}{': ' + self.reason if self.reason else ''}"


class ServerRefused(ClientError):
    """The server answered with an `error` message, or refused an HTTP request."""

    def __init__(self, error: Error) -> None:
        super().__init__(error)
        self.error = error
        self.retry_after = error.retry_after or 0.0

    @property
    def code(self) -> str:
        return self.error.code

    @property
    def field(self) -> str | None:
        return self.error.field

    def __str__(self) -> str:
        field = f" (field {self.error.field})" if self.error.field else ""
        return f"{self.error.code}: {self.error.message}{field}"


class Connection:
    """One WebSocket to the front end.

    `on_message` is called in order for every message, `on_lost` once, when the
    connection ends without `close` having been called. Both are plain functions.
    """

    def __init__(
        self,
        url: str,
        *,
        on_message: Callable[[ServerMessage], None],
        on_lost: Callable[[ConnectionLost], None] = lambda lost: None,
        token: str | None = None,
        origin: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.url = url
        self._on_message = on_message
        self._on_lost = on_lost
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._origin = origin
        self._tls: ssl.SSLContext | bool = tls or True
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._closing = False

    async def open(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Connect. Raises ConnectionFailed."""
        self._session = aiohttp.ClientSession(headers=self._headers)
        try:
            async with asyncio.timeout(timeout):
                self._socket = await self._session.ws_connect(
                    self.url,
                    origin=self._origin,
                    heartbeat=_HEARTBEAT,
                    ssl=self._tls,
                    max_msg_size=1 << 20,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            await self.close()
            status, retry_after = 0, 0.0
            if isinstance(error, aiohttp.WSServerHandshakeError):
                status, retry_after = error.status, _retry_after(error.headers)
            reason = f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else str(error)
            raise ConnectionFailed(self.url, reason, status, retry_after) from error
        self._reader = asyncio.create_task(self._read(self._socket), name="client-reader")

    async def send(self, message: ClientMessage) -> None:
        """Send one message. Raises ConnectionLost where the connection is gone."""
        if self._socket is None or self._socket.closed:
            raise ConnectionLost
        try:
            await self._socket.send_str(msgspec.json.encode(message).decode())
        except (aiohttp.ClientError, ConnectionError) as error:
            raise ConnectionLost(reason=str(error)) from error

    async def close(self) -> None:
        """Close the WebSocket. Safe to repeat."""
        self._closing = True
        if self._socket:
            await self._socket.close()
        if self._reader:
            await asyncio.wait([self._reader])
        if self._session:
            await self._session.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            if frame.type is aiohttp.WSMsgType.TEXT:
                self._on_message(_DECODER.decode(frame.data))
        if not self._closing:
            self._on_lost(ConnectionLost(socket.close_code or 0))

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _retry_after(headers: Mapping[str, str] | None) -> float:
    """RFC 9110 section 10.2.3, in seconds; 0 where there is none, or a date, which the server does not send."""
    value = (headers or {}).get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else 0.0


def http_url(ws_url: str, path: str) -> str:
    """The HTTP address of `path` on the server of a WebSocket address."""
    url = URL(ws_url)
    return str(url.with_scheme("https" if url.scheme in ("wss", "https") else "http").with_path(path).with_query(None))


class _Session(msgspec.Struct):
    token: str


async def sign_in(
    ws_url: str,
    user: str,
    password: str,
    *,
    tls: ssl.SSLContext | None = None,
    timeout: float = 10.0,  # noqa: ASYNC109
) -> str:
    """Sign in by password; returns the token. Raises ConnectionFailed or ServerRefused."""
    url = http_url(ws_url, "/session")
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout)) as session,
            session.post(url, json={"user": user, "password": password}, ssl=tls or True) as response,
        ):
            body = await response.read()
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ConnectionFailed(url, str(error) or "no answer") from error
    try:
        if status < 300:
            return msgspec.json.decode(body, type=_Session).token
        told = msgspec.json.decode(body, type=Problem)
        raise ServerRefused(Error(told.code, told.detail, told.field, told.call_id, told.retry_after))
    except msgspec.MsgspecError as error:
        raise ConnectionFailed(url, f"unexpected answer (HTTP {status})", status) from error
