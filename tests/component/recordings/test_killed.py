"""kill -9 of the process that collects, at any moment: each recording is in the store, once and whole."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ari_bridge.recordings import Filters
from ari_bridge.recordings.s3_store import S3Store
from tests.component.call_store.conftest import ROOT
from tests.component.conftest import until
from tests.component.recordings.conftest import PREFIX, an_archive
from tests.fakes.ari import FakeAri
from tests.fakes.recordings import a_sound
from tests.fakes.s3 import FakeS3

ROUNDS = 5
RECORDINGS = 40


@asynccontextmanager
async def collecting(pbx: FakeAri, s3: FakeS3, state_dir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process; killed when the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.component.recordings.collecting",
        *(pbx.url, pbx.user, pbx.password, "ari-bridge", str(state_dir)),
        *(f"s3://{s3.bucket}/{PREFIX}", s3.url, s3.region, s3.key, s3.secret),
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def test_killed_between_fetch_and_upload(pbx: FakeAri, s3: FakeS3, s3_store: S3Store, tmp_path: Path) -> None:
    pbx.stored = {"call1-rec1": pbx.sound}
    s3.hang = True
    async with collecting(pbx, s3, tmp_path):
        await until(lambda: s3.asked_for(f"{PREFIX}/call1-rec1"), "it is fetched")
    assert (tmp_path / "recordings-spool" / "call1-rec1.wav").read_bytes() == pbx.sound
    assert pbx.stored and s3.objects == {}
    s3.hang = False
    async with an_archive(pbx, s3_store, tmp_path) as archive:
        await archive.kept("call1-rec1")
    assert s3.objects[f"{PREFIX}/call1-rec1.wav"] == pbx.sound and pbx.stored == {}
    assert pbx.count("recordings.getStoredFile") == 1, "it was not fetched twice"


async def test_killed_before_our_copy_was_gone(pbx: FakeAri, s3_store: S3Store, tmp_path: Path) -> None:
    pbx.stored = {"call1-rec1": pbx.sound}
    spool = tmp_path / "recordings-spool"
    spool.mkdir()
    for ending in (".wav", ".kept"):
        (spool / f"call1-rec1{ending}").write_bytes(pbx.sound if ending == ".wav" else b"")
    async with an_archive(pbx, s3_store, tmp_path):
        await until(lambda: not pbx.stored, "Asterisk's copy is deleted")
        await until(lambda: not any(spool.iterdir()), "the spool is empty")


@pytest.mark.timeout(300)
async def test_killed_at_any_moment(pbx: FakeAri, s3: FakeS3, s3_store: S3Store, tmp_path: Path) -> None:
    chance = random.Random(5)
    sounds = {f"call{n}-rec1": a_sound(chance.uniform(0.01, 2.0)) for n in range(RECORDINGS)}
    pbx.stored = dict(sounds)
    for number in range(1, ROUNDS + 1):
        wanted = RECORDINGS * number // (ROUNDS + 1)
        async with collecting(pbx, s3, tmp_path):
            await until(lambda wanted=wanted: len(pbx.stored) <= RECORDINGS - wanted, "some are collected")  # type: ignore[misc]
            await asyncio.sleep(chance.uniform(0.0, 0.05))
        assert not {f"{PREFIX}/{name}.wav" for name in sounds.keys() - pbx.stored.keys()} - s3.objects.keys()
    async with an_archive(pbx, s3_store, tmp_path) as archive:
        await until(lambda: not pbx.stored, "all are collected")
        await archive.kept(*sounds)
        # Of one whose process was killed after Asterisk's copy was deleted, the spool is emptied last of all.
        await until(lambda: not any((tmp_path / "recordings-spool").iterdir()), "the spool is empty")
        assert {one.name for one in archive.library.find(Filters(), limit=1000).recordings} == set(sounds)
    assert {key: data for key, data in s3.objects.items() if key.endswith(".wav")} == {
        f"{PREFIX}/{name}.wav": sound for name, sound in sounds.items()
    }
