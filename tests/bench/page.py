"""A page without media: a WebSocket and an offer that is always the same, so that its own work is next to nothing."""

import asyncio
from typing import Self

from ari_bridge_client.connection import Connection, refusal_of
from ari_bridge_client.errors import ClientError
from ari_bridge_protocol import messages
from ari_bridge_protocol.call_ids import new_call_id
from ari_bridge_protocol.messages import ServerMessage
from tests.offers import OFFER


class Ended(ClientError):
    """The call has ended, and should not have."""

    def __init__(self, call_id: str, reason: str) -> None:
        super().__init__(call_id, reason)
        self.call_id = call_id
        self.reason = reason

    def __str__(self) -> str:
        return f"call {self.call_id}: {self.reason}"


class Page:
    """At most one call at a time. As `async with`."""

    def __init__(self, ws_url: str) -> None:
        self._connection = Connection(ws_url, on_message=self._receive)
        self._call_id = ""
        self._news: asyncio.Queue[messages.State | messages.Error] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        await self._connection.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._connection.close()

    async def offer(self, number: str) -> None:
        """Clicks."""
        self._call_id = new_call_id()
        await self._connection.send(messages.Offer(sdp=OFFER, target=number, call_id=self._call_id, caller="1001"))

    async def hang_up(self) -> None:
        await self._connection.send(messages.Hangup(self._call_id))
        await self.until("ended")

    async def until(self, state: str) -> None:
        """Waits for the state, as long as it takes. Raises Ended, Refused."""
        while True:
            message = await self._news.get()
            if isinstance(message, messages.Error):
                raise refusal_of(message)
            if message.state == state:
                return
            if message.state == "ended":
                raise Ended(self._call_id, message.reason)

    def _receive(self, message: ServerMessage) -> None:
        if isinstance(message, messages.State | messages.Error):
            self._news.put_nowait(message)
