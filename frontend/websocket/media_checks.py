"""Whether a page that hears nothing has anything to hear: silence is no loss, and a loss may sound like silence.

The page knows what reaches it, and rtpengine what Asterisk sends for it: only the two together tell. Of one page.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from ari_bridge.errors import PeerError

CHECK_INTERVAL_S = 1.0
"""Between two looks at what Asterisk has sent."""
MIN_AUDIO_PACKETS = 10
"""So many packets in between are sound: of 20 ms each, a fifth of a second."""

log = structlog.get_logger(__name__)


class FarPackets(Protocol):
    """The rtpengines, or a fake."""

    async def far_packets(self, leg: str) -> int | None:
        """How many RTP packets Asterisk has sent for the browser; None where that is not known. Raises PeerError."""


class MediaChecks:
    """`check` never waits. A leg is looked at once at a time."""

    def __init__(self, media: FarPackets) -> None:
        self._media = media
        self._looking: dict[str, asyncio.Task[None]] = {}  # by leg

    def check(self, leg: str, tell: Callable[[bool], None]) -> None:
        """Tells whether sound comes for the page; nothing where rtpengine does not say."""
        if leg not in self._looking:
            self._looking[leg] = asyncio.create_task(self._look(leg, tell))

    async def close(self) -> None:
        """What is under way is dropped."""
        looking = list(self._looking.values())
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)

    async def _look(self, leg: str, tell: Callable[[bool], None]) -> None:
        try:
            before = await self._media.far_packets(leg)
            await asyncio.sleep(CHECK_INTERVAL_S)
            after = await self._media.far_packets(leg)
            if before is not None and after is not None:
                tell(after - before >= MIN_AUDIO_PACKETS)
        except PeerError as error:
            log.info("whether a page ought to hear something is not known", leg=leg, reason=str(error))
        finally:
            del self._looking[leg]
