"""Calls that ring here."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from ari_bridge_client.call import Call
from ari_bridge_client.errors import WaitTimeout
from ari_bridge_client.media import Media
from ari_bridge_protocol import messages

if TYPE_CHECKING:
    from ari_bridge_client.audio import Source

MAX_PENDING_CALLS = 64
"""Calls that ring and that the program has not asked for yet. More: the oldest are left to the user's other clients."""

SendRequest = Callable[[messages.ClientMessage], Awaitable[None]]


class StartCall(Protocol):
    async def __call__(self, call_id: str, source: "Source | None", media: Media | None) -> Call: ...


class IncomingCall:
    """A call that rings. Made by `Client.incoming`.

    Attributes:
        stop_reason: Why it does not ring any more; "" while it rings. `gone`: it stopped while the client was not
            connected.
        connected_number: The number that calls now, if the caller has passed the call to another; else "".
    """

    def __init__(self, start_call: StartCall, request: SendRequest, message: messages.IncomingCall) -> None:
        self.id = message.call_id
        self.caller = message.caller
        self.caller_name = message.caller_name
        self.target = message.target
        self.connected_number = message.connected_number
        self.connected_name = message.connected_name
        self.stop_reason = ""
        self._start_call = start_call
        self._request = request
        self._stopped = asyncio.Event()

    async def answer(self, source: "Source | None" = None, *, media: Media | None = None) -> Call:
        """Answer it.

        Args:
            source: The sound to send. None: silence.
            media: Media to use in place of aiortc's.

        Raises Refused if another client was quicker, MediaMissing, WaitTimeout, ConnectionLost.
        """
        call = await self._start_call(self.id, source, media)
        self.stop_reason = ""  # it may have looked as if it were gone, while a server was started
        self.stop("accepted")
        return call

    async def reject(self) -> None:
        """Stop it from ringing on all clients of this user. Raises Refused, WaitTimeout, ConnectionLost."""
        await self._request(messages.Decline(self.id))

    async def wait_until_stopped(self, timeout: float = 5.0) -> str:  # noqa: ASYNC109
        """Wait until it does not ring any more; returns the `stop_reason`. Raises WaitTimeout."""
        try:
            async with asyncio.timeout(timeout):
                await self._stopped.wait()
        except TimeoutError:
            raise WaitTimeout(f"the call of {self.caller} still rings after {timeout:g} s") from None
        return self.stop_reason

    def update(self, message: messages.IncomingCall) -> None:
        """Used by the client: another party calls now."""
        self.connected_number, self.connected_name = message.connected_number, message.connected_name

    def stop(self, reason: str) -> None:
        """Used by the client. The first reason counts."""
        self.stop_reason = self.stop_reason or reason
        self._stopped.set()


class RingingCalls:
    """The calls that ring, each once: the server lists them again on every connection.

    Args:
        start_call: Answers one.
        request: Sends a message, and waits until the server has taken it.

    Attributes:
        pending: Those that the program has not asked for yet.
    """

    def __init__(self, start_call: StartCall, request: SendRequest) -> None:
        self.pending: deque[IncomingCall] = deque(maxlen=MAX_PENDING_CALLS)
        self._start_call = start_call
        self._request = request
        self._ringing: dict[str, IncomingCall] = {}
        self._unconfirmed: set[str] = set()

    def add(self, message: messages.IncomingCall) -> None:
        self._unconfirmed.discard(message.call_id)
        self._ringing = {call_id: one for call_id, one in self._ringing.items() if not one.stop_reason}
        if message.call_id not in self._ringing:
            incoming = self._ringing[message.call_id] = IncomingCall(self._start_call, self._request, message)
            self.pending.append(incoming)
        else:
            self._ringing[message.call_id].update(message)

    def stop(self, call_id: str, reason: str) -> None:
        if incoming := self._ringing.pop(call_id, None):
            incoming.stop(reason)

    def begin_resync(self) -> None:
        """The server is about to list what rings now."""
        self._unconfirmed = set(self._ringing)

    def end_resync(self) -> None:
        """It has listed all: what it has not named is gone."""
        for call_id in self._unconfirmed:
            self.stop(call_id, "gone")
