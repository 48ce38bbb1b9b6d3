"""Whoever stops reading leaves no file open, whenever that is."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path

import pytest

from ari_bridge.recordings.disk_store import DiskStore


async def test_a_file_that_nobody_waits_for_any_more_is_closed_once_it_opens(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "one.wav")  # it opens when somebody opens its other end, as a slow mount does

    async def read() -> None:
        async with aclosing(DiskStore(tmp_path).read("one.wav")) as pieces:
            async for _ in pieces:
                pass

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    writer = await asyncio.to_thread(os.open, tmp_path / "one.wav", os.O_WRONLY)
    try:
        with pytest.raises(BrokenPipeError):
            async with asyncio.timeout(5):
                while True:
                    os.write(writer, b"x")
                    await asyncio.sleep(0.05)
    finally:
        os.close(writer)


async def test_a_file_that_is_read_in_part_is_closed(tmp_path: Path) -> None:
    (tmp_path / "one.wav").write_bytes(bytes(3_000_000))
    before = len(os.listdir("/proc/self/fd"))
    async with aclosing(DiskStore(tmp_path).read("one.wav")) as pieces:
        async for _ in pieces:
            assert len(os.listdir("/proc/self/fd")) == before + 1
            break
    assert len(os.listdir("/proc/self/fd")) == before
