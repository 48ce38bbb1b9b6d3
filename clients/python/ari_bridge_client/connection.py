"""One WebSocket to the server: typed messages both ways, and questions that are answered.

Knows no WebRTC and keeps no call state: `client.py` does.
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
from ari_bridge_client.retry import retry_after
from ari_bridge_protocol.messages import ClientMessage, Error, Ping, Pong, ServerMessage

_DECODER = msgspec.json.Decoder(ServerMessage)
_CLOSE = 0.5  # seconds; a server that has died answers no goodbye
_HEARTBEAT = 20.0  # seconds; a server that went silent is noticed within one and a half
_SEND_SECONDS = 10.0  # a server that reads nothing for so long is gone
ASK_SECONDS = 5.0
BEAT_SECONDS = 3.0
"""Between two pings of ours. The server takes who has sent one, and then nothing for three of them, for frozen."""
_BEATS_LOST = 3


@dataclass
class _Question:
    """A message and the ping after it: what is wrong with the message comes before the pong."""

    number: int
    call_id: str | None
    answered: asyncio.Future[Error | None]


def refused(error: Error) -> Refused:
    return Refused(
        error.code,
        error.message,
        field=error.field or "",
        call_id=error.call_id or "",
        retry_after=error.retry_after or 0.0,
    )


class Connection:
    """One WebSocket to the front end.

    `on_message` is called in order for every message, `on_lost` once, when the
    connection ends without `close` having been called. Both are plain functions.
    `beats`: send pings all the time, by which either side soon finds the other gone.
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
        beats: bool = False,
    ) -> None:
        self.url = url
        self._on_message = on_message
        self._on_lost = on_lost
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._origin = origin
        self._tls: ssl.SSLContext | bool = tls or True
        self._beats = beats
        self._unheard = 0  # beats since anything came
        self._asked = 0
        self._questions: deque[_Question] = deque()  # as many as there are waiting callers
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
                    heartbeat=_HEARTBEAT,
                    ssl=self._tls,
                    max_msg_size=1 << 20,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE),
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            await self.close()
            status, after = 0, 0.0
            if isinstance(error, aiohttp.WSServerHandshakeError):
                status, after = error.status, retry_after(error.headers)
            reason = f"no answer within {timeout:g} s" if isinstance(error, TimeoutError) else str(error)
            raise ConnectionFailed(self.url, reason, status, after) from error
        self._socket = socket
        self._tasks.append(asyncio.create_task(self._read(socket), name="client-reader"))
        if self._beats:
            self._tasks.append(asyncio.create_task(self._beat(socket), name="client-heartbeat"))

    async def send(self, message: ClientMessage) -> None:
        """Send one message. Raises ConnectionLost where the connection is gone."""
        if self._socket is None or self._socket.closed:
            raise ConnectionLost
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._socket.send_str(msgspec.json.encode(message).decode())
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise ConnectionLost(reason=str(error) or "the server reads nothing") from error

    async def ask(self, message: ClientMessage, timeout: float = ASK_SECONDS) -> None:  # noqa: ASYNC109
        """Send a message, and wait until the server has begun what it asks.

        Raises Refused, WaitTimeout, ConnectionLost.
        """
        self._asked += 1
        answered: asyncio.Future[Error | None] = asyncio.get_running_loop().create_future()
        question = _Question(self._asked, getattr(message, "call_id", None), answered)
        self._questions.append(question)
        try:
            async with asyncio.timeout(timeout):
                # Both at once: where one waits for a slow line, no other question may come between them.
                await asyncio.gather(self.send(message), self.send(Ping(question.number)))
                error = await question.answered
        except TimeoutError:
            raise WaitTimeout(
                f"the server did not answer {type(message).__name__.lower()} within {timeout:g} s"
            ) from None
        finally:
            if question in self._questions:
                self._questions.remove(question)
        if error:
            raise refused(error)

    async def close(self) -> None:
        """Close the WebSocket. Safe to repeat."""
        self._closing = True
        if self._socket:
            await self._socket.close()
        self._fail_questions(ConnectionLost(reason="it was closed here"))
        for beating in self._tasks[1:]:
            beating.cancel()
        if others := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(others)
        if self._session:
            await self._session.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            self._unheard = 0
            if frame.type is aiohttp.WSMsgType.TEXT:
                try:
                    message = _DECODER.decode(frame.data)
                except msgspec.MsgspecError:
                    continue  # of a newer server: what it means is not known here
                self._take(message)
        lost = ConnectionLost(socket.close_code or 0)
        self._fail_questions(lost)
        if not self._closing:
            self._on_lost(lost)

    def _take(self, message: ServerMessage) -> None:
        match message:
            case Pong(id=number):
                while self._questions and self._questions[0].number <= number:
                    _settle(self._questions.popleft(), None)
            case Error(call_id=call_id) if self._questions and call_id in (None, self._questions[0].call_id):
                _settle(self._questions[0], message)
            case _:
                self._on_message(message)

    def _fail_questions(self, lost: ConnectionLost) -> None:
        for question in self._questions:
            if not question.answered.done():
                question.answered.set_exception(lost)

    async def _beat(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while not socket.closed:
            await asyncio.sleep(BEAT_SECONDS)
            self._unheard += 1
            if self._unheard > _BEATS_LOST:
                await socket.close()  # `_read` ends, and tells
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


def _settle(question: _Question, error: Error | None) -> None:
    if not question.answered.done():
        question.answered.set_result(error)
