"""A process that saves calls with their events, and says which events it was told of, until it is killed.

`python -m tests.component.call_store.event_writer STATE_DIR JOURNAL_DIR NAME`. A line for each event that was written:
its number, name, call id and data, as JSON; and whether the store was healthy.
"""

import asyncio
import os
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec.structs import replace

from ari_bridge.call_store import SqliteCallStore
from ari_bridge.event_log import LoggedEvent
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.hooks import AriReceived, CallChanged, CallStarted, QualityReported
from ari_bridge.outcomes import Cause, Outcome
from tests.component.call_store.writer import LIFE


class Told(msgspec.Struct, frozen=True):
    number: int
    name: str
    call_id: str | None
    data: Any
    healthy: bool = True

    @classmethod
    def of(cls, event: LoggedEvent, healthy: bool = True) -> "Told":
        return cls(event.number, event.name, event.call_id, msgspec.json.decode(event.data), healthy)


async def write(state_dir: Path, journal_dir: Path, name: str) -> None:
    store = SqliteCallStore(state_dir, journal_dir=journal_dir, retry_interval_s=0.02)
    told = 0

    def tell() -> None:
        nonlocal told
        for event in store.events.recent:
            if event.number > told:
                told = event.number
                os.write(1, msgspec.json.encode(Told.of(event, store.healthy)) + b"\n")

    store.events.listeners.append(tell)
    await store.start()
    for number in count():
        call = Call(f"{name}.{number}", Direction.OUTBOUND, "600", "1000", float(number))
        for state in LIFE:
            call = replace(call, state=state)
            if state in (CallState.ENDING, CallState.ENDED):
                call = replace(call, outcome=Outcome.COMPLETED, cause=Cause(16, "Normal", 200), ended_at=time.time())
            store.events.append(AriReceived("ChannelVarset", {"type": "ChannelVarset", "n": number}, call_id=call.id))
            store.save(call, [CallStarted(call) if state is CallState.TRYING else CallChanged(call)])
            store.events.append(QualityReported(call.id, {"state": state.value}))
            await asyncio.sleep(0.001)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(write(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
