"""Limits how many requests are under way at once, and decides which goes next: a slow Asterisk is not flooded.

Requests that end a call go before those of existing calls, and these before those of new calls. Each priority has
permits that lower ones cannot acquire, so that a hang-up is sent even while every set-up hangs.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from enum import IntEnum


class Priority(IntEnum):
    """What a request is for; the lowest value goes first."""

    RELEASE = 0
    """It ends something. Never refused: it takes load from Asterisk."""
    STANDING = 1
    """For an existing call."""
    NEW = 2
    """For the first resources of a new call."""


CONCURRENCY: Mapping[Priority, int] = {Priority.RELEASE: 32, Priority.STANDING: 24, Priority.NEW: 16}
"""A request of a priority is sent while fewer than this are under way. Together with their wake-ups they stay below the
connections that the transport opens, and these below Asterisk's default sessionlimit of 100."""


class PrioritySemaphore:
    """A semaphore with a limit for each priority.

    Args:
        places: the limits.
    """

    def __init__(self, limits: Mapping[Priority, int] = CONCURRENCY) -> None:
        self.under_way = 0
        """Requests that hold a permit."""
        self._limits = limits
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {
            priority: deque() for priority in sorted(Priority)
        }

    @property
    def waiting(self) -> int:
        """Requests that wait for a permit."""
        return sum(map(len, self._waiting.values()))

    def try_acquire(self, priority: Priority) -> bool:
        """Acquire a permit without waiting. False if there is none, or others wait for one already."""
        if self._waiting[priority] or not self._is_free(priority):
            return False
        self.under_way += 1
        return True

    async def acquire(self, priority: Priority) -> None:
        """Wait for a permit, behind those that wait already."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting[priority].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it got a permit in the same moment
                self.release()
            elif turn in self._waiting[priority]:
                self._waiting[priority].remove(turn)
            raise

    def release(self) -> None:
        self.under_way -= 1
        for priority, turns in self._waiting.items():
            while turns and self._is_free(priority):
                turn = turns.popleft()
                if not turn.cancelled():
                    self.under_way += 1
                    turn.set_result(None)

    def _is_free(self, priority: Priority) -> bool:
        return self.under_way < self._limits[priority]
