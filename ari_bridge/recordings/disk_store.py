"""Recordings in a folder: of this machine, or one that is mounted from elsewhere."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from ari_bridge import atomic_file
from ari_bridge.recordings.protocol import PIECE_BYTES, StoreFailed

OPERATION_TIMEOUT_S = 300.0
"""For one operation: a folder that is mounted from a dead server never responds."""
ABANDONED_AFTER_S = 86400.0
"""A partial file this old was left by a process that died; a younger one may be another process' at work."""

T = TypeVar("T")


class _Opening:
    """Opens a file in a thread, which goes on after its caller gave up: then it closes what it opens."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._closed = False
        self._file: BinaryIO | None = None

    def __call__(self) -> BinaryIO:
        self._file = file = open(self._path, "rb")
        if self._closed:
            file.close()
        return file

    def close(self) -> None:
        self._closed = True  # first: either the thread sees it, or this sees the thread's file
        if self._file is not None:
            self._file.close()


class DiskStore:
    """A recording store in a folder. Files and folder are for our user only (modes 600 and 700)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        return str(self._folder)

    async def put(self, name: str, source: Path | bytes) -> None:
        def keep() -> None:
            atomic_file.make_folder(self._folder)
            if isinstance(source, bytes):
                atomic_file.write(self._folder / name, source)
            else:
                atomic_file.copy(source, self._folder / name)

        await self._do("keep " + name, keep)

    async def size(self, name: str) -> int | None:
        def look() -> int | None:
            try:
                return os.stat(self._folder / name).st_size
            except FileNotFoundError:
                return None

        return await self._do("look for " + name, look)

    async def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        doing = "read " + name
        opening = _Opening(self._folder / name)
        try:
            file = await self._do(doing, opening)
            size = os.fstat(file.fileno()).st_size
            end = size if end is None else end
            file.seek(start)
            while start < end:
                wanted = min(PIECE_BYTES, end - start)
                piece = await self._do(doing, lambda wanted=wanted: file.read(wanted))  # type: ignore[misc]
                if not piece:
                    raise StoreFailed(self.where, doing, f"it ends after {start} bytes")
                start += len(piece)
                yield piece
        finally:
            opening.close()

    async def names(self) -> set[str]:
        return await self._do("list what is there", self._names)

    async def delete(self, name: str) -> bool:
        def remove() -> bool:
            try:
                os.unlink(self._folder / name)
            except FileNotFoundError:
                return False
            atomic_file.sync_folder(self._folder)
            return True

        return await self._do("delete " + name, remove)

    async def close(self) -> None:
        pass

    def _names(self) -> set[str]:
        found = set()
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if not entry.name.endswith(atomic_file.PART):
                        found.add(entry.name)
                    elif entry.stat().st_mtime < time.time() - ABANDONED_AFTER_S:
                        os.unlink(entry.path)
        except FileNotFoundError:  # no recording was stored yet
            pass
        return found

    async def _do(self, doing: str, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(OPERATION_TIMEOUT_S):
                return await asyncio.to_thread(work)
        except TimeoutError as error:
            raise StoreFailed(self.where, doing, f"no response within {OPERATION_TIMEOUT_S:g} s") from error
        except OSError as error:
            raise StoreFailed(self.where, doing, error.strerror or str(error)) from error
