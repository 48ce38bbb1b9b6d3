"""Sessions to be deleted from one rtpengine in the background: now, or when it is back."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

from ari_bridge.errors import PeerError

MAX_PENDING = 10_000
"""Above it the oldest are dropped. A sweep finds what was dropped."""
BATCH_SIZE = 20


class DeletionQueue:
    """The legs whose sessions are still to be deleted, oldest first.

    Args:
        delete: deletes the session of a leg; raises PeerError.
    """

    def __init__(self, delete: Callable[[str], Awaitable[object]]) -> None:
        self.added = asyncio.Event()
        self._delete = delete
        self._pending: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def __contains__(self, leg: str) -> bool:
        return leg in self._pending

    def add(self, leg: str) -> None:
        self._pending[leg] = None
        while len(self._pending) > MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        self.added.set()

    def discard(self, leg: str) -> None:
        """It is not to be deleted any more."""
        self._pending.pop(leg, None)

    def subtract_from(self, legs: set[str]) -> set[str]:
        """Those of the legs that are not to be deleted."""
        return legs - self._pending.keys()

    async def work(self, *, later: Collection[str], go_on: Callable[[], bool]) -> None:
        """Delete what is pending. What fails stays pending.

        Args:
            later: legs that are left for another time.
            go_on: asked before each batch.
        """
        due = [leg for leg in self._pending if leg not in later]
        for start in range(0, len(due), BATCH_SIZE):
            if not go_on():
                return
            await asyncio.gather(*map(self._delete_one, due[start : start + BATCH_SIZE]))

    async def _delete_one(self, leg: str) -> None:
        with suppress(PeerError):
            await self._delete(leg)
            self._pending.pop(leg, None)
