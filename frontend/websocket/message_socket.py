"""One WebSocket as a stream of messages: decoded, limited in rate and size, and answered with an error if invalid.

Knows no call, and not what a message means.
"""

import asyncio
import time
from collections.abc import Callable

import msgspec
import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from ari_bridge.accounts import InvalidUser
from ari_bridge.errors import CallerError, Unavailable
from ari_bridge.outcomes import Detail
from ari_bridge_protocol import messages
from ari_bridge_protocol.close_codes import CLOSE_INACTIVE
from ari_bridge_protocol.messages import ClientMessage, ServerMessage
from frontend.auth.authenticator import Forbidden, Unauthorized
from frontend.http.validation_errors import parse_validation_error
from frontend.websocket.rate_limit import MAX_EXCESS_MESSAGES, MESSAGE_RATE, Quota

MAX_MESSAGE_BYTES = 256 * 1024
MAX_FRAME_BYTES = 4 * 1024 * 1024
"""Larger messages get an error, larger frames close the connection (1009)."""
MAX_QUEUED_MESSAGES = 256
"""Messages queued for a slow client; one more closes its connection."""
INACTIVITY_TIMEOUT_S = 9.0
"""A client that has sent pings, owns a call, and then sends nothing for this long is considered frozen."""

_KINDS = {cls.__struct_config__.tag: cls for cls in ClientMessage.__args__}
_decode = msgspec.json.Decoder(ClientMessage).decode
_encode = msgspec.json.Encoder().encode

log = structlog.get_logger(__name__)


class MessageSocket:
    """Reads and writes the messages of one client.

    Args:
        socket: The open WebSocket.
        on_message: Handles a message; may raise what the engine raises.
        who: Names the client in logs.
        quota: How many messages it may send.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        on_message: Callable[[ClientMessage], None],
        who: Callable[[], str | None],
        quota: Quota,
    ) -> None:
        self._socket = socket
        self._on_message = on_message
        self._who = who
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue(MAX_QUEUED_MESSAGES)
        self._closing: asyncio.Task[None] | None = None
        self._quota = quota
        self._received_at = time.monotonic()
        self._watchdog: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until the client or the server closes."""
        writer = asyncio.create_task(self._write())
        try:
            async for frame in self._socket:
                self._received_at = time.monotonic()
                if frame.type is WSMsgType.TEXT:
                    self._receive(frame.data)
                elif frame.type is WSMsgType.BINARY:
                    self.error("malformed", "Messages are JSON in text frames, not binary ones.")
        finally:
            tasks = [writer, *([self._watchdog] if self._watchdog else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def closed(self) -> None:
        """Waits until a close that we began is done: the client is to read why, before the line is cut."""
        if self._closing:
            await asyncio.gather(self._closing, return_exceptions=True)

    async def close(self, code: int, reason: str) -> None:
        await self._socket.close(code=code, message=reason.encode())

    def send(self, message: ServerMessage) -> None:
        """Never waits. A client that does not read is disconnected rather than sent only part of the messages."""
        try:
            self._outgoing.put_nowait(_encode(message))
        except asyncio.QueueFull:
            self.drop("too slow: it does not read what it is sent")

    def error(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        call_id: str | None = None,
        retry_after: float | None = None,
        detail: Detail | None = None,
        rule: str | None = None,
    ) -> None:
        log.info("a message was refused", code=code, reason=message, field=field, user=self._who(), call=call_id)
        self.send(messages.Error(code, message, field, call_id, retry_after, detail, rule))

    def drop(self, reason: str, code: int = WSCloseCode.POLICY_VIOLATION) -> None:
        """Cut the client off."""
        if self._closing is None:
            log.warning("a client is cut off", reason=reason, user=self._who())
            self._closing = asyncio.create_task(self.close(code, reason))

    def start_inactivity_watchdog(self, is_relevant: Callable[[], bool]) -> None:
        """Start the watchdog: close the socket after INACTIVITY_TIMEOUT_S without a message while `is_relevant()`."""
        self._watchdog = self._watchdog or asyncio.create_task(self._watch_inactivity(is_relevant))

    async def _watch_inactivity(self, is_relevant: Callable[[], bool]) -> None:
        """A page sends pings from its own timer: if they stop, its user cannot press a button either."""
        while True:
            await asyncio.sleep(INACTIVITY_TIMEOUT_S / 9)
            if is_relevant() and time.monotonic() - self._received_at > INACTIVITY_TIMEOUT_S:
                self.drop("it has sent nothing for too long", CLOSE_INACTIVE)

    async def _write(self) -> None:
        try:
            while True:
                data = await self._outgoing.get()
                await self._socket.send_str(data.decode())
        except (ConnectionError, RuntimeError):
            pass  # the client has disconnected: the reading side ends the connection

    # --- from the client ---------------------------------------------------------------

    def _receive(self, text: str) -> None:
        if not self._within_rate():
            return
        if len(text) > MAX_MESSAGE_BYTES:
            self.error("too_large", f"The message has {len(text)} characters; at most {MAX_MESSAGE_BYTES} are taken.")
            return
        try:
            message = _decode(text)
        except msgspec.ValidationError as error:
            self._reject(text, str(error))
            return
        except msgspec.DecodeError as error:
            self.error("malformed", f"The message is not JSON: {error}")
            return
        self.handle(message)

    def handle(self, message: ClientMessage) -> None:
        """Run a request of the client, from a message or from the URL that it connects to; send it an error."""
        call_id = getattr(message, "call_id", None)
        try:
            self._on_message(message)
        except CallerError as error:
            more = {name: getattr(error, name, None) for name in ("rule", "retry_after", "detail")}
            self.error(error.code, str(error), field=error.field, call_id=call_id, **more)
        except Unavailable as error:
            self.error(error.code, str(error), call_id=call_id, retry_after=error.retry_after, detail=error.detail)
        except Unauthorized as error:
            field = "session" if isinstance(message, messages.Resume) else "token"
            self.error("unauthorized", str(error), field=field, call_id=call_id)
        except Forbidden as error:
            self.error("forbidden", str(error), call_id=call_id)
        except InvalidUser as error:
            self.error("invalid_request", str(error), field="user", call_id=call_id)
        except Exception:
            log.exception("a message could not be handled", type=type(message).__name__)
            self.error("error", "The server failed at this message; it is logged.", call_id=call_id)

    def _reject(self, text: str, fault: str) -> None:
        """Valid JSON, but no message of ours."""
        raw = msgspec.json.decode(text)
        kind = raw.get("type") if isinstance(raw, dict) else None
        if not isinstance(raw, dict):
            self.error("malformed", "A message is a JSON object with a type.")
        elif not isinstance(kind, str):
            self.error("malformed", "The message has no type.", field="type")
        elif kind not in _KINDS:
            known = ", ".join(sorted(map(str, _KINDS)))
            self.error("unknown_type", f"There is no message {kind[:40]!r}. Known: {known}.", field="type")
        else:
            what, field = parse_validation_error(fault)
            self.error("invalid_request", f"{kind}: {what}", field=field)

    def _within_rate(self) -> bool:
        if self._quota.take_message():
            return True
        if self._quota.refused == 1:
            message = f"At most {MESSAGE_RATE.per_second:g} messages per second are accepted; further ones are dropped."
            self.send(messages.Error("too_many", message, retry_after=1.0))
        if self._quota.refused == MAX_EXCESS_MESSAGES:
            self.drop("it floods the server with messages")
        return False
