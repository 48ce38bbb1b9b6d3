"""All open WebSockets: accepted, sent their calls when these change, asked to reconnect, closed."""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import WSCloseCode, web

from ari_bridge import metrics
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.hooks import CallAdopted, CallChanged, CallEnded, CallStarted, HookEvent, Hooks
from ari_bridge_protocol import messages
from frontend.auth.principal import Principal
from frontend.http.problems import ProblemError
from frontend.websocket.connection import ClientConnection, refresh_calls
from frontend.websocket.message_socket import MAX_FRAME_BYTES
from frontend.websocket.services import ConnectionServices
from frontend.websocket.session_registry import SessionRegistry

HEARTBEAT_INTERVAL_S = 6.0
"""Between pings. A connection whose pong does not come within half of it is lost: after 9 s at the latest."""

log = structlog.get_logger(__name__)


class ConnectionHub:
    """Serves `/ws`.

    Args:
        services: What all connections use.
        hooks: Where call events come from.
    """

    def __init__(self, services: ConnectionServices, hooks: Hooks) -> None:
        self._services = services
        self._registry: SessionRegistry[ClientConnection] = SessionRegistry()
        self._open: set[ClientConnection] = set()
        self._draining = False
        hooks.tap(self._on_hook)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self._draining:
            raise ProblemError("unavailable", "The server is being replaced: reconnect in a moment.", retry_after=1)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_INTERVAL_S, max_msg_size=MAX_FRAME_BYTES)
        try:
            await socket.prepare(request)
        except ConnectionError:
            return socket  # the client has disconnected already
        user = request.query.get("user", "")
        connection = ClientConnection(
            self._services,
            self._registry,
            socket,
            request.headers.get("Authorization"),
            user,
            self._services.access.addresses.of(request),
            request.headers.get("Origin"),
        )
        self._open.add(connection)
        metrics.WEBSOCKET_CONNECTIONS.inc()
        try:
            await connection.run()
        finally:
            metrics.WEBSOCKET_CONNECTIONS.dec()
            self._open.discard(connection)
        return socket

    def count(self) -> int:
        return len(self._open)

    async def drain(self, within: float) -> None:
        """Ask every page to reconnect, to the process that serves then, spread over `within` seconds."""
        self._draining = True
        if not self._open:
            return
        log.info("pages are asked to reconnect", pages=len(self._open), within=within)
        for connection in self._open:
            connection.send(messages.Reconnect(within))
        loop = asyncio.get_running_loop()
        end = loop.time() + within + 0.2
        while self._open and loop.time() < end:  # noqa: ASYNC110  the pages go one by one
            await asyncio.sleep(0.05)

    def end_if(self, ended: Callable[[Principal], bool]) -> None:
        """End the connections of those of whom `ended` says so."""
        for connection in list(self._open):
            if ended(connection.principal):
                connection.end_sign_in()

    async def close(self) -> None:
        await asyncio.gather(
            *(connection.close(WSCloseCode.SERVICE_RESTART, "the server ends") for connection in self._open)
        )

    def _on_adopted(self, call: Call) -> None:
        """Pages that were back before the PBX was reached get their calls now."""
        if owner := self._registry.owner(call.session):
            owner.attach(call)
        if call.direction is Direction.INBOUND and call.state is CallState.RINGING:
            for page in [page for user in call.users for page in self._services.pages.of_user(user)]:
                page.ring(call)

    def _on_hook(self, event: HookEvent) -> None:
        if isinstance(event, CallAdopted):
            self._on_adopted(event.call)
        if isinstance(event, CallStarted | CallChanged | CallEnded | CallAdopted):
            refresh_calls(event.call, self._services.pages, self._registry)
