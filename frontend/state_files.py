"""Restores small files of the state directory whose content is in memory, if they are deleted while the server runs.

The call store looks after its own (`ari_bridge/call_store/maintenance.py`).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from ari_bridge import tasks

CHECK_INTERVAL_S = 1.0
OUTGOING_FILE = "outgoing.json"
"""Whether outgoing calls are stopped: `dial_permissions.OutgoingSwitch`."""

log = structlog.get_logger(__name__)


class StateFiles:
    """Watches files and writes them again."""

    def __init__(self) -> None:
        self._files: dict[Path, Callable[[], None]] = {}
        self._seen: set[Path] = set()
        self._failed: set[Path] = set()  # logged once
        self._checking: asyncio.Task[None] | None = None

    def add(self, path: Path, write: Callable[[], None]) -> None:
        """Watch the file once it exists. `write` writes it again: quick, raises OSError."""
        self._files[path] = write
        if path.exists():
            self._seen.add(path)

    async def start(self) -> None:
        self._checking = asyncio.create_task(self._check_loop(), name="state files")

    async def close(self) -> None:
        await tasks.cancel(self._checking)

    async def _check_loop(self) -> None:
        while True:
            for path, write in self._files.items():
                self._check(path, write)
            await asyncio.sleep(CHECK_INTERVAL_S)

    def _check(self, path: Path, write: Callable[[], None]) -> None:
        if path.exists():
            self._seen.add(path)
            return
        if path not in self._seen:
            return
        try:
            write()
        except OSError as error:
            if path not in self._failed:
                log.error("cannot restore a deleted file: still trying", file=str(path), reason=str(error))
            self._failed.add(path)
        else:
            self._failed.discard(path)
            log.error("restored a deleted file of the state directory", file=str(path))
