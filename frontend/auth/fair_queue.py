"""Limits how much expensive work runs at the same time, and queues the rest fairly: the networks take turns."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LAST_RANK = 2
"""Ranks are 0 (first) to this."""
OTHERS_TURN = 4
"""Each so many turns one is given to the last rank that waits, so that nobody waits for ever."""


class Crowded(Exception):
    """The queue is full, and the longest part of it, of the last rank, has this key."""


class _Queue:
    """Of one rank: of each key the places that wait, the key whose last turn is longest ago first."""

    def __init__(self) -> None:
        self.by_key: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self.by_key.values()))

    def add(self, key: str, place: asyncio.Future[None]) -> None:
        self.by_key.setdefault(key, deque()).append(place)

    def remove(self, key: str, place: asyncio.Future[None]) -> None:
        queue = self.by_key.get(key)
        if queue and place in queue:
            queue.remove(place)
            if not queue:
                del self.by_key[key]

    def refuse_one(self) -> None:
        longest = max(self.by_key, key=lambda key: len(self.by_key[key]))
        place = self.by_key[longest][-1]
        self.remove(longest, place)
        place.set_exception(Crowded())

    def pop(self, busy: set[str]) -> tuple[str, asyncio.Future[None]] | None:
        """The next place of a key that is not busy."""
        key = next((key for key in self.by_key if key not in busy), None)
        if key is None:
            return None
        place = self.by_key[key].popleft()
        if self.by_key[key]:
            self.by_key.move_to_end(key)
        else:
            del self.by_key[key]
        return key, place


class Turns:
    """A semaphore with one place for each key and a bounded, fair queue.

    Args:
        places: How many may run at the same time, at most one for each key.
        waiting: How many may wait. If there are more, the last one of the longest queue of the last rank is refused.
    """

    def __init__(self, places: int, waiting: int) -> None:
        self._places = places
        self._most = waiting
        self._busy: set[str] = set()
        self._queues = [_Queue() for _ in range(LAST_RANK + 1)]
        self._given = 0

    @asynccontextmanager
    async def turn(self, key: str, rank: int = 0) -> AsyncIterator[None]:
        """Wait for a place; those of a lower rank get one first.

        Raises Crowded, possibly while waiting: if others come and this key's queue is longest.
        """
        await self._enter(key, self._queues[rank])
        try:
            yield
        finally:
            self._busy.discard(key)
            self._admit()

    async def _enter(self, key: str, queue: _Queue) -> None:
        place = asyncio.get_running_loop().create_future()
        queue.add(key, place)
        self._admit()
        if sum(map(len, self._queues)) > self._most:
            next(each for each in reversed(self._queues) if each.by_key).refuse_one()
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                queue.remove(key, place)
            elif not place.exception():
                self._busy.discard(key)
                self._admit()
            raise

    def _admit(self) -> None:
        """Give free places to the first ranks, and now and then to the last one."""
        while len(self._busy) < self._places:
            queues = self._queues if (self._given + 1) % OTHERS_TURN else self._queues[::-1]
            found = next((found for queue in queues if (found := queue.pop(self._busy))), None)
            if found is None:
                return
            key, place = found
            self._given += 1
            self._busy.add(key)
            place.set_result(None)
