"""A process that records actions, and says which are written, until it is killed.

`python -m tests.component.audit.writer_process STATE_DIR NAME [URL]`.
"""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

import structlog

from ari_bridge.audit import Action, AuditLog


async def record(state_dir: Path, name: str, url: str) -> None:
    log = AuditLog(state_dir, url=url)
    log.start(name)
    for number in count():
        for line in range(3):
            log.record(Action.USER_LOCK, f"{name}.{number}.{line}")
        await log.flush()
        os.write(1, "".join(f"{name}.{number}.{line}\n" for line in range(3)).encode())


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(record(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""))
