"""The ARI client: REST through asyncari's swagger layer over our own transport, events by our own stream.

Of asyncari only the layer that reads ARI's description and makes operations of it is used. Its event
loop prints every event, dies when handling one takes long and never reconnects; its stock HTTP
transport allows three connections and repeats POSTs after a broken one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import structlog
from asyncari.client import Client as AsyncAri

from ari_bridge.ari.bridges import Bridges
from ari_bridge.ari.channels import Channels
from ari_bridge.ari.events import AriEvent
from ari_bridge.ari.request import Observer, Requests, read
from ari_bridge.ari.resources import AsteriskInfo
from ari_bridge.ari.stream import EventStream
from ari_bridge.ari.transport import Transport
from ari_bridge.ari.wake import needs_wake
from ari_bridge.errors import PeerError

DROPPED_EVENTS = ("ChannelVarset", "ChannelDialplan")
"""Left out at the source: at many calls they are most of the stream, and no call needs them."""
IDLE_CONNECTIONS = 4
"""Opened ahead after each connect, so that a first call opens none."""

log = structlog.get_logger(__name__)


class _Info(msgspec.Struct):
    system: dict[str, str] = {}
    status: dict[str, str] = {}


class Ari:
    """`url`: e.g. http://127.0.0.1:8088/ari; `timeout`: seconds for each request."""

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        app: str,
        *,
        timeout: float = 5.0,
        request_observer: Observer | None = None,
    ) -> None:
        self.app = app
        self.version = ""
        self.connected = False
        self._transport = Transport(url, user, password, timeout)
        self._requests = Requests(self._transport, request_observer)
        self.channels = Channels(self._requests, app)
        self.bridges = Bridges(self._requests, self.channels)
        self._stream = EventStream(self._connect, self._received, self._on_connected, self._on_disconnected)
        self._running: asyncio.Task[None] | None = None
        self._event_listeners: list[Callable[[AriEvent], None]] = []
        self._connect_listeners: list[Callable[[], Awaitable[None]]] = []
        self._disconnect_listeners: list[Callable[[str], None]] = []

    async def start(self) -> None:
        """Begin to connect, in the background and for ever."""
        self._transport.open()
        self._running = asyncio.create_task(self._stream.run(), name="ARI event stream")

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        self.connected = False
        await self._transport.close()

    def on_event(self, listener: Callable[[AriEvent], None]) -> None:
        """Called for each event, in order. Must be quick."""
        self._event_listeners.append(listener)

    def on_connect(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Awaited after every connect, while events already come in."""
        self._connect_listeners.append(listener)

    def on_disconnect(self, listener: Callable[[str], None]) -> None:
        """Called with the reason when a stream that stood is lost."""
        self._disconnect_listeners.append(listener)

    @property
    def failure(self) -> str:
        """Why the event stream does not stand; "" where it does."""
        return "" if self.connected else self._stream.last_failure

    async def info(self) -> AsteriskInfo:
        """Who answers. Works without the event stream. Raises PeerError."""
        reply = await self._requests.measure("asterisk.getInfo", self._transport.send("GET", "/asterisk/info"))
        info = read(reply, _Info)
        return AsteriskInfo(info.system.get("version", ""), info.status.get("startup_time", ""))

    async def application(self) -> dict[str, Any]:
        """ARI `Application`: what ours is subscribed to, in `channel_ids` and `bridge_ids`. Raises PeerError."""
        return read(await self._requests.send("applications", "get", applicationName=self.app), dict[str, Any])

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        """Who answers, what it can do, and then its events. Raises PeerError."""
        info = await self.info()
        ari = AsyncAri(None, "http://localhost/", self.app, self._transport)
        await ari.swagger.init()
        self.version = info.version
        self._requests.legacy = needs_wake(info.version)
        self._requests.describe(ari.swagger)
        socket = await self._transport.ws_connect("/events", params={"app": self.app, "subscribeAll": "false"})
        try:
            await self._drop_events()
        except PeerError as error:  # an Asterisk before 16.3: every event comes then
            log.info("the PBX cannot filter events", reason=str(error))
        except BaseException:
            await socket.close()
            raise
        self.connected = True
        return socket

    async def _drop_events(self) -> None:
        body = msgspec.json.encode({"disallowed": [{"type": name} for name in DROPPED_EVENTS]})
        request = self._transport.send("PUT", f"/applications/{self.app}/eventFilter", body=body)
        await self._requests.measure("applications.filter", request)

    def _received(self, event: AriEvent) -> None:
        for listener in self._event_listeners:
            listener(event)

    async def _on_connected(self) -> None:
        for listener in self._connect_listeners:
            await listener()
        await asyncio.gather(*(self.info() for _ in range(IDLE_CONNECTIONS)), return_exceptions=True)

    def _on_disconnected(self, reason: str) -> None:
        self.connected = False
        for listener in self._disconnect_listeners:
            listener(reason)
