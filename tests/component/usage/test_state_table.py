"""Values outlive the process, a deleted file and one that is broken."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ari_bridge.usage import StateTable
from tests.component.conftest import until

LATER = time.time() + 3600


async def opened(path: Path) -> StateTable:
    table = StateTable(path)
    await table.start()
    return table


async def test_values_outlive_the_process(tmp_path: Path) -> None:
    table = await opened(tmp_path / "usage.db")
    table.set("a", {"n": 1}, LATER)
    table.set("b", 2, LATER)
    table.set("over", 3, time.time() - 1)
    table.delete("b")
    await table.close()
    table = await opened(tmp_path / "usage.db")
    assert table.items("") == [("a", {"n": 1})]
    assert (tmp_path / "usage.db").stat().st_mode & 0o777 == 0o600
    await table.close()


PROGRAM = """
import asyncio, sys, time
from pathlib import Path
from ari_bridge.usage import StateTable
async def main():
    table = StateTable(Path(sys.argv[1]))
    await table.start()
    for number in range(1000):
        table.set(f"k{number}", number, time.time() + 3600)
        await asyncio.sleep(0)
    while table._changed or table._lock.locked():
        await asyncio.sleep(0.001)
    print("written", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE)  # noqa: ASYNC220
    assert process.stdout
    assert await asyncio.to_thread(process.stdout.readline) == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    table = await opened(path)
    assert len(table.items("k")) == 1000
    await table.close()


async def test_a_deleted_file_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    table = await opened(path)
    table.set("a", 1, LATER)
    await until(lambda: not table._changed)
    for part in ("usage.db", "usage.db-wal", "usage.db-shm"):
        os.unlink(tmp_path / part)
    table.set("b", 2, LATER)
    await until(path.exists)
    await table.close()
    table = await opened(path)
    assert sorted(table.items("")) == [("a", 1), ("b", 2)]
    await table.close()


async def test_a_broken_file_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    path.write_bytes(os.urandom(8192))
    table = await opened(path)
    assert table.items("") == [] and (tmp_path / "usage.db.unreadable").exists()
    table.set("a", 1, LATER)
    await table.close()
    table = await opened(path)
    assert table.get("a") == 1
    await table.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o500)
    table = await opened(tmp_path / "usage.db")
    table.set("a", 1, LATER)
    await until(lambda: table.reason)
    assert table.get("a") == 1
    os.chmod(tmp_path, 0o700)
    await until(lambda: not table.reason)
    await table.close()
