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

WAITING = 64
"""Calls that ring and that nobody has asked for yet; of more, the oldest are left to the user's other pages."""

Ask = Callable[[messages.ClientMessage], Awaitable[None]]


class Take(Protocol):
    async def __call__(self, call_id: str, source: "Source | None", media: Media | None) -> Call: ...


class Incoming:
    """`stopped`: why it rings no more, "" while it does; `gone` where it stopped while nobody was connected."""

    def __init__(self, take: Take, ask: Ask, message: messages.IncomingCall) -> None:
        self.id = message.call_id
        self.caller = message.caller
        self.caller_name = message.caller_name
        self.target = message.target
        self.connected_number = message.connected_number  # who calls now, where the caller gave its place to another
        self.connected_name = message.connected_name
        self.stopped = ""
        self._take = take
        self._ask = ask
        self._over = asyncio.Event()

    async def answer(self, source: "Source | None" = None, *, media: Media | None = None) -> Call:
        """Take it. Raises Refused where another page was quicker, MediaMissing, WaitTimeout, ConnectionLost."""
        call = await self._take(self.id, source, media)
        self.stopped = ""  # it may have looked as if it were gone, while a server was started
        self.stop("accepted")
        return call

    async def reject(self) -> None:
        """It stops ringing on all pages of this user. Raises Refused, WaitTimeout, ConnectionLost."""
        await self._ask(messages.Decline(self.id))

    async def wait_stopped(self, timeout: float = 5.0) -> str:  # noqa: ASYNC109
        """Why it rings no more. Raises WaitTimeout."""
        try:
            async with asyncio.timeout(timeout):
                await self._over.wait()
        except TimeoutError:
            raise WaitTimeout(f"the call of {self.caller} still rings after {timeout:g} s") from None
        return self.stopped

    def update(self, message: messages.IncomingCall) -> None:
        """Told by the client: who calls has changed."""
        self.connected_number, self.connected_name = message.connected_number, message.connected_name

    def stop(self, reason: str) -> None:
        """Told by the client. The first reason holds."""
        self.stopped = self.stopped or reason
        self._over.set()


class Rings:
    """What rings, each once: the server tells it again on every connection. `waiting`: not asked for yet."""

    def __init__(self, take: Take, ask: Ask) -> None:
        self.waiting: deque[Incoming] = deque(maxlen=WAITING)
        self._take = take
        self._ask = ask
        self._ringing: dict[str, Incoming] = {}
        self._doubted: set[str] = set()

    def begin(self, message: messages.IncomingCall) -> None:
        self._doubted.discard(message.call_id)
        self._ringing = {call_id: one for call_id, one in self._ringing.items() if not one.stopped}
        if message.call_id not in self._ringing:
            incoming = self._ringing[message.call_id] = Incoming(self._take, self._ask, message)
            self.waiting.append(incoming)
        else:
            self._ringing[message.call_id].update(message)

    def stop(self, call_id: str, reason: str) -> None:
        if incoming := self._ringing.pop(call_id, None):
            incoming.stop(reason)

    def doubt(self) -> None:
        """The server is about to tell what rings now."""
        self._doubted = set(self._ringing)

    def settle(self) -> None:
        """It has told all."""
        for call_id in self._doubted:
            self.stop(call_id, "gone")
