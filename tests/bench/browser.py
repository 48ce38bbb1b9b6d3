"""The page: a headless WebRTC phone whose click and answer are timed."""

import asyncio
import time
from collections.abc import Sequence

from ari_bridge_client import Call
from ari_bridge_client.aiortc_media import AiortcMedia
from ari_bridge_client.audio import Tone
from ari_bridge_protocol.messages import IceServer

FLOWING = 5  # packets: from then on the browser's media flows


class Browser(AiortcMedia):
    """`clicked`: when the offer was made; `answered`: when its SDP answer came. Unix seconds.

    Its own ICE and DTLS begin only with `connect`, so that their work is not in the way of what is measured before.
    """

    def __init__(self, hz: float) -> None:
        super().__init__(Tone(hz))
        self.clicked = 0.0
        self.answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._connect = asyncio.Event()

    async def create_offer(self, ice_servers: Sequence[IceServer]) -> str:
        sdp = await super().create_offer(ice_servers)
        self.clicked = time.time()
        return sdp

    async def set_answer(self, sdp: str) -> None:
        self.answered.set_result(time.time())
        await self._connect.wait()
        await super().set_answer(sdp)

    def connect(self) -> None:
        """Takes the answer that came."""
        self._connect.set()


async def flowing(call: Call) -> None:
    """Waits until the browser's packets flow."""
    while (await call.get_stats()).packets_sent < FLOWING:  # noqa: ASYNC110  aiortc tells nobody
        await asyncio.sleep(0.01)
