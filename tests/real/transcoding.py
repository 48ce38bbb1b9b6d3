"""How many sessions the rtpengine of a test turns from Opus into PCMU and back."""

import asyncio

from ari_bridge.media.pool import Pool


async def until_transcoded(pool: Pool, count: int) -> None:
    """rtpengine counts some seconds late, and sessions of tests before may be among them. Raises TimeoutError."""
    async with asyncio.timeout(12):
        while pool.reports()[0].transcoded != count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
