"""How many requests are under way at once, and which goes next: an Asterisk that is slow is not buried in more.

What ends a call goes before what serves one, and that before what begins one. Each has
places that the less urgent cannot take, so that a hang-up is sent even while every
set-up hangs.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from enum import IntEnum


class Priority(IntEnum):
    """What a request is for; the lower goes first."""

    RELEASE = 0
    """Ends something. Never refused: each one takes load from Asterisk."""
    STANDING = 1
    """For a call that is there."""
    NEW = 2
    """Makes the first things of a new call."""


CONCURRENCY: Mapping[Priority, int] = {Priority.RELEASE: 32, Priority.STANDING: 24, Priority.NEW: 16}
"""A request goes when fewer than so many are under way. Together with their wakes they stay below the connections
that the transport opens, and those below Asterisk's default sessionlimit of 100."""


class PrioritySemaphore:
    """`under_way`: requests that were admitted and have not left."""

    def __init__(self, places: Mapping[Priority, int] = CONCURRENCY) -> None:
        self.under_way = 0
        self._places = places
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {
            priority: deque() for priority in sorted(Priority)
        }

    @property
    def waiting(self) -> int:
        """Requests whose turn has not come."""
        return sum(map(len, self._waiting.values()))

    def take(self, priority: Priority) -> bool:
        """A place at once, which `leave` gives back; False where there is none, or others wait for one already."""
        if self._waiting[priority] or not self._is_free(priority):
            return False
        self.under_way += 1
        return True

    async def wait(self, priority: Priority) -> None:
        """Wait for a place, behind those who wait already."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting[priority].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # its turn came in the same moment
                self.leave()
            elif turn in self._waiting[priority]:
                self._waiting[priority].remove(turn)
            raise

    def leave(self) -> None:
        self.under_way -= 1
        for priority, turns in self._waiting.items():
            while turns and self._is_free(priority):
                turn = turns.popleft()
                if not turn.cancelled():
                    self.under_way += 1
                    turn.set_result(None)

    def _is_free(self, priority: Priority) -> bool:
        return self.under_way < self._places[priority]
