"""One WebSocket to the server: typed messages both ways, and requests that are acknowledged.

It knows no WebRTC and keeps no state of calls: `client.py` does.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp
import msgspec

from ari_bridge_client.errors import ConnectionFailed, ConnectionLost, Refused, WaitTimeout
from ari_bridge_client.retry import parse_retry_after
from ari_bridge_protocol.messages import ClientMessage, Error, Ping, Pong, ServerMessage

_DECODER = msgspec.json.Decoder(ServerMessage)
_CLOSE_TIMEOUT_S = 0.5  # a server that has died does not complete the closing handshake
_HEARTBEAT_INTERVAL_S = 20.0  # a server that went silent is noticed within one and a half of these
_SEND_TIMEOUT_S = 10.0  # a server that has not read for this long is gone
REQUEST_TIMEOUT_S = 5.0
KEEPALIVE_INTERVAL_S = 3.0
"""Between two pings. The server takes a client for frozen that has sent one, and then nothing for three intervals."""
_MAX_MISSED_KEEPALIVES = 3


@dataclass
class _PendingRequest:
    """A message and the ping after it: an error about the message comes before the pong."""

    number: int
    call_id: str | None
    result: asyncio.Future[Error | None]


def refusal_of(error: Error) -> Refused:
    return Refused(
        error.code,
        error.message,
        field=error.field or "",
        call_id=error.call_id or "",
        retry_after=error.retry_after or 0.0,
    )


class Connection:
    """One WebSocket to the server.

    Args:
        url: ws:// or wss://.
        on_message: Called with every message, in order.
        on_lost: Called once, when the connection ends without `close`.
        token: Sent as the Authorization header.
        origin: The Origin header.
        tls: The TLS context; None: the system's.
        keepalive_interval: Seconds between pings, by which either side soon finds that the other is gone. None: none.
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
        keepalive_interval: float | None = None,
    ) -> None:
        self.url = url
        self._on_message = on_message
        self._on_lost = on_lost
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._origin = origin
        self._tls: ssl.SSLContext | bool = tls or True
        self._keepalive_interval = keepalive_interval
        self._silent_intervals = 0  # since anything was received
        self._request_count = 0
        self._requests: deque[_PendingRequest] = deque()  # as many as there are waiting callers
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def open(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109
        """Connect. Raises ConnectionFailed."""
        self._session = aiohttp.ClientSession(headers=self._headers)
        try:
            async with asyncio.timeout(timeout):
                socket = await self._session.ws_connect(
                    self.url,
                    origin=self._origin,
                    heartbeat=_HEARTBEAT_INTERVAL_S,
                    ssl=self._tls,
                    max_msg_size=1 << 20,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_S),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            await self.close()
            status, after = 0, 0.0
            if isinstance(error, aiohttp.WSServerHandshakeError):
                status, after = error.status, parse_retry_after(error.headers)
            reason = f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else str(error)
            raise ConnectionFailed(self.url, reason, status, after) from error
        self._socket = socket
        self._tasks.append(asyncio.create_task(self._read(socket), name="client-reader"))
        if self._keepalive_interval:
            keepalives = self._send_keepalives(socket, self._keepalive_interval)
            self._tasks.append(asyncio.create_task(keepalives, name="client-keepalive"))

    async def send(self, message: ClientMessage) -> None:
        """Send one message. Raises ConnectionLost."""
        if self._socket is None or self._socket.closed:
            raise ConnectionLost
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_S):
                await self._socket.send_str(msgspec.json.encode(message).decode())
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise ConnectionLost(reason=str(error) or "the server reads nothing") from error

    async def request(self, message: ClientMessage, timeout: float = REQUEST_TIMEOUT_S) -> None:  # noqa: ASYNC109
        """Send a message, and wait until the server has taken it.

        Raises Refused, WaitTimeout, ConnectionLost.
        """
        self._request_count += 1
        result: asyncio.Future[Error | None] = asyncio.get_running_loop().create_future()
        request = _PendingRequest(self._request_count, getattr(message, "call_id", None), result)
        self._requests.append(request)
        try:
            async with asyncio.timeout(timeout):
                # Both at once: while one waits for a slow line, no other request may come between them.
                await asyncio.gather(self.send(message), self.send(Ping(request.number)))
                error = await request.result
        except TimeoutError:
            raise WaitTimeout(
                f"the server did not answer {type(message).__name__.lower()} within {timeout:g} s"
            ) from None
        finally:
            if request in self._requests:
                self._requests.remove(request)
        if error:
            raise refusal_of(error)

    async def close(self) -> None:
        """Close the WebSocket. Safe to repeat."""
        self._closing = True
        if self._socket:
            await self._socket.close()
        self._fail_requests(ConnectionLost(reason="it was closed here"))
        for keepalive in self._tasks[1:]:
            keepalive.cancel()
        if others := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(others)
        if self._session:
            await self._session.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            self._silent_intervals = 0
            if frame.type is aiohttp.WSMsgType.TEXT:
                try:
                    message = _DECODER.decode(frame.data)
                except msgspec.MsgspecError:
                    continue  # of a newer server
                self._on_message_received(message)
        lost = ConnectionLost(socket.close_code or 0)
        self._fail_requests(lost)
        if not self._closing:
            self._on_lost(lost)

    def _on_message_received(self, message: ServerMessage) -> None:
        match message:
            case Pong(id=number):
                while self._requests and self._requests[0].number <= number:
                    _settle(self._requests.popleft(), None)
            case Error(call_id=call_id) if self._requests and call_id in (None, self._requests[0].call_id):
                _settle(self._requests[0], message)
            case _:
                self._on_message(message)

    def _fail_requests(self, lost: ConnectionLost) -> None:
        for request in self._requests:
            if not request.result.done():
                request.result.set_exception(lost)

    async def _send_keepalives(self, socket: aiohttp.ClientWebSocketResponse, interval: float) -> None:
        while not socket.closed:
            await asyncio.sleep(interval)
            self._silent_intervals += 1
            if self._silent_intervals > _MAX_MISSED_KEEPALIVES:
                await socket.close()  # `_read` ends, and calls `on_lost`
                return
            try:
                await self.send(Ping())
            except ConnectionLost:
                return

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


def _settle(request: _PendingRequest, error: Error | None) -> None:
    if not request.result.done():
        request.result.set_result(error)
