"""The page: a headless WebRTC phone whose click and answer are timed."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from frontend.client.phone import Phone, PhoneCall
from frontend.messages import Answer, ClientMessage, Offer, ServerMessage

FLOWING = 5  # packets: from then on the browser's media flows


class Browser(Phone):
    """`clicked`: when the last offer was sent; `answered`: when its SDP answer came. Unix seconds.

    Its own ICE and DTLS begin only with `connect`, so that their work is not in the way of what is measured before.
    """

    def __init__(self, ws_url: str) -> None:
        super().__init__(ws_url)
        self.clicked = 0.0
        self.answered: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._connect: Callable[[], None] = lambda: None

    async def send(self, message: ClientMessage) -> None:
        if isinstance(message, Offer):
            self.answered = asyncio.get_running_loop().create_future()
            self.clicked = time.time()
        await super().send(message)

    def connect(self) -> None:
        """Takes the answer that came."""
        self._connect()

    def _receive(self, message: ServerMessage) -> None:
        if not isinstance(message, Answer):
            super()._receive(message)
            return
        if not self.answered.done():
            self.answered.set_result(time.time())
        receive = super()._receive
        self._connect = lambda: receive(message)


async def flowing(call: PhoneCall) -> None:
    """Waits until the browser's packets flow."""
    figures: dict[str, Any] = {}
    while figures.get("sent", 0) < FLOWING:
        await asyncio.sleep(0.01)
        figures = await call.stats()
