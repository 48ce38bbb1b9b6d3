"""A collector between a fake Asterisk and a real folder, or a fake S3-compatible store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.recordings import Collector, Library, RecordingStore, StoreKeys, collector, library
from ari_bridge.recordings.disk_store import DiskStore
from ari_bridge.recordings.location import Bucket
from ari_bridge.recordings.s3_store import S3Store
from tests.component.call_store.conftest import a_call
from tests.component.conftest import until
from tests.fakes.ari import FakeAri
from tests.fakes.s3 import FakeS3

PREFIX = "calls"


@pytest.fixture(autouse=True)
def tried_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(collector, "MAX_RETRY_S", 0.1)
    monkeypatch.setattr(library, "RETRY_INTERVAL_S", 0.05)


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAri]:
    async with FakeAri() as pbx:
        yield pbx


@pytest.fixture
async def s3() -> AsyncIterator[FakeS3]:
    async with FakeS3() as s3:
        yield s3


def keys(s3: FakeS3) -> StoreKeys:
    return StoreKeys(s3.url, s3.region, s3.key, s3.secret)


@pytest.fixture
def s3_store(s3: FakeS3) -> S3Store:
    return S3Store(Bucket(s3.bucket, PREFIX), keys(s3), seconds=1.0)


@pytest.fixture
def disk_store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "kept")


def an_ended_call(call_id: str) -> Call | None:
    """As a call store that knows every call but those of others."""
    if call_id.startswith("other"):
        return None
    return a_call(call_id, CallState.ENDED, user="1001", answered_at=2.0)


@dataclass
class Archive:
    """`collector` works for `pbx`; `library` is where it brings what is finished."""

    pbx: FakeAri
    ari: Ari
    library: Library
    collector: Collector
    state_dir: Path

    async def record(self, name: str) -> None:
        """Record something, and be told that it is finished."""
        bridge = f"{name}-br"
        await self.ari.bridges.create(bridge)
        await self.ari.recordings.start(bridge, name)
        await self.ari.bridges.destroy(bridge)

    async def kept(self, *names: str) -> None:
        await until(lambda: all(map(self.library.get, names)) and not self.collector.pending, f"{names} are kept")

    async def sound(self, name: str) -> bytes:
        recording = self.library.get(name)
        assert recording
        return b"".join([piece async for piece in self.library.read(recording)])


@asynccontextmanager
async def an_archive(
    pbx: FakeAri,
    store: RecordingStore,
    state_dir: Path,
    *,
    days: float = 1e6,
    call: Callable[[str], Call | None] = an_ended_call,
) -> AsyncIterator[Archive]:
    """One process' worth of it. Another one with the same folder goes on where it was left."""
    ari = Ari(pbx.url, pbx.user, pbx.password, "ari-bridge", timeout=0.5)
    books = Library(store, state_dir, days=days)
    worker = Collector(ari.recordings, books, state_dir, call)
    ari.on_event(worker.on_event)
    ari.on_connect(worker.on_connect)
    async with AsyncExitStack() as opened:
        await books.start()
        opened.push_async_callback(books.close)
        await worker.start()
        opened.push_async_callback(worker.close)
        await ari.start()
        opened.push_async_callback(ari.close)
        await until(lambda: ari.connected, "the event stream")
        yield Archive(pbx, ari, books, worker, state_dir)
        await asyncio.sleep(0)


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest) -> RecordingStore:
    found: RecordingStore = request.getfixturevalue(f"{request.param}_store")
    return found


@pytest.fixture
async def archive(pbx: FakeAri, store: RecordingStore, tmp_path: Path) -> AsyncIterator[Archive]:
    async with an_archive(pbx, store, tmp_path / "state") as archive:
        yield archive
