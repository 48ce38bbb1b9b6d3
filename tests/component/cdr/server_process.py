"""A process that ends calls and says so, until it is killed.

`python -m tests.component.cdr.server_process STATE_DIR NAME [URL]`. A line with the id for each call whose end the
call store has taken.
"""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

import structlog

from ari_bridge.cdr import writer
from tests.component.cdr.conftest import a_server, an_ended_call

AT_ONCE = 5


async def end_calls(state_dir: Path, name: str, url: str) -> None:
    async with a_server(state_dir, url=url) as server:
        for number in count():
            for line in range(AT_ONCE):
                call = an_ended_call(f"{name}.{number}.{line}")
                server.end(call)
                os.write(1, f"{call.id}\n".encode())
            await asyncio.sleep(0.001)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    writer.FIRST_RETRY_S, writer.BATCH_DELAY_S = 0.02, 0.01
    asyncio.run(end_calls(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""))
