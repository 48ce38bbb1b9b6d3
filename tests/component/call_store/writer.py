"""A process that saves calls and says so, until it is killed.

`python -m tests.component.call_store.writer STATE_DIR JOURNAL_DIR NAME`. A line for each save that was
acknowledged: call id, state, and whether the store was healthy.
"""

import asyncio
import os
import sys
import time
from itertools import count
from pathlib import Path

import structlog
from msgspec.structs import replace

from ari_bridge.call_store import SqliteCallStore
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.outcomes import Cause, Outcome

LIFE = (CallState.TRYING, CallState.RINGING, CallState.UP, CallState.ENDING, CallState.ENDED)
AT_ONCE = 5


async def write(state_dir: Path, journal_dir: Path, name: str) -> None:
    store = SqliteCallStore(state_dir, journal_dir=journal_dir, retry_interval_s=0.02)
    await store.start()
    for number in count():
        ids = [f"{name}.{number}.{line}" for line in range(AT_ONCE)]
        calls = [Call(one, Direction.OUTBOUND, "600", "1000", float(number)) for one in ids]
        for state in LIFE:
            for call in calls:
                now = replace(call, state=state)
                if state in (CallState.ENDING, CallState.ENDED):
                    now = replace(now, outcome=Outcome.COMPLETED, cause=Cause(16, "Normal", 200), ended_at=time.time())
                store.save(now)
                os.write(1, f"{now.id} {state.name} {store.healthy}\n".encode())
            await asyncio.sleep(0.001)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(write(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
