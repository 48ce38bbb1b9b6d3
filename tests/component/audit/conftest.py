"""Audit logs for tests, and what is in them."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ari_bridge.audit import Action, AuditLog, AuditQuery, Entry
from tests.component.call_store.conftest import ROOT


@asynccontextmanager
async def a_log(folder: Path, url: str = "", days: float = 730.0) -> AsyncIterator[AuditLog]:
    log = AuditLog(folder, url=url, days=days)
    log.start("server-1")
    try:
        yield log
    finally:
        await log.close()


async def entries_of(log: AuditLog, action: Action | None = None) -> list[Entry]:
    """Oldest first."""
    page = await log.page(AuditQuery(action=action, limit=500))
    return list(reversed(page.entries))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def killed_writers(folder: Path, names: list[str], url: str = "") -> list[str]:
    """Processes that record at the same time, killed when each has written something; what they said is written."""
    command = [sys.executable, "-m", "tests.component.audit.writer_process", str(folder)]
    processes = [subprocess.Popen([*command, name, url], stdout=subprocess.PIPE, cwd=ROOT) for name in names]
    said: list[str] = []
    try:
        for process in processes:
            assert process.stdout
            for _ in range(9):
                line = process.stdout.readline()
                assert line, "it ended by itself"
                said.append(line.decode().strip())
    finally:
        for process in processes:
            process.kill()
    for process in processes:
        assert process.stdout
        said += [line.decode().strip() for line in process.stdout if line.endswith(b"\n")]
        process.stdout.close()
        process.wait()
    return said
