"""Call memories on real files, and the ways in which files fail."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ari_bridge.call_store import SqliteCallStore
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.outcomes import Cause, Outcome

ROOT = Path(__file__).parents[3]

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN IMMEDIATE")
sys.stdout.write("locked\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def a_call(call_id: str, state: CallState = CallState.TRYING, **values: Any) -> Call:
    if state is CallState.ENDED:
        values = {"outcome": Outcome.COMPLETED, "cause": Cause(16, "Normal", 200), "ended_at": time.time()} | values
    return Call(call_id, Direction.OUTBOUND, "600", "1000", values.pop("created_at", 1.0), state=state, **values)


RETRY_INTERVAL_S = 0.05


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def journal_dir() -> Iterator[Path]:
    """As in the field, not on the state directory's filesystem, where there is another."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory:
        yield Path(directory)


Open = Callable[[], "asyncio.Future[SqliteCallStore]"]


@pytest.fixture
async def opened(state_dir: Path, journal_dir: Path) -> AsyncIterator[Any]:
    """`await opened()`: the store on `state_dir`, started; the one before is closed."""
    stores: list[SqliteCallStore] = []

    async def open_store(**values: Any) -> SqliteCallStore:
        for before in stores:
            await before.close()
        stores[:] = [SqliteCallStore(state_dir, journal_dir=journal_dir, retry_interval_s=RETRY_INTERVAL_S, **values)]
        await stores[0].start()
        return stores[0]

    yield open_store
    for store in stores:
        await store.close()


@pytest.fixture
def journals(journal_dir: Path) -> Callable[[], list[Path]]:
    return lambda: sorted(journal_dir.iterdir())


@contextmanager
def locked_by_another(file: Path) -> Iterator[None]:
    """Another process holds the write lock, as a backup or a person at the sqlite3 prompt would."""
    command = [sys.executable, "-c", LOCKER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:
        assert locker.stdout and locker.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            locker.kill()


Trouble = Callable[[], AbstractContextManager[None]]
