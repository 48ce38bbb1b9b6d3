"""Recordings in a bucket of any S3-compatible store.

By obstore, a thin layer over Rust's object_store: one wheel without dependencies in place of botocore's hundred
thousand lines, its own threads for signing, TLS and checksums in place of our event loop, multipart uploads and
credentials of the machine's role included. It repeats what failed for a few seconds only: the collector does the rest.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as ObjectStore

from ari_bridge.recordings.location import Bucket, StoreKeys
from ari_bridge.recordings.protocol import PIECE_BYTES, StoreFailed

REQUEST_TIMEOUT_S = 60.0
"""For one request with its retries. Each part of a large file is one."""
MIN_BYTES_PER_S = 100_000
"""A slower upload counts as failed: its timeout is what its size takes at this speed, plus REQUEST_TIMEOUT_S."""
PART_BYTES = 16 * 1024 * 1024
"""What is larger goes up in parts of that size. Of a process that is killed meanwhile parts may be left in the bucket:
a lifecycle rule of the bucket (AbortIncompleteMultipartUpload) removes them."""
MAX_CONCURRENT_PARTS = 2

if TYPE_CHECKING:
    from obstore.store import S3Config

T = TypeVar("T")


class S3Store:
    def __init__(self, bucket: Bucket, keys: StoreKeys, *, seconds: float = REQUEST_TIMEOUT_S) -> None:
        self._where = f"s3://{bucket.name}/{bucket.prefix}".rstrip("/")
        self._seconds = seconds
        options: S3Config = {"region": keys.region}
        if keys.endpoint:
            options["endpoint"] = keys.endpoint.rstrip("/")
        if keys.access_key:
            options["access_key_id"], options["secret_access_key"] = keys.access_key, keys.secret_key
        self._store = ObjectStore(
            bucket.name,
            prefix=bucket.prefix or None,
            config=options,
            client_options={
                "allow_http": keys.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=min(5.0, seconds)),
                "read_timeout": timedelta(seconds=seconds),
                "timeout": timedelta(hours=1),  # of a whole transfer; what hangs is found before
            },
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=seconds)},
        )

    @property
    def where(self) -> str:
        return self._where

    async def put(self, name: str, source: Path | bytes) -> None:
        doing = "keep " + name
        try:
            size = await asyncio.to_thread(_size, source)
        except OSError as error:
            raise StoreFailed(self.where, doing, str(error)) from error
        upload = obstore.put_async(
            self._store,
            name,
            source,
            use_multipart=size > PART_BYTES,
            chunk_size=PART_BYTES,
            max_concurrency=MAX_CONCURRENT_PARTS,
        )
        await self._do(doing, upload, size=size)

    async def size(self, name: str) -> int | None:
        try:
            found = await self._do("look for " + name, obstore.head_async(self._store, name))
        except _Missing:
            return None
        return int(found["size"])

    async def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        doing = "read " + name
        if end is not None and start >= end:
            return
        wanted: Any = {"range": (start, end) if end is not None else {"offset": start}} if (start or end) else None
        found = await self._do(doing, obstore.get_async(self._store, name, options=wanted))
        _, end = found.range
        pieces = found.stream(min_chunk_size=PIECE_BYTES)
        while piece := await self._do(doing, anext(pieces, None)):
            start += len(piece)
            yield bytes(piece)
        if start != end:
            raise StoreFailed(self.where, doing, f"it ends after {start} of {end} bytes")

    async def names(self) -> set[str]:
        doing = "list what is there"
        listing = obstore.list(self._store, chunk_size=1000)
        found: set[str] = set()
        while objects := await self._do(doing, anext(listing, None)):
            found.update(item["path"] for item in objects)
        return found

    async def delete(self, name: str) -> bool:
        # S3 does not tell whether there was one.
        if await self.size(name) is None:
            return False
        await self._do("delete " + name, obstore.delete_async(self._store, name))
        return True

    async def close(self) -> None:
        pass

    async def _do(self, doing: str, request: Awaitable[T], *, size: int = 0) -> T:
        seconds = self._seconds + size / MIN_BYTES_PER_S
        try:
            async with asyncio.timeout(seconds):
                return await request
        except TimeoutError as error:
            raise StoreFailed(self.where, doing, f"no answer within {seconds:.0f} s") from error
        except FileNotFoundError as error:
            raise _Missing(self.where, doing, "there is no such file") from error
        except (BaseError, OSError) as error:
            raise StoreFailed(self.where, doing, _first_line(error)) from error


class _Missing(StoreFailed):
    pass


def _size(source: Path | bytes) -> int:
    return len(source) if isinstance(source, bytes) else source.stat().st_size


def _first_line(error: Exception) -> str:
    """obstore's messages go on with the Rust structures that they were made of."""
    return next(filter(None, str(error).splitlines()), type(error).__name__)[:500]
