"""All open WebSockets: accepted, sent their calls when these change, asked to reconnect, closed."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from aiohttp import WSCloseCode, web

from ari_bridge import metrics
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.hooks import CallAdopted, CallChanged, CallEnded, CallStarted, HookEvent, Hooks
from ari_bridge_protocol import messages
from ari_bridge_protocol.close_codes import CLOSE_SIGN_IN_TIMEOUT
from frontend.auth.principal import Principal
from frontend.http.problems import ProblemError
from frontend.websocket.connection import ClientConnection
from frontend.websocket.message_socket import MAX_FRAME_BYTES
from frontend.websocket.rate_limit import Quota, UserShares
from frontend.websocket.services import ConnectionServices
from frontend.websocket.session_registry import SessionRegistry

HEARTBEAT_INTERVAL_S = 6.0
"""Between pings. A connection whose pong does not come within half of it is lost: after 9 s at the latest."""

SIGN_IN_TIMEOUT_S = 10.0
"""How long a connection may be open before somebody signs in on it, if that is required."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A client that is connected now.

    Args:
        user_id: Of the user who has registered or resumed; "" before that.
        session: The signaling session, by which calls name their owner.
        address: The client's IP address.
        connected_at: Unix seconds.
        takes_calls: Whether calls ring there.
    """

    user_id: str
    session: str
    address: str
    connected_at: float
    takes_calls: bool


class ConnectionHub:
    """Serves `/ws`.

    Args:
        services: What all connections use.
        hooks: Where call events come from.
    """

    def __init__(self, services: ConnectionServices, hooks: Hooks) -> None:
        self._services = services
        self._registry: SessionRegistry[ClientConnection] = SessionRegistry()
        self._open: dict[ClientConnection, float] = {}  # since when, Unix seconds
        self._draining = False
        self._shares = UserShares()
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
            Quota(request, self._shares, required=self._services.access.required),
            request.headers.get("Authorization"),
            user,
            self._services.access.addresses.of(request),
            request.headers.get("Origin"),
        )
        self._open[connection] = time.time()
        deadline = asyncio.get_running_loop().call_later(SIGN_IN_TIMEOUT_S, self._require_sign_in, connection)
        metrics.WEBSOCKET_CONNECTIONS.inc()
        try:
            await connection.run()
        finally:
            deadline.cancel()
            metrics.WEBSOCKET_CONNECTIONS.dec()
            del self._open[connection]
        return socket

    def _require_sign_in(self, connection: ClientConnection) -> None:
        if self._services.access.required and not connection.principal.user_id:
            connection.drop("nobody has signed in on it", CLOSE_SIGN_IN_TIMEOUT)

    def count(self) -> int:
        return len(self._open)

    def open(self) -> list[OpenConnection]:
        """Who is connected, in the order of their arrival."""
        return [
            OpenConnection(one.principal.user_id, one.session, one.principal.address, since, one.takes_calls)
            for one, since in self._open.items()
        ]

    def use_principal(self, changed: Callable[[Principal], Principal]) -> None:
        """What clients may do is another from now on: `changed` gives the principal of each."""
        for connection in list(self._open):
            connection.use_principal(changed(connection.principal))

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
            call = event.call
            self._services.pages.send_calls_soon(call, self._registry.owner(call.session))
