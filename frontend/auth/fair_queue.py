"""Places for work that costs much: few at once, and those who wait take turns, network by network."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Crowded(Exception):
    """Too many wait already, and most of them from here."""


class Turns:
    """`places` at once, one for each key; `waiting` may wait. Where more do, those of the longest queue are refused."""

    def __init__(self, places: int, waiting: int) -> None:
        self._places = places
        self._most = waiting
        self._busy: set[str] = set()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Waits for a place. Raises Crowded, maybe after a while: when others come who have waited less often."""
        await self._enter(key)
        try:
            yield
        finally:
            self._busy.discard(key)
            self._admit()

    async def _enter(self, key: str) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(place)
        self._admit()
        if sum(map(len, self._waiting.values())) > self._most:
            longest = max(self._waiting, key=lambda one: len(self._waiting[one]))
            self._leave(longest, self._waiting[longest][-1]).set_exception(Crowded())
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._leave(key, place)
            elif not place.exception():
                self._busy.discard(key)
                self._admit()
            raise

    def _leave(self, key: str, place: asyncio.Future[None]) -> asyncio.Future[None]:
        queue = self._waiting.get(key)
        if queue and place in queue:
            queue.remove(place)
            if not queue:
                del self._waiting[key]
        return place

    def _admit(self) -> None:
        """Gives the free places away: to the key that has waited longest since its last turn."""
        for key in list(self._waiting):
            if len(self._busy) >= self._places:
                return
            if key in self._busy:
                continue
            place = self._waiting[key].popleft()
            if self._waiting[key]:
                self._waiting.move_to_end(key)
            else:
                del self._waiting[key]
            self._busy.add(key)
            place.set_result(None)
