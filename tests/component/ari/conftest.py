"""An ARI client connected to a fake Asterisk."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.ari.events import AriEvent
from tests.fakes.ari import FakeAri


class Events:
    """What a client is told. `same`: whether the PBX was the same at each connect; `lost`: why the stream went."""

    def __init__(self, ari: Ari) -> None:
        self.same: list[bool] = []
        self.lost: list[str] = []
        self._ari = ari
        self._queue: asyncio.Queue[AriEvent] = asyncio.Queue()
        self._connects: asyncio.Queue[None] = asyncio.Queue()
        ari.on_event(self._queue.put_nowait)
        ari.on_connect(self._connected)
        ari.on_disconnect(self.lost.append)

    async def _connected(self) -> None:
        self.same.append(not self._ari.pbx_restarted)
        self._connects.put_nowait(None)

    async def next(self, type: str) -> AriEvent:
        async with asyncio.timeout(5):
            while True:
                event = await self._queue.get()
                if event.type == type:
                    return event

    async def connected(self) -> None:
        async with asyncio.timeout(8):
            await self._connects.get()


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAri]:
    async with FakeAri() as pbx:
        yield pbx


@pytest.fixture
async def ari(pbx: FakeAri) -> AsyncIterator[Ari]:
    ari = Ari(pbx.url, pbx.user, pbx.password, "ari-bridge", timeout=1.0)
    yield ari
    await ari.close()


@pytest.fixture
async def events(ari: Ari) -> Events:
    events = Events(ari)
    await ari.start()
    await events.connected()
    return events
