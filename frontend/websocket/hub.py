"""Every open WebSocket, and what they share: whose session is where, and who is told of which calls."""

import asyncio

import structlog
from aiohttp import WSCloseCode, web

from ari_bridge import metrics
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.hooks import CallAdopted, CallChanged, CallEnded, CallStarted, HookEvent, Hooks
from ari_bridge_protocol import messages
from frontend.auth.authenticator import Authenticator
from frontend.auth.sessions import Sessions
from frontend.http.problems import ProblemError
from frontend.presence.preferences import UserServices
from frontend.presence.registrar import WebSocketRegistrar
from frontend.webrtc.ice_servers import IceServers
from frontend.websocket.connection import ClientConnection, PageMedia
from frontend.websocket.message_socket import FRAME_BYTES

HEARTBEAT_SECONDS = 6.0
"""A ping that often; without its pong within half of it the connection counts as lost: at the latest after 9 s."""

log = structlog.get_logger(__name__)


class ConnectionHub:
    def __init__(
        self,
        calls: CallManager,
        pages: WebSocketRegistrar,
        user_services: UserServices,
        access: Authenticator,
        sessions: Sessions,
        hooks: Hooks,
        media: PageMedia,
        ice: IceServers,
        *,
        version: str,
    ) -> None:
        self.calls = calls
        self.pages = pages
        self.user_services = user_services
        self.access = access
        self.sessions = sessions
        self.media = media
        self.ice = ice
        self.version = version
        self._open: set[ClientConnection] = set()
        self._by_session: dict[str, ClientConnection] = {}
        self._draining = False
        hooks.tap(self._on_hook)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self._draining:
            raise ProblemError("unavailable", "The server is being replaced: connect again in a moment.", retry_after=1)
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=FRAME_BYTES)
        try:
            await socket.prepare(request)
        except ConnectionError:
            return socket  # the client is gone already
        user = request.query.get("user", "")
        connection = ClientConnection(self, socket, request.headers.get("Authorization"), user)
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
        """Ask every page to connect again, to whoever serves then, spread over `within` seconds."""
        self._draining = True
        if not self._open:
            return
        log.info("pages are asked to connect again", pages=len(self._open), within=within)
        for connection in self._open:
            connection.send(messages.Reconnect(within))
        loop = asyncio.get_running_loop()
        end = loop.time() + within + 0.2
        while self._open and loop.time() < end:  # noqa: ASYNC110  the pages go one by one
            await asyncio.sleep(0.05)

    async def close(self) -> None:
        await asyncio.gather(
            *(connection.close(WSCloseCode.SERVICE_RESTART, "the server ends") for connection in self._open)
        )

    # --- sessions, and who is told ---------------------------------------------------------

    def claim(self, session: str, connection: ClientConnection) -> None:
        """The session goes on in this connection; one that held it before is closed."""
        before = self._by_session.get(session)
        self._by_session[session] = connection
        if before is not None and before is not connection:
            before.supersede()

    def release(self, session: str, connection: ClientConnection) -> None:
        """The session is in no connection any more, unless another one claimed it."""
        if self._by_session.get(session) is connection:
            del self._by_session[session]

    def holder(self, session: str | None) -> ClientConnection | None:
        """The open connection of a session."""
        return self._by_session.get(session) if session else None

    def changed(self, call: Call) -> None:
        """Tell the pages that the call concerns how their calls stand."""
        concerned = {page for page in self.pages.of_user(call.user) if isinstance(page, ClientConnection)}
        if holder := self.holder(call.session):
            concerned.add(holder)
        for connection in concerned:
            connection.tell_calls_soon()

    def _adopted(self, call: Call) -> None:
        """Pages that were back before the PBX was reached could not be told yet."""
        if holder := self.holder(call.session):
            holder.hold(call)
        if call.direction is Direction.INBOUND and call.state is CallState.RINGING:
            for page in [page for user in call.users for page in self.pages.of_user(user)]:
                page.ring(call)

    def _on_hook(self, event: HookEvent) -> None:
        if isinstance(event, CallAdopted):
            self._adopted(event.call)
        if isinstance(event, CallStarted | CallChanged | CallEnded | CallAdopted):
            self.changed(event.call)
