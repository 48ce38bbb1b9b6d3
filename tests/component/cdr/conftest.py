"""Call detail records on real files, beside a real call store."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ari_bridge.call_store import SqliteCallStore
from ari_bridge.cdr import Cdr, CdrService, Query, database, writer
from ari_bridge.errors import UnknownCall
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.hooks import CallEnded, CallReleased, Hooks
from ari_bridge.outcomes import Cause, Outcome

NOW = 1764000000.0


def an_ended_call(call_id: str, **values: Any) -> Call:
    base: dict[str, Any] = {
        "id": call_id,
        "direction": Direction.OUTBOUND,
        "target": "600",
        "caller": "1000",
        "created_at": NOW,
        "state": CallState.ENDED,
        "user": "alice",
        "outcome": Outcome.COMPLETED,
        "cause": Cause(16, "Normal Clearing", 200),
        "ended_at": NOW + 60,
    }
    return Call(**base | values)


def spoil(file: Path) -> None:
    """A file that is no database, in the place of one."""
    file.parent.mkdir(mode=0o700)
    file.write_bytes(b"no database, but somebody's " * 400)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(writer, "MAX_RETRY_S", 0.1)
    monkeypatch.setattr(writer, "BATCH_DELAY_S", 0.01)
    monkeypatch.setattr(database, "CONNECT_TIMEOUT_S", 0.1)  # also how long a file may be locked


@dataclass
class Server:
    """What of a server is needed for records."""

    store: SqliteCallStore
    hooks: Hooks
    records: CdrService

    def end(self, call: Call) -> None:
        """As the engine does it: decided, then released."""
        ending = replace(call, state=CallState.ENDING)
        self.store.save(ending)
        self.hooks.emit(CallEnded(ending))
        self.store.save(call)
        self.hooks.emit(CallReleased(call))

    async def row(self, call_id: str) -> Cdr | None:
        try:
            return await self.records.get(call_id)
        except UnknownCall:
            return None

    async def ids(self) -> set[str]:
        return {cdr.call_id for cdr in (await self.records.page(Query(limit=500))).cdrs}


@asynccontextmanager
async def a_server(
    state_dir: Path, *, records_dir: Path | None = None, url: str = "", days: float = 36500, started: bool = True
) -> AsyncIterator[Server]:
    """One process' worth. `records_dir`: where the records go, when not to `state_dir`."""
    async with AsyncExitStack() as opened:
        store, hooks = SqliteCallStore(state_dir, days=36500, journal_dir=state_dir), Hooks()
        opened.callback(hooks.close)
        await store.start()
        opened.push_async_callback(store.close)
        records = CdrService(store, hooks, state_dir=records_dir or state_dir, url=url, days=days)
        opened.push_async_callback(records.close)
        if started:
            await records.start()
        yield Server(store, hooks, records)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
async def server(state_dir: Path) -> AsyncIterator[Server]:
    async with a_server(state_dir) as server:
        yield server
