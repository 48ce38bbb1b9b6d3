"""The ARI event stream: one WebSocket, which is reopened until it works.

No call is lost with the stream: channels and bridges continue in Asterisk, and the engine reconciles after every
connect.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import aiohttp
import structlog

from ari_bridge.ari.events import ApplicationReplaced, AriEvent, MalformedEvent, decode
from ari_bridge.backoff import jittered
from ari_bridge.errors import PeerError
from ari_bridge.tasks import TaskSet

MAX_TAKEOVER_PAUSE_S = 10.0
"""Between attempts if another client takes the stream over again and again."""
FIRST_PAUSE_S, MAX_PAUSE_S = 0.1, 2.0
"""Between attempts to connect: doubled each time, with jitter."""

TAKEN_OVER = "another client took it over"

log = structlog.get_logger(__name__)


class EventStream:
    """Reads events for as long as it runs, and reconnects.

    Args:
        connect: opens the WebSocket; raises PeerError.
        received: called with each event.
        connected: awaited after each connect, while events are read.
        disconnected: called with the reason when a stream is lost.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[aiohttp.ClientWebSocketResponse]],
        received: Callable[[AriEvent], None],
        connected: Callable[[], Awaitable[None]],
        disconnected: Callable[[str], None],
    ) -> None:
        self._connect = connect
        self._received = received
        self._connected = connected
        self._disconnected = disconnected
        self.last_failure = "not tried yet"
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._dropped = ""  # why we close the stream ourselves
        self._closing = TaskSet()

    async def run(self) -> None:
        """Until it is cancelled."""
        pause = fight = FIRST_PAUSE_S
        while True:
            try:
                socket = await self._connect()
            except PeerError as error:
                self._failed(str(error))
            except Exception as error:
                log.exception("unexpected error while connecting to Asterisk")
                self._failed(repr(error))
            else:
                began = time.monotonic()
                replaced = await self._follow(socket)
                # Two clients that take one application from each other over and over would leave it to neither.
                fight = fight if replaced and time.monotonic() - began < MAX_TAKEOVER_PAUSE_S else FIRST_PAUSE_S
                pause = fight
                fight = min(2 * fight, MAX_TAKEOVER_PAUSE_S)
            await asyncio.sleep(jittered(pause))
            pause = max(pause, min(2 * pause, MAX_PAUSE_S))

    def drop(self, reason: str) -> None:
        """Close the stream, and connect again."""
        if self._socket is not None:
            self._dropped = reason
            self._closing.start(self._socket.close())

    def _failed(self, reason: str) -> None:
        if reason != self.last_failure:  # once, not for each try
            log.error("cannot open the ARI event stream, retrying", reason=reason)
        self.last_failure = reason

    async def _follow(self, socket: aiohttp.ClientWebSocketResponse) -> bool:
        """Whether another client took the stream over."""
        self.last_failure = self._dropped = ""
        self._socket = socket
        log.info("connected to the ARI event stream")
        try:
            async with _beside(self._connected()):
                reason = await self._read(socket)
            self.last_failure = reason
            self._disconnected(reason)  # before closing, which may wait for a peer that does not respond
            return reason in (TAKEN_OVER, self._dropped)
        finally:
            self._socket = None
            await socket.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Until the stream ends; why it did."""
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                log.warning("dropped an ARI message that is not text", type=message.type.name)
                continue
            try:
                event = decode(message.data)
            except MalformedEvent as error:
                log.warning("dropped an invalid ARI event", reason=str(error), data=message.data[:200])
                continue
            try:
                self._received(event)
            except Exception:
                log.exception("unexpected error while handling an ARI event", type=event.type)
            if isinstance(event, ApplicationReplaced):
                return TAKEN_OVER  # it gets no events any more
        if self._dropped:
            return self._dropped
        broken = socket.exception()
        if broken is None:
            return f"it was closed ({socket.close_code or 'no close frame'})"
        return "it no longer answers our pings" if isinstance(broken, TimeoutError) else repr(broken)


class _beside(AbstractAsyncContextManager[None]):
    """Runs `work` while the block runs; ends with it."""

    def __init__(self, work: Awaitable[None]) -> None:
        self._work = work

    async def __aenter__(self) -> None:
        self._task = asyncio.ensure_future(self._guarded())

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _guarded(self) -> None:
        try:
            await self._work
        except Exception:
            log.exception("unexpected error after connecting to Asterisk")
