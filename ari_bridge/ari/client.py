"""The ARI client: REST through asyncari's swagger layer over our own transport, events by our own stream.

Of asyncari only the layer that reads ARI's description and makes operations of it is used. Its event
loop prints every event, dies when handling one takes long and never reconnects; its stock HTTP
transport allows three connections and repeats POSTs after a broken one.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import structlog
from asyncari.client import Client as AsyncAri

from ari_bridge import metrics
from ari_bridge.ari.bridges import Bridges
from ari_bridge.ari.channel_wakeup import needs_wakeup
from ari_bridge.ari.channels import Channels
from ari_bridge.ari.endpoints import Endpoints
from ari_bridge.ari.event_stream import EventStream
from ari_bridge.ari.events import ApplicationReplaced, AriEvent
from ari_bridge.ari.http import Reply, Transport
from ari_bridge.ari.mailboxes import Mailboxes
from ari_bridge.ari.models import AsteriskInfo
from ari_bridge.ari.ownership import ApplicationInUse, Deaf, Ownership
from ari_bridge.ari.recordings import Recordings
from ari_bridge.ari.rest import Load, Observer, RestClient, read
from ari_bridge.errors import PeerError, PeerRefused, Unavailable

DROPPED_EVENTS = ("ChannelVarset", "ChannelDialplan")
"""Filtered by Asterisk: with many calls they are most of the stream, and no call needs them."""
IDLE_CONNECTIONS = 4
"""Opened ahead after each connect, so that a first call opens none."""
START_TIMEOUT_S = 6.0
"""How long a start waits to learn whether another front end serves our application."""
LEAVE_TIMEOUT_S = 1.0
TAKEOVER_REPORTED_S = 60.0
"""How long `taken_over` reports it, after the application was taken back."""
RETRY_AFTER_S = 3.0
"""When a caller should retry while Asterisk is not connected: we try at least that often."""

log = structlog.get_logger(__name__)


class _Info(msgspec.Struct):
    system: dict[str, str] = {}
    status: dict[str, str] = {}


class Ari:
    """The connection to Asterisk: requests by resource, the event stream, and who serves our application.

    Args:
        url: e.g. http://127.0.0.1:8088/ari.
        user: the section of ari.conf.
        password: its password.
        app: the name of our Stasis application.
        timeout: seconds for each request: below the 5 s within which a hang must be reported, and far above the
            duration of any request that is answered at all.
        request_observer: called after each request, for metrics.
        startup_time: of the Asterisk that an earlier process was connected to, if known.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        app: str,
        *,
        timeout: float = 4.0,
        request_observer: Observer | None = None,
        startup_time: str = "",
    ) -> None:
        self.app = app
        self.blocked: Unavailable | None = None  # why no new call can be made (readiness.py)
        self.missing_context = ""  # in which calls would begin, and which the dialplan does not have
        self.version = ""
        self.connected = False
        self.startup_time = ""  # of the running Asterisk, another one after each restart; "" before the first connect
        self.pbx_restarted = False  # since the previous connection: the channels and bridges of then no longer exist
        self._known_startup_time = startup_time  # the last one of which every listener was notified
        self._transport = Transport(url, user, password, timeout)
        self._requests = RestClient(self._transport, request_observer, self.info, queue_timeout=timeout / 2)
        self.channels = Channels(self._requests, app)
        self.bridges = Bridges(self._requests, self.channels)
        self.recordings = Recordings(self._requests, self._transport)
        self.mailboxes = Mailboxes(self._requests, app)
        self.endpoints = Endpoints(self._requests, app)
        self._stream = EventStream(self._connect, self._received, self._on_connected, self._on_disconnected)
        self._ownership = Ownership(self._send, app, "")
        self._lost_at = -TAKEOVER_REPORTED_S  # when another client took the application over, by the monotonic clock
        self._watching: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._event_listeners: list[Callable[[AriEvent], None]] = []
        self._connect_listeners: list[Callable[[], Awaitable[None]]] = []
        self._disconnect_listeners: list[Callable[[str], None]] = []

    async def start(self, instance: str = "") -> None:
        """Start to connect, in the background, until `close`.

        Raises ApplicationInUse if another front end serves our application. If that cannot be determined now, it is
        checked before each connect.

        Args:
            instance: the name of our state directory (see `Ownership`).
        """
        self._transport.open()
        self._ownership = Ownership(self._send, self.app, instance)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._ownership.check()
        except ApplicationInUse:
            await self._transport.close()
            raise
        except (PeerError, TimeoutError) as error:
            log.warning("cannot yet determine whether another front end serves our ARI application", reason=str(error))
        self._running = asyncio.create_task(self._stream.run(), name="ARI event stream")

    async def open(self) -> None:
        """Make requests possible without an event stream, which would take the application over from who serves it.

        Raises PeerError.
        """
        self._transport.open()
        await self._describe(await self.info())
        self._requests.connected()

    async def close(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
            if self._watching:
                self._watching.cancel()
                await asyncio.gather(self._watching, return_exceptions=True)
            await self._leave()
        self.connected = False
        await self._requests.close()
        await self._transport.close()

    def on_server_error(self, listener: Callable[[], None]) -> None:
        """`listener` is called after each request that Asterisk refuses with a 5xx. It must be quick."""
        self._requests.on_server_error = listener

    def on_event(self, listener: Callable[[AriEvent], None]) -> None:
        """Called for each event, in order. Must be quick."""
        self._event_listeners.append(listener)

    def on_connect(self, listener: Callable[[], Awaitable[None]]) -> None:
        """Awaited after every connect, while events already arrive; see `pbx_restarted`."""
        self._connect_listeners.append(listener)

    def on_disconnect(self, listener: Callable[[str], None]) -> None:
        """Called with the reason when the event stream is lost."""
        self._disconnect_listeners.append(listener)

    @property
    def failure(self) -> str:
        """Why the event stream is not connected; "" while it is."""
        return "" if self.connected else self._stream.last_failure

    @property
    def taken_over(self) -> str:
        """A message if another client took over our application in the last minute; else ""."""
        if time.monotonic() - self._lost_at > TAKEOVER_REPORTED_S:
            return ""
        return (
            f"another client took over the ARI application {self.app}, and it was taken back: "
            "events in between are lost; give each program its own application name"
        )

    def unavailable(self) -> Unavailable | None:
        """Why no new call should be started now; None if it may. Existing calls are not affected."""
        if not self.connected:
            return Unavailable("Asterisk is not connected", RETRY_AFTER_S)
        return self._requests.unavailable() or self.blocked

    def check_available(self) -> None:
        """Raises Unavailable if no new call should be started now."""
        if reason := self.unavailable():
            raise reason

    @property
    def load(self) -> Load:
        """Requests at this moment."""
        return self._requests.load

    async def info(self) -> AsteriskInfo:
        """Version and start time. Works without the event stream. Raises PeerError."""
        reply = await self._requests.measure("asterisk.getInfo", self._transport.send("GET", "/asterisk/info"))
        info = read(reply, _Info)
        return AsteriskInfo(info.system.get("version", ""), info.status.get("startup_time", ""))

    async def application(self) -> dict[str, Any]:
        """ARI `Application`: what ours is subscribed to, in `channel_ids` and `bridge_ids`. Raises PeerError."""
        return read(await self._requests.send("applications", "get", applicationName=self.app), dict[str, Any])

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        """Learn which Asterisk it is and what it can do, then open the event stream. Raises PeerError."""
        info = await self.info()
        await self._ownership.check()
        if not self._requests.described or info.startup_time != self.startup_time:
            await self._describe(info)
        socket = await self._transport.ws_connect("/events", params={"app": self.app, "subscribeAll": "false"})
        try:
            # Queried again while the stream is open: Asterisk may have been restarted since.
            startup_time = (await self.info()).startup_time
            await self._drop_events()
            await self._ownership.claim()
        except BaseException:
            await socket.close()
            raise
        self._detect_restart(startup_time)
        self._requests.connected()
        self.connected = True
        return socket

    async def _describe(self, info: AsteriskInfo) -> None:
        """Read what this Asterisk's ARI can do."""
        ari = AsyncAri(None, "http://localhost/", self.app, self._transport)
        await ari.swagger.init()
        self.version = info.version
        self._requests.legacy = needs_wakeup(info.version)
        self._requests.describe(ari.swagger)

    def _detect_restart(self, startup_time: str) -> None:
        self.startup_time = startup_time
        self.pbx_restarted = (
            bool(self._known_startup_time and startup_time) and startup_time != self._known_startup_time
        )
        if self.pbx_restarted:
            log.warning(
                "Asterisk was restarted: its channels and bridges are gone",
                started=startup_time,
                before=self._known_startup_time,
            )
            self.blocked, self.missing_context = None, ""  # what was wrong with the one before

    async def _drop_events(self) -> None:
        """Raises PeerTimeout, PeerUnreachable."""
        body = msgspec.json.encode({"disallowed": [{"type": name} for name in DROPPED_EVENTS]})
        request = self._transport.send("PUT", f"/applications/{self.app}/eventFilter", body=body)
        try:
            await self._requests.measure("applications.filter", request)
        except PeerRefused as error:  # an Asterisk before 16.3: every event comes then
            log.info("Asterisk cannot filter events", reason=str(error))

    async def _send(
        self, op: str, method: str, path: str, query: dict[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Raises PeerError."""
        return await self._requests.measure(op, self._transport.send(method, path, query, body))

    async def _leave(self) -> None:
        """Who serves next need not ask whether we still do."""
        if self.connected:
            try:
                async with asyncio.timeout(LEAVE_TIMEOUT_S):
                    await self._ownership.release()
            except (PeerError, TimeoutError) as error:
                log.warning("our ARI application cannot be released", reason=str(error))

    async def _watch(self) -> None:
        try:
            await self._ownership.watch()
        except Deaf as error:
            self._was_taken_over(str(error))
            self._stream.drop(str(error))

    def _was_taken_over(self, reason: str) -> None:
        metrics.ARI_TAKEOVERS.inc()
        self._lost_at = time.monotonic()
        log.error(
            "another client took over our ARI application: taking it back; give each program its own application name",
            app=self.app,
            reason=reason,
        )

    def _received(self, event: AriEvent) -> None:
        if self._ownership.on_event(event):
            return
        if isinstance(event, ApplicationReplaced):
            self._was_taken_over("Asterisk says so")
        for listener in self._event_listeners:
            listener(event)

    async def _on_connected(self) -> None:
        self._watching = asyncio.create_task(self._watch(), name="ARI application")
        notified = 0
        try:
            for listener in self._connect_listeners:
                notified += 1
                await listener()
        finally:  # if the stream is lost before all were notified of a restart, the next connect notifies again
            if notified == len(self._connect_listeners):
                self._known_startup_time = self.startup_time
        await asyncio.gather(*(self.info() for _ in range(IDLE_CONNECTIONS)), return_exceptions=True)

    def _on_disconnected(self, reason: str) -> None:
        self.connected = False
        if self._watching:
            self._watching.cancel()
            self._watching = None
        for listener in self._disconnect_listeners:
            listener(reason)
