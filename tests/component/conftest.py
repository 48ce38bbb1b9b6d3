"""The engine between a fake Asterisk and a fake rtpengine, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.call_store import SqliteCallStore
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.limits import Limits
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.notifications import Notification, StateChanged
from ari_bridge.hooks import Hooks
from ari_bridge.media.node_address import NodeAddress
from ari_bridge.media.pool import Pool
from ari_bridge.number_routing import Routes
from ari_bridge.preferences.ring_decision import RingDecision
from tests.fakes.ari import FakeAri
from tests.fakes.dial_permissions import Unrestricted
from tests.fakes.rtpengine import FakeRtpengine
from tests.hang_up import hang_up_all

SECONDS = 5.0  # for whatever is waited for


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Wait for something that is about to come true. Fails after SECONDS."""
    try:
        async with asyncio.timeout(SECONDS):
            while not condition():  # noqa: ASYNC110 (what it looks at has no event to wait for)
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"did not come true: {what or condition}") from None


@dataclass
class PagesSeen:
    """Pages of `users`, who ring for every caller, and what they were told."""

    users: frozenset[str] = frozenset()
    reach: RingDecision = RingDecision()
    rung: list[str] = field(default_factory=list)
    stopped: list[tuple[str | None, str]] = field(default_factory=list)
    callers: list[tuple[str, str]] = field(default_factory=list)  # who calls now, each time that it changed

    def decide(self, call: Call, live: Iterable[Call]) -> RingDecision:
        self.rung.append(call.id)
        return replace(self.reach, users=self.users)

    def is_registered(self, user: str) -> bool:
        return user in self.users

    def ring(self, call: Call, users: frozenset[str]) -> None:
        pass

    def stop_ringing(self, call: Call, user: str | None, reason: str) -> None:
        self.stopped.append((user, reason))

    def update_caller(self, call: Call) -> None:
        self.callers.append((call.far_number, call.far_name))


@dataclass(frozen=True)
class Update:
    """What a listener was notified of, with the call as it was then."""

    call: Call
    what: Notification


@dataclass
class Engine:
    """`updates`: what listeners were notified of, in order."""

    ari: FakeAri
    media: FakeRtpengine
    pages: PagesSeen
    hooks: Hooks
    client: Ari
    calls: CallManager
    updates: list[Update] = field(default_factory=list)

    def listen(self, call: Call, notification: Notification) -> None:
        self.updates.append(Update(call, notification))

    def states(self) -> list[str]:
        return [update.call.state.value for update in self.updates if isinstance(update.what, StateChanged)]

    def nothing_left(self) -> bool:
        return not (self.ari.channels or self.ari.bridges or self.media.sessions or self.calls.live())


@pytest.fixture
async def fake_ari() -> AsyncIterator[FakeAri]:
    async with FakeAri() as fake:
        yield fake


@pytest.fixture
async def fake_rtpengine() -> AsyncIterator[FakeRtpengine]:
    fake = FakeRtpengine()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def limits() -> Limits:
    return Limits(ring_timeout=30, setup_timeout=5, max_calls=10, max_calls_per_user=2)


@asynccontextmanager
async def an_engine(
    fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, state_dir: Path, *, connected: bool = True
) -> AsyncIterator[Engine]:
    """One process' worth of the engine. Leaving it leaves the calls: another one with the same folder adopts them.

    `connected`: with its event stream up.
    """
    client = Ari(fake_ari.url, fake_ari.user, fake_ari.password, "ari-bridge", timeout=0.5)
    media = Pool([NodeAddress.parse(fake_rtpengine.address)], app=client.app, timeout=0.5)
    pages, hooks, store = PagesSeen(), Hooks(), SqliteCallStore(state_dir, journal_dir=state_dir)
    gate = DialGate(Unrestricted(), Routes(), outside_to_outside=True)
    calls = CallManager(client, media, pages, hooks, gate, limits, store, pages)
    async with AsyncExitStack() as opened:
        opened.callback(hooks.close)
        await store.start()
        opened.push_async_callback(store.close)
        await media.start()
        opened.push_async_callback(media.close)
        opened.push_async_callback(client.close)
        await calls.start()
        opened.push_async_callback(calls.close)
        await client.start()
        if connected:
            await until(lambda: client.connected, "the event stream")
        yield Engine(fake_ari, fake_rtpengine, pages, hooks, client, calls)


@pytest.fixture
async def engine(
    fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, tmp_path: Path
) -> AsyncIterator[Engine]:
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as engine:
        yield engine
        await hang_up_all(engine.calls)
