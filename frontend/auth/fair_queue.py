"""Limits how much expensive work runs at the same time, and queues the rest fairly: the networks take turns."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Crowded(Exception):
    """The queue is full, and the longest part of it has this key."""


class Turns:
    """A semaphore with one place for each key and a bounded, fair queue.

    Args:
        places: How many may run at the same time, at most one for each key.
        waiting: How many may wait. If there are more, the last one of the longest queue is refused.
    """

    def __init__(self, places: int, waiting: int) -> None:
        self._places = places
        self._most = waiting
        self._busy: set[str] = set()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for a place. Raises Crowded, possibly while waiting: if others come and this key's queue is longest."""
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
        """Give free places to the keys whose last turn is longest ago."""
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
