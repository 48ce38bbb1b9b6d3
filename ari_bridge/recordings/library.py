"""The recordings that a store has: added with proof, listed from memory, read, deleted, and deleted when they are old.

The store is the truth. Once an hour it is compared with what we know, so that what others put there is listed too, and
what they deleted is not.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import structlog

from ari_bridge import metrics, tasks
from ari_bridge.cursor import Cursor
from ari_bridge.recordings.index import Filters as Filters
from ari_bridge.recordings.index import Index, IndexFile
from ari_bridge.recordings.protocol import RecordingStore, StoreFailed
from ari_bridge.recordings.recording import ABOUT, SOUND, Recording, another_name, decode, encode, stem_of_name
from ari_bridge.service_health import ServiceHealth

INDEX = "recordings-index.jsonl"
SYNC_INTERVAL_S = 3600.0
RETRY_INTERVAL_S = 30.0
"""When the store is compared again after it failed to answer."""
MAX_CONCURRENT_READS = 8
MAX_ABOUT_BYTES = 65536
"""No longer than that: what is known of a recording."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Page:
    """`more`: there are older ones."""

    recordings: list[Recording]
    more: bool


class Library:
    """The recordings in the store.

    Args:
        store: where they are; closed with the library.
        state_dir: where the index is cached.
        days: how long a recording is kept, from its start.
    """

    def __init__(self, store: RecordingStore, state_dir: Path, *, days: float = 90.0) -> None:
        self.store = store
        self.health = ServiceHealth(
            degraded="cannot rebuild the recordings index", recovered="the recording store responds again", log=log
        )
        self._days = days
        self._index = Index()
        self._file = IndexFile(state_dir / INDEX, store.where)
        self._syncing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load the cached index; the store is listed in the background. Never raises."""
        try:
            self._index = await asyncio.to_thread(self._file.load)
        except OSError as error:
            log.warning("cannot read the recordings index: listing the store instead", reason=str(error))
        self._syncing = asyncio.create_task(self._sync_loop(), name="recordings: compare")

    async def close(self) -> None:
        await tasks.cancel(self._syncing)
        self._syncing = None
        await self.store.close()

    def __len__(self) -> int:
        return len(self._index)

    def get(self, name: str) -> Recording | None:
        return self._index.get(name)

    def find(self, filters: Filters, *, before: Cursor | None = None, limit: int = 50) -> Page:
        """Newest first. `before`: the `cursor` of the last one of the page before."""
        found = list(islice(self._index.newest_first(filters, before), limit + 1))
        return Page(found[:limit], len(found) > limit)

    async def add(self, recording: Recording, sound: Path) -> Recording:
        """Store it. When this returns, the store has returned the same bytes.

        Under another name if a different recording has its name: none is ever overwritten. May be called again after
        a failure or a crash. Raises StoreFailed.
        """
        recording = await self._named(recording)
        if not await self._is_stored(recording.name + SOUND, recording.size, recording.sha256):
            await self._put(recording.name + SOUND, sound, recording.size, recording.sha256)
        about = encode(recording)
        await self._put(recording.name + ABOUT, about, len(about), hashlib.sha256(about).hexdigest())
        self._index.add(recording)
        await self._update_index_file(lambda: self._file.added(recording))
        metrics.RECORDINGS_STORED.inc()
        return recording

    def read(self, recording: Recording, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """Its sound from byte `start` up to, not including, `end`. Raises StoreFailed."""
        return self.store.read(recording.name + SOUND, start, recording.size if end is None else end)

    async def delete(self, name: str) -> None:
        """Delete it, the sound first. One that does not exist is fine. Raises StoreFailed."""
        await self.store.delete(name + SOUND)
        await self.store.delete(name + ABOUT)
        self._index.remove(name)
        await self._update_index_file(lambda: self._file.removed(name))

    # --- the store's proof -----------------------------------------------------------------

    async def _named(self, recording: Recording) -> Recording:
        own, number = recording.name, 0
        while True:
            known = await self._about(recording.name)
            if known is None or known.sha256 == recording.sha256:
                return recording
            number += 1
            recording = msgspec.structs.replace(recording, name=another_name(own, number))

    async def _about(self, name: str) -> Recording | None:
        """The recording as the store describes it; None if there is no valid description."""
        if await self.store.size(name + ABOUT) is None:
            return None
        data = b""
        async with aclosing(self.store.read(name + ABOUT)) as pieces:
            async for piece in pieces:
                data += piece
                if len(data) > MAX_ABOUT_BYTES:
                    return None
        try:
            found = decode(data)
        except msgspec.DecodeError:
            return None
        return found if found.name == name else None

    async def _put(self, name: str, source: Path | bytes, size: int, sha256: str) -> None:
        await self.store.put(name, source)
        if not await self._is_stored(name, size, sha256):
            raise StoreFailed(self.store.where, "keep " + name, "what it gives back is not what it was given")

    async def _is_stored(self, name: str, size: int, sha256: str) -> bool:
        if await self.store.size(name) != size:
            return False
        digest = hashlib.sha256()
        async with aclosing(self.store.read(name)) as pieces:
            async for piece in pieces:
                digest.update(piece)
        return digest.hexdigest() == sha256

    # --- what others did, and what time does -------------------------------------------------

    async def _sync_loop(self) -> None:
        while True:
            try:
                await self.sync()
                await self.delete_expired()
            except StoreFailed as error:
                self.health.fail(str(error), store=self.store.where)
            except Exception:
                log.exception("unexpected error while rebuilding the recordings index", store=self.store.where)
            else:
                self.health.succeed(store=self.store.where)
            await asyncio.sleep(SYNC_INTERVAL_S if self.health.healthy else RETRY_INTERVAL_S)

    async def sync(self) -> None:
        """Bring the index in line with the store. Raises StoreFailed."""
        known = self._index.names()
        files = await self.store.names()
        abouts = {file.removesuffix(ABOUT) for file in files if file.endswith(ABOUT)}
        for name in known - abouts:
            self._index.remove(name)
        new = [name for name in abouts - known if stem_of_name(name)]
        reading = asyncio.Semaphore(MAX_CONCURRENT_READS)
        failures: list[StoreFailed] = []

        async def read(name: str) -> None:
            async with reading:
                try:
                    if name + SOUND in files or await self.store.size(name + SOUND) is not None:
                        if about := await self._about(name):
                            self._index.add(about)
                    else:  # a delete was interrupted
                        await self.store.delete(name + ABOUT)
                except StoreFailed as error:
                    failures.append(error)

        await asyncio.gather(*map(read, new))
        if new or known - abouts:
            log.info("rebuilt the recordings index", found=len(new), gone=len(known - abouts), store=self.store.where)
        recordings = tuple(self._index.all())
        await self._update_index_file(lambda: self._file.write(recordings))
        if failures:
            raise failures[0]

    async def delete_expired(self) -> None:
        """Those that started more than `days` ago. Raises StoreFailed."""
        for recording in self._index.older_than(time.time() - self._days * 86400):
            await self.delete(recording.name)
            log.info("deleted an expired recording", recording=recording.name, days=self._days)

    async def _update_index_file(self, write: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(write)
        except OSError as error:  # a cache: the next synchronisation rewrites it
            log.warning("cannot write the recordings index", reason=str(error))
