"""HTTP to Asterisk: one pool of kept-alive connections, a deadline on each request, our own errors.

It has the interface that asyncswagger11 (below asyncari) wants of an HTTP client.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from ari_bridge.errors import PeerRefused, PeerTimeout, PeerUnreachable

PEER = "Asterisk"

MAX_CONNECTIONS = 64  # below Asterisk's default sessionlimit of 100
KEEP_ALIVE_TIMEOUT_S = 10  # below Asterisk's default session_keep_alive of 15 s: it never closes one that we are using


class Reply:
    """An answer below 400, read whole."""

    __slots__ = ("body", "request", "status")

    def __init__(self, request: str, status: int, body: bytes) -> None:
        self.request = request
        self.status = status
        self.body = body

    def json(self) -> Any:
        """The decoded body. Raises PeerRefused if it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise PeerRefused(PEER, self.request, f"its answer is not JSON: {error}", self.status) from error


class Transport:
    """`url` is ARI's, e.g. http://127.0.0.1:8088/ari; `timeout` is for each request, in seconds."""

    def __init__(self, url: str, user: str, password: str, timeout: float) -> None:
        self._url = url.rstrip("/")
        self._timeout = timeout
        self._headers = {"Authorization": aiohttp.encode_basic_auth(user, password, "utf-8")}
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Must be called in the loop that will use it."""
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=KEEP_ALIVE_TIMEOUT_S),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, str] | None = None,
        data: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """As asyncswagger11 asks; otherwise as `send`."""
        return await self.send(method, path_below_root(url), params, data)

    async def send(
        self, method: str, path: str, query: dict[str, str] | None = None, body: str | bytes | None = None
    ) -> Reply:
        """`path` is below ARI's root, `body` is JSON.

        Raises PeerRefused (400 and above), PeerTimeout, PeerUnreachable. A request is never sent twice.
        """
        request = f"{method} {path}"
        if self._session is None:
            raise PeerUnreachable(PEER, request, "the client is closed")
        try:
            async with self._session.request(
                method,
                URL(f"{self._url}{path}", encoded=True),
                params=query,
                data=body,
                headers=_JSON if body else None,
            ) as response:
                reply = await response.read()
        except TimeoutError as error:
            raise PeerTimeout(PEER, request, self._timeout) from error
        except (aiohttp.ClientError, OSError) as error:
            raise PeerUnreachable(PEER, request, str(error) or type(error).__name__) from error
        if response.status >= 400:
            raise PeerRefused(PEER, request, _reason(reply, response.reason), response.status)
        return Reply(request, response.status, reply)

    async def download(self, path: str, take: Callable[[bytes], Awaitable[None]], *, within: float) -> Reply:
        """A file, handed to `take` piece by piece; `within`: seconds for all of it; each piece has the usual timeout.

        Raises as `send`, also if the file is truncated; exceptions of `take` are passed on. The reply has no body.
        """
        request = f"GET {path}"
        if self._session is None:
            raise PeerUnreachable(PEER, request, "the client is closed")
        timeout = aiohttp.ClientTimeout(total=within, sock_connect=self._timeout, sock_read=self._timeout)
        with _as_peer_errors(request, self._timeout):
            response = await self._session.get(URL(f"{self._url}{path}", encoded=True), timeout=timeout)
        async with response:
            if response.status >= 400:
                with _as_peer_errors(request, self._timeout):
                    body = await response.read()
                raise PeerRefused(PEER, request, _reason(body, response.reason), response.status)
            while True:
                with _as_peer_errors(request, self._timeout):
                    piece = await response.content.read(PIECE_BYTES)
                if not piece:
                    return Reply(request, response.status, b"")
                await take(piece)

    async def ws_connect(
        self, url: str, params: dict[str, str] | None = None, headers: Any = None
    ) -> aiohttp.ClientWebSocketResponse:
        """The event stream. Raises PeerRefused, PeerTimeout, PeerUnreachable."""
        path = path_below_root(url)
        request = f"GET {path}"
        if self._session is None:
            raise PeerUnreachable(PEER, request, "the client is closed")
        try:
            return await self._session.ws_connect(
                f"{self._url}{path}",
                params=params,
                heartbeat=HEARTBEAT_INTERVAL_S,
                max_msg_size=MAX_EVENT_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        except aiohttp.WSServerHandshakeError as error:
            raise PeerRefused(PEER, request, error.message, error.status) from error
        except TimeoutError as error:
            raise PeerTimeout(PEER, request, self._timeout) from error
        except (aiohttp.ClientError, OSError) as error:
            raise PeerUnreachable(PEER, request, str(error) or type(error).__name__) from error


HEARTBEAT_INTERVAL_S = 2.0
"""A ping is sent after this time without a message; without a pong within half of it the stream is lost. With PBX_GRACE
it comes to 5 s: what is over must be told by then."""
MAX_EVENT_BYTES = 4 * 1024 * 1024
PIECE_BYTES = 256 * 1024
_JSON = {"Content-Type": "application/json"}


@contextmanager
def _as_peer_errors(request: str, seconds: float) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise PeerTimeout(PEER, request, seconds) from error
    except (aiohttp.ClientError, OSError) as error:
        raise PeerUnreachable(PEER, request, str(error) or type(error).__name__) from error


def path_below_root(url: str) -> str:
    """The path below ARI's root. Asterisk's own idea of its host and prefix, which may be another, is dropped."""
    path = URL(url, encoded=True).raw_path
    _, found, rest = path.partition("/ari/")
    return f"/{rest}" if found else path


def _reason(body: bytes, fallback: str | None) -> str:
    """ARI's `{"message": ...}`, or the status line's words."""
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        answer = None
    if isinstance(answer, dict):
        for key in ("message", "error"):
            if isinstance(answer.get(key), str):
                return str(answer[key])
    return fallback or "no reason given"
