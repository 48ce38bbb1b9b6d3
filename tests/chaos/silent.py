"""A client that signals as a page does, and has no media: many live calls that cost the test next to nothing.

Each has one call, with an offer that nobody stands behind: it is placed, answered, kept over the loss of the
connection, and hung up; no packet of sound ever goes through it.
"""

import asyncio
import random
from collections.abc import Callable

from ari_bridge.ids import new_call_id
from frontend import messages
from frontend.client.connection import ClientError, Connection, ConnectionLost, ServerRefused
from frontend.client.phone_call import NotSeen, backoff, wait_after
from frontend.messages import ServerMessage
from tests.offers import OFFER

SECONDS = 10.0
"""The longest that the server may take for any answer."""


class SilentClient:
    """`connections`: made so far. `states`: of its call, as they came; `outcome`: "" until it is told."""

    def __init__(self, ws_url: str, user: str) -> None:
        self.user = user
        self.call_id = new_call_id()
        self.states: list[str] = []
        self.outcome = ""
        self.connections = 0
        self._url = ws_url
        self._session = ""
        self._told: list[ServerMessage] = []  # on this connection
        self._lost: ConnectionLost | None = None
        self._connection: Connection | None = None
        self._again: asyncio.Task[None] | None = None
        self._closing = False
        self._news = asyncio.Event()

    @property
    def connected(self) -> bool:
        return self._lost is None and self._again is None

    async def open(self) -> None:
        """Connects, and takes back what an earlier connection had. Raises ClientError."""
        if self._connection:
            await self._connection.close()
        self._told, self._lost = [], None
        self._connection = Connection(self._url, on_message=self._take, on_lost=self._on_lost)
        await self._connection.open()
        await self._until(lambda: self._came(messages.Welcome), "welcome")
        if self._session:
            await self._send(messages.Resume(self._session))
            await self._until(lambda: self._came(messages.Resumed) and self._came(messages.Calls), "calls")
        await self._send(messages.Register(self.user, None))
        await self._until(lambda: self._came(messages.Registered), "registered")
        self.connections += 1

    async def call(self, target: str) -> None:
        """Calls a number; returns when it is answered. Raises ClientError."""
        await self._send(messages.Offer(sdp=OFFER, target=target, call_id=self.call_id))
        await self._until(lambda: "accepted" in self.states, "answer of the far party")

    async def hang_up(self) -> None:
        """Returns when the end is told. Raises ClientError."""
        if "ended" not in self.states:
            await self._send(messages.Hangup(self.call_id))
            await self._until(lambda: "ended" in self.states, "end")

    async def close(self) -> None:
        self._closing = True
        if self._again:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)
        if self._connection:
            await self._connection.close()

    async def _send(self, message: messages.ClientMessage) -> None:
        assert self._connection
        await self._connection.send(message)

    def _came(self, kind: type) -> bool:
        return self._count(kind) > 0

    def _count(self, kind: type) -> int:
        return sum(isinstance(message, kind) for message in self._told)

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        """Raises NotSeen, ServerRefused, ConnectionLost."""
        try:
            async with asyncio.timeout(SECONDS):
                while not condition():
                    for message in self._told:
                        if isinstance(message, messages.Error):
                            raise ServerRefused(message)
                    if self._lost:
                        raise self._lost
                    await self._news.wait()
        except TimeoutError:
            raise NotSeen(f"{self.user}: no {what} within {SECONDS:g} s; states {self.states}") from None

    def _take(self, message: ServerMessage) -> None:
        self._told.append(message)
        match message:
            case messages.Welcome(session=session):
                self._session = self._session or session
            case messages.Resumed(session=session):
                self._session = session
            case messages.Calls(calls=calls) if self._came(messages.Resumed) and self._count(messages.Calls) == 1:
                if self.states and self.call_id not in {each.call_id for each in calls}:
                    self.states.append("ended")  # meanwhile; nobody tells how
            case messages.State(call_id=self.call_id, state=state, outcome=outcome):
                self.states.append(state)
                self.outcome = outcome.value if outcome else ""
            case messages.Reconnect(within=within):
                self._connect_again(random.uniform(0.0, within))
        self._wake()

    def _on_lost(self, lost: ConnectionLost) -> None:
        self._lost = lost
        self._connect_again(0.0)
        self._wake()

    def _connect_again(self, after: float) -> None:
        if self._again is None and not self._closing:
            self._again = asyncio.create_task(self._connect_until_it_works(after))

    async def _connect_until_it_works(self, after: float) -> None:
        await asyncio.sleep(after)
        for pause in backoff():
            try:
                await self.open()
                break
            except ClientError as error:
                await asyncio.sleep(wait_after(error, pause))
        self._again = None
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
