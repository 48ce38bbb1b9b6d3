"""What a store of recordings has to do: put whole files by name, and read any part of them."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Protocol

from ari_bridge.errors import BridgeError

PIECE_BYTES = 256 * 1024
"""Of what `RecordingStore.read` yields at once."""


class StoreFailed(BridgeError):
    """The store failed; it may work later. `reason`: its own message."""

    code = "store_failed"

    def __init__(self, where: str, doing: str, reason: str) -> None:
        super().__init__(where, doing, reason)
        self.where = where
        self.doing = doing
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.where} failed to {self.doing}: {self.reason}"


class RecordingStore(Protocol):
    """`name` is a file's, without folders. Every method raises StoreFailed, within a deadline of the store's own."""

    @property
    def where(self) -> str:
        """The place, as people know it: a folder, or s3://BUCKET/PREFIX."""

    async def put(self, name: str, source: Path | bytes) -> None:
        """Keep a copy of a file, or bytes: whole or not at all, in place of what has that name. Lasting on return."""

    async def size(self, name: str) -> int | None:
        """Its bytes; None: there is none of that name."""

    def read(self, name: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """Its bytes from `start` up to, not including, `end` (None: to its end), in pieces. No such file: StoreFailed.

        Ending early is a failure too, never a short read.
        """

    async def names(self) -> set[str]:
        """Of all files that are there."""

    async def delete(self, name: str) -> bool:
        """False: it did not exist any more."""

    async def close(self) -> None: ...
