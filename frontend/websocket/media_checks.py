"""Checks for a page that receives no audio whether there is any: Asterisk may simply send nothing.

The page knows what reaches it, and rtpengine knows what Asterisk sends; only both together show that media is lost.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from ari_bridge.errors import PeerError

CHECK_INTERVAL_S = 1.0
"""Between the two queries of how much Asterisk has sent."""
MIN_AUDIO_PACKETS = 10
"""From how many packets in between it counts as audio: 20 ms each, together a fifth of a second."""

log = structlog.get_logger(__name__)


class FarPackets(Protocol):
    """The rtpengines, or a fake."""

    async def far_packets(self, leg: str) -> int | None:
        """How many RTP packets Asterisk has sent for the browser; None if that is not known. Raises PeerError."""


class MediaChecks:
    """The checks of one page, at most one of each leg at a time. `check` never waits.

    Args:
        media: The rtpengines.
    """

    def __init__(self, media: FarPackets) -> None:
        self._media = media
        self._running: dict[str, asyncio.Task[None]] = {}  # by leg

    def check(self, leg: str, report: Callable[[bool], None]) -> None:
        """Call `report` with whether Asterisk sends audio for the page; not at all if rtpengine cannot say."""
        if leg not in self._running:
            self._running[leg] = asyncio.create_task(self._run(leg, report))

    async def close(self) -> None:
        """Cancels the checks that are running."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, leg: str, report: Callable[[bool], None]) -> None:
        try:
            before = await self._media.far_packets(leg)
            await asyncio.sleep(CHECK_INTERVAL_S)
            after = await self._media.far_packets(leg)
            if before is not None and after is not None:
                report(after - before >= MIN_AUDIO_PACKETS)
        except PeerError as error:
            log.info("cannot check whether Asterisk sends audio for a page", leg=leg, reason=str(error))
        finally:
            del self._running[leg]
