"""A page without media: a WebSocket and an offer that is always the same, so that its own work is next to nothing."""

import asyncio
from typing import Self

from ari_bridge.ids import new_call_id
from frontend import messages
from frontend.client.connection import Connection
from frontend.messages import ServerMessage
from tests.offers import OFFER


class Page:
    """At most one call at a time. As `async with`."""

    def __init__(self, ws_url: str) -> None:
        self._connection = Connection(ws_url, on_message=self._receive)
        self._call_id = ""
        self._states: asyncio.Queue[str] = asyncio.Queue()

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
        """Waits for the state, and for ever where it does not come."""
        while await self._states.get() != state:
            pass

    def _receive(self, message: ServerMessage) -> None:
        if isinstance(message, messages.State):
            self._states.put_nowait(message.state)
