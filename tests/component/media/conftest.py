"""The pool beside tiny rtpengines, over real sockets and in real time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from ari_bridge.media.codec_policy import OPUS_ALWAYS, CodecPolicy
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.node_health import NodeReport
from ari_bridge.media.pool import Pool
from ari_bridge.net import RtpAddress
from tests.fakes.rtpengine import FakeRtpengine

APP = "ari-bridge"
ASTERISK = RtpAddress("127.0.0.1", 40100)


class Media:
    """`lost`: what the pool told to be gone, each time with the reason."""

    def __init__(self, pool: Pool, fakes: list[FakeRtpengine]) -> None:
        self.pool = pool
        self.fakes = fakes
        self.lost: list[tuple[frozenset[str], str]] = []
        pool.on_lost(lambda legs, reason: self.lost.append((legs, reason)) if legs else None)

    @property
    def lost_legs(self) -> list[str]:
        return sorted(leg for legs, _ in self.lost for leg in legs)

    def report(self, number: int) -> NodeReport:
        return self.pool.reports()[number]

    def legs(self, number: int) -> set[str]:
        """What the fake has of ours."""
        names = self.fakes[number].sessions
        return {name.removeprefix(f"{APP}:") for name in names if name.startswith(f"{APP}:")}

    def drain(self, number: int, draining: bool = True) -> None:
        """As a weight of 0 in the settings does."""
        self.pool._nodes[number].draining = draining

    def holder(self, leg: str) -> FakeRtpengine:
        [fake] = [fake for fake in self.fakes if f"{APP}:{leg}" in fake.sessions]
        return fake


MediaWith = Callable[..., Awaitable[Media]]


@pytest.fixture
async def media_with() -> AsyncIterator[MediaWith]:
    """`await media_with(2)`: a started pool of so many nodes. `down`: how many of the last ones do not run;

    `transcoded`: how many sessions each says that it transcodes.
    """
    async with AsyncExitStack() as stack:

        async def make(
            count: int = 2,
            *,
            weights: tuple[int, ...] = (),
            down: int = 0,
            seconds: float = 3.0,
            policy: CodecPolicy = OPUS_ALWAYS,
            transcoded: int = 0,
        ) -> Media:
            fakes = [FakeRtpengine() for _ in range(count)]
            for fake in fakes:
                fake.transcoded = transcoded
                await fake.start()
                stack.push_async_callback(fake.stop)
            for fake in fakes[count - down :]:
                await fake.stop()
            parsed = [NodeAddress.parse(fake.address) for fake in fakes]
            nodes = [
                NodeAddress(each.host, each.port, weight)
                for each, weight in zip(parsed, weights or (1,) * count, strict=True)
            ]
            pool = Pool(nodes, app=APP, timeout=seconds, policy=policy)
            await pool.start()
            stack.push_async_callback(pool.close)
            return Media(pool, fakes)

        yield make


@pytest.fixture
async def media(media_with: MediaWith) -> Media:
    """Two nodes of equal weight, both up."""
    return await media_with(2)


async def within(seconds: float, condition: Callable[[], object], what: str = "") -> float:
    """Wait until something is true; the seconds that it took. Fails after `seconds`."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not condition():  # noqa: ASYNC110 (what it looks at has no event to wait for)
        assert loop.time() - began < seconds, f"did not come true within {seconds} s: {what or condition}"
        await asyncio.sleep(0.005)
    return loop.time() - began
