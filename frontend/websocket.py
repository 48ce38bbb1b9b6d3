"""One client's WebSocket: its messages in, its calls' updates out."""

import asyncio
import time
from typing import Literal, cast

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from ari_bridge import metrics
from ari_bridge.calls.manager import Calls, DigitReceived, HoldChanged, MediaReady, StateChanged, Update
from ari_bridge.calls.state import Call, CallState, Direction
from ari_bridge.errors import CallerError, InvalidRequest, UnknownCall
from frontend import messages
from frontend.auth import Access, Unauthorized
from frontend.messages import ClientMessage, ServerMessage
from frontend.pages import OpenPages
from frontend.states import state_message
from frontend.users import InvalidUser

MESSAGE_BYTES = 256 * 1024
FRAME_BYTES = 4 * 1024 * 1024
"""Larger messages get an error, larger frames close the connection (1009)."""
WAITING_MESSAGES = 256
"""Messages that wait for a slow client; one more closes its connection."""
RATE, BURST = 50.0, 100.0
"""Messages a second that a client may send for long, and at once. What is more gets an error."""
FLOOD = 1000
"""So many messages in a row over the rate close the connection (1008)."""
HEARTBEAT_SECONDS = 20.0

EndReason = Literal["accepted_elsewhere", "declined", "cancelled", "no_answer"]

_KINDS = {cls.__struct_config__.tag: cls for cls in ClientMessage.__args__}
_decode = msgspec.json.Decoder(ClientMessage).decode
_encode = msgspec.json.Encoder().encode

log = structlog.get_logger(__name__)


class Connections:
    """Every open WebSocket; what they share."""

    def __init__(self, calls: Calls, pages: OpenPages, access: Access, *, version: str, grace: float) -> None:
        self.calls = calls
        self.pages = pages
        self.access = access
        self.version = version
        self.grace = grace  # seconds from a lost connection to the end of its calls
        self._open: set[Connection] = set()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=FRAME_BYTES)
        await socket.prepare(request)
        connection = Connection(self, socket, request.headers.get("Authorization"))
        self._open.add(connection)
        metrics.WEBSOCKETS.inc()
        try:
            await connection.run()
        finally:
            metrics.WEBSOCKETS.dec()
            self._open.discard(connection)
        return socket

    def count(self) -> int:
        return len(self._open)

    async def close(self) -> None:
        await asyncio.gather(
            *(connection.close(WSCloseCode.GOING_AWAY, "the server ends") for connection in self._open)
        )


class Connection:
    def __init__(self, shared: Connections, socket: web.WebSocketResponse, authorization: str | None) -> None:
        self._shared = shared
        self._calls = shared.calls
        self._socket = socket
        self._authorization = authorization
        self._user: str | None = None  # registered as
        self._mine: set[str] = set()  # calls that this connection placed or took, and that live
        self._ringing: set[str] = set()
        self._accepting: str | None = None
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue(WAITING_MESSAGES)
        self._closing: asyncio.Task[None] | None = None
        self._tokens = BURST
        self._tokens_at = time.monotonic()
        self._over_rate = 0

    # --- life ------------------------------------------------------------------------

    async def run(self) -> None:
        """Until the client or the server closes."""
        writer = asyncio.create_task(self._write())
        self.send(messages.Welcome(version=self._shared.version, authentication=self._shared.access.required))
        try:
            async for frame in self._socket:
                if frame.type is WSMsgType.TEXT:
                    self._receive(frame.data)
                elif frame.type is WSMsgType.BINARY:
                    self._error("malformed", "Messages are JSON in text frames, not binary ones.")
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._leave()

    async def close(self, code: int, reason: str) -> None:
        await self._socket.close(code=code, message=reason.encode())

    def send(self, message: ServerMessage) -> None:
        """Never waits. A client that does not read is closed, rather than told half of what happens."""
        try:
            self._outgoing.put_nowait(_encode(message))
        except asyncio.QueueFull:
            self._drop("too slow: it does not read what it is sent")

    def _drop(self, reason: str) -> None:
        if self._closing is None:
            log.warning("a client is cut off", reason=reason, user=self._user)
            self._closing = asyncio.create_task(self.close(WSCloseCode.POLICY_VIOLATION, reason))

    async def _write(self) -> None:
        try:
            while True:
                data = await self._outgoing.get()
                await self._socket.send_str(data.decode())
        except (ConnectionError, RuntimeError):
            pass  # the client is gone: the reading side ends the connection

    def _leave(self) -> None:
        """What a closed connection leaves: no ringing, and its calls for the grace."""
        self._unregister()
        if not self._mine:
            return
        log.info("a client is gone: its calls end after the grace", calls=sorted(self._mine), grace=self._shared.grace)
        calls, manager = set(self._mine), self._calls
        for call_id in calls:
            manager.unwatch(call_id, self._update)
        asyncio.get_running_loop().call_later(self._shared.grace, _hang_up_all, manager, calls)

    # --- from the client ---------------------------------------------------------------

    def _receive(self, text: str) -> None:
        if not self._within_rate():
            return
        if len(text) > MESSAGE_BYTES:
            self._error("too_large", f"The message has {len(text)} characters; at most {MESSAGE_BYTES} are taken.")
            return
        try:
            message = _decode(text)
        except msgspec.ValidationError as error:
            self._reject(text, str(error))
            return
        except msgspec.DecodeError as error:
            self._error("malformed", f"The message is not JSON: {error}")
            return
        call_id = getattr(message, "call_id", None)
        try:
            self._act(message)
        except CallerError as error:
            self._error(error.code, str(error), field=error.field, call_id=call_id)
        except Unauthorized as error:
            self._error("unauthorized", str(error), field="token", call_id=call_id)
        except InvalidUser as error:
            self._error("invalid_request", str(error), field="user", call_id=call_id)
        except Exception:
            log.exception("a message could not be handled", type=type(message).__name__)
            self._error("error", "The server failed at this message; it is logged.", call_id=call_id)

    def _reject(self, text: str, fault: str) -> None:
        """Valid JSON, but no message of ours."""
        raw = msgspec.json.decode(text)
        kind = raw.get("type") if isinstance(raw, dict) else None
        if not isinstance(raw, dict):
            self._error("malformed", "A message is a JSON object with a type.")
        elif not isinstance(kind, str):
            self._error("malformed", "The message has no type.", field="type")
        elif kind not in _KINDS:
            known = ", ".join(sorted(map(str, _KINDS)))
            self._error("unknown_type", f"There is no message {kind[:40]!r}. Known: {known}.", field="type")
        else:
            what, field = fault_of(fault)
            self._error("invalid_request", f"{kind}: {what}", field=field)

    def _act(self, message: ClientMessage) -> None:
        match message:
            case messages.Register():
                self._register(message)
            case messages.Unregister():
                self._unregister()
                self.send(messages.Unregistered())
            case messages.Offer():
                self._offer(message)
            case messages.Hangup(call_id):
                if call_id in self._ringing and self._user:
                    self._calls.decline(call_id, user=self._user)
                else:
                    self._check_mine(call_id)
                    self._calls.hangup(call_id)
            case messages.Decline(call_id):
                if self._user is None:
                    raise UnknownCall(f"The call {call_id[:64]} does not ring here.", field="callId")
                self._calls.decline(call_id, user=self._user)
            case messages.Dtmf(call_id, digits):
                self._check_mine(call_id)
                self._calls.send_dtmf(call_id, digits)
            case messages.Ping(id):
                self.send(messages.Pong(id))

    def _register(self, message: messages.Register) -> None:
        token = message.token or (self._authorization or "").removeprefix("Bearer ").strip() or None
        user = self._shared.access.identify(message.user, token)
        self._unregister()
        self._user = user
        self._shared.pages.register(user, self)
        self.send(messages.Registered(user))
        for call in self._calls.live():  # one that rings already rings here too
            if call.direction is Direction.INBOUND and call.state is CallState.RINGING and user in call.users:
                self.ring(call)

    def _unregister(self) -> None:
        self._ringing.clear()
        if self._user is not None:
            self._shared.pages.unregister(self._user, self)
            self._user = None

    def _offer(self, message: messages.Offer) -> None:
        if message.target is None:
            self._accept(message)
            return
        if self._shared.access.required and self._user is None:
            raise Unauthorized("Sign in first: send register with a token.")
        caller = self._user if self._shared.access.required else message.caller or self._user
        call = self._calls.place(
            target=message.target,
            sdp=message.sdp,
            caller=caller or "",
            user=self._user,
            call_id=message.call_id,
            listener=self._update,
        )
        if call.state.live:
            self._mine.add(call.id)

    def _accept(self, message: messages.Offer) -> None:
        if message.call_id is None:
            raise InvalidRequest("An offer needs a target to call, or the callId of an incoming call.", field="target")
        if self._user is None:
            raise UnknownCall(f"The call {message.call_id[:64]} does not ring here.", field="callId")
        self._accepting = message.call_id  # told to stop ringing are the others
        try:
            call = self._calls.accept(message.call_id, sdp=message.sdp, user=self._user, listener=self._update)
        finally:
            self._accepting = None
        self._ringing.discard(call.id)
        if call.state.live:
            self._mine.add(call.id)

    def _check_mine(self, call_id: str) -> None:
        """Raises UnknownCall for a call that is not this client's: whose it is, is not told."""
        if call_id in self._mine:
            return
        call = self._calls.get(call_id)
        if self._user is None or call.user != self._user:
            raise UnknownCall(f"There is no call {call_id[:64]!r}.", field="callId")

    def _within_rate(self) -> bool:
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._tokens_at) * RATE)
        self._tokens_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            self._over_rate = 0
            return True
        self._over_rate += 1
        if self._over_rate == 1:
            message = f"At most {RATE:g} messages a second are taken; those above are dropped."
            self.send(messages.Error("too_many", message, retry_after=1.0))
        if self._over_rate == FLOOD:
            self._drop("it floods the server with messages")
        return False

    # --- to the client -------------------------------------------------------------------

    def _error(self, code: str, message: str, *, field: str | None = None, call_id: str | None = None) -> None:
        log.info("a message was refused", code=code, reason=message, field=field, user=self._user)
        self.send(messages.Error(code, message, field, call_id))

    def ring(self, call: Call) -> None:
        if call.id not in self._ringing:
            self._ringing.add(call.id)
            self.send(messages.IncomingCall(call.id, call.caller, call.caller_name, call.target))

    def stop_ringing(self, call: Call, reason: str) -> None:
        if call.id == self._accepting or call.id not in self._ringing:
            return
        self._ringing.discard(call.id)
        self.send(messages.IncomingEnded(call.id, cast(EndReason, reason)))

    def _update(self, update: Update) -> None:
        call = update.call
        match update:
            case MediaReady(sdp=sdp):
                self.send(messages.Answer(call.id, sdp))
            case StateChanged():
                if not call.state.live:
                    self._mine.discard(call.id)
                self.send(state_message(call))
            case DigitReceived(digit=digit):
                self.send(messages.Dtmf(call.id, digit))
            case HoldChanged():
                self.send(messages.Hold(call.id, call.held_by_far))


def _hang_up_all(calls: Calls, ids: set[str]) -> None:
    for call_id in ids:
        try:
            calls.hangup(call_id)
        except UnknownCall:
            pass  # so long ago that it is forgotten


def fault_of(error: str) -> tuple[str, str | None]:
    """msgspec's words, and the field that they name: ``Expected `str`, got `int` - at `$.target` ``."""
    what, _, where = error.partition(" - at `$")
    field = where.rstrip("`").lstrip(".") or None
    if field is None and "required field `" in what:
        field = what.rpartition("required field `")[2].rstrip("`")
    return what, field
