"""The channels and bridges of the PBX, for everybody who asks: it is asked twice a second at most, once at a time.

So no number of dashboards, and no loop of requests, fills the queue in which the commands of calls wait, or makes the
circuit breaker believe that the PBX does not keep up.
"""

import asyncio
import time
from dataclasses import dataclass

from ari_bridge.ari.client import Ari
from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.errors import PeerError

INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class PbxSnapshot:
    """`reason`: why the PBX could not be asked; None if it was."""

    channels: list[Channel]
    bridges: list[Bridge]
    reason: str | None = None


class PbxSnapshots:
    def __init__(self, ari: Ari) -> None:
        self._ari = ari
        self._next: asyncio.Task[PbxSnapshot] | None = None  # not begun: whoever asks now may have it
        self._turn = asyncio.Lock()
        self._taken_at = 0.0

    async def next(self) -> PbxSnapshot:
        """One that was begun after this was called. Whoever waits for the same one shares it."""
        if self._next is None:
            self._next = asyncio.create_task(self._take())
        return await asyncio.shield(self._next)

    async def _take(self) -> PbxSnapshot:
        async with self._turn:
            await asyncio.sleep(max(0.0, self._taken_at + INTERVAL_S - time.monotonic()))
            self._next = None
            self._taken_at = time.monotonic()
            try:
                channels, bridges = await asyncio.gather(self._ari.channels.list(), self._ari.bridges.list())
            except PeerError as error:
                return PbxSnapshot([], [], str(error))
            return PbxSnapshot(channels, bridges)
