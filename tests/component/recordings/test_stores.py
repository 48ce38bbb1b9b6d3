"""What every store does alike, and what only one of them has: on a real folder, and over real HTTP."""

import os
from pathlib import Path

import pytest

from ari_bridge.recordings import RecordingStore, StoreFailed, StoreKeys
from ari_bridge.recordings import s3_store as s3_module
from ari_bridge.recordings.disk_store import ABANDONED_AFTER_S, DiskStore
from ari_bridge.recordings.location import Bucket
from ari_bridge.recordings.s3_store import S3Store
from tests.component.recordings.conftest import PREFIX, keys
from tests.fakes.s3 import FakeS3


async def all_of(store: RecordingStore, name: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.read(name, start, end)])


async def test_what_is_put_is_there(store: RecordingStore, tmp_path: Path) -> None:
    data = os.urandom(700_001)
    (tmp_path / "file").write_bytes(data)
    assert await store.names() == set() and await store.size("a.wav") is None
    await store.put("a.wav", tmp_path / "file")
    await store.put("a.json", b"{}")
    assert await store.names() == {"a.wav", "a.json"}
    assert await store.size("a.wav") == len(data)
    assert await all_of(store, "a.wav") == data
    assert await all_of(store, "a.wav", 100) == data[100:]
    assert await all_of(store, "a.wav", 100, 300_000) == data[100:300_000]
    assert await all_of(store, "a.wav", 0, 1) == data[:1]
    assert await all_of(store, "a.wav", 5, 5) == b""
    await store.put("a.wav", b"another")
    assert await all_of(store, "a.wav") == b"another"


async def test_what_is_deleted_is_gone(store: RecordingStore) -> None:
    await store.put("a.wav", b"sound")
    assert await store.delete("a.wav")
    assert not await store.delete("a.wav")
    assert await store.names() == set()
    with pytest.raises(StoreFailed):
        await all_of(store, "a.wav")


async def test_a_file_that_is_not_there_cannot_be_put(store: RecordingStore, tmp_path: Path) -> None:
    with pytest.raises(StoreFailed):
        await store.put("a.wav", tmp_path / "missing")
    assert await store.names() == set()


async def test_a_folder_is_for_us_alone(disk_store: DiskStore, tmp_path: Path) -> None:
    await disk_store.put("a.wav", b"sound")
    folder = tmp_path / "kept"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "a.wav").stat().st_mode & 0o777 == 0o600


async def test_what_a_dead_process_had_begun_is_swept_away_when_it_is_old(
    disk_store: DiskStore, tmp_path: Path
) -> None:
    await disk_store.put("a.wav", b"sound")
    old, young = tmp_path / "kept" / "b.wav.part", tmp_path / "kept" / "c.wav.part"
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (0, young.stat().st_mtime - ABANDONED_AFTER_S - 60))
    assert await disk_store.names() == {"a.wav"}
    assert not old.exists() and young.exists()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = DiskStore(tmp_path / "file" / "folder")
    with pytest.raises(StoreFailed, match="file/folder failed to keep a.wav"):
        await store.put("a.wav", b"sound")


# --- S3 --------------------------------------------------------------------------------


async def test_objects_are_below_the_prefix_and_only_those_are_listed(s3: FakeS3, s3_store: S3Store) -> None:
    s3.objects["elsewhere/b.wav"] = s3.objects["calls-not.wav"] = b"of others"
    await s3_store.put("a.wav", b"sound")
    assert s3.objects[f"{PREFIX}/a.wav"] == b"sound"
    assert await s3_store.names() == {"a.wav"}


async def test_a_long_listing_is_read_to_its_end(s3: FakeS3, s3_store: S3Store) -> None:
    s3.page = 7
    s3.objects = {f"{PREFIX}/{number}.wav": b"x" for number in range(50)}
    assert len(await s3_store.names()) == 50


async def test_a_large_file_goes_up_in_parts(
    s3: FakeS3, s3_store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_module, "PART_BYTES", 5 * 1024 * 1024)  # the least that S3 takes
    data = os.urandom(12_000_000)
    (tmp_path / "file").write_bytes(data)
    await s3_store.put("a.wav", tmp_path / "file")
    assert s3.objects[f"{PREFIX}/a.wav"] == data
    assert s3.count("PUT") == 3 and s3.parts == {}
    assert await all_of(s3_store, "a.wav", 7_000_000) == data[7_000_000:]


@pytest.mark.parametrize("trouble", ["refuse", "cut", "hang"])
async def test_every_trouble_of_s3_is_a_failure_that_names_it(s3: FakeS3, s3_store: S3Store, trouble: str) -> None:
    await s3_store.put("a.wav", b"sound" * 1000)
    setattr(s3, trouble, 503 if trouble == "refuse" else True)
    with pytest.raises(StoreFailed, match=f"s3://{s3.bucket}/{PREFIX} failed to keep b.wav"):
        await s3_store.put("b.wav", b"sound" * 100_000)
    with pytest.raises(StoreFailed, match="failed to read a.wav"):
        await all_of(s3_store, "a.wav")
    assert f"{PREFIX}/b.wav" not in s3.objects


async def test_s3_out_of_reach_is_a_failure(s3: FakeS3, s3_store: S3Store) -> None:
    await s3.stop()
    with pytest.raises(StoreFailed):
        await s3_store.put("a.wav", b"sound")
    await s3.start()
    await s3_store.put("a.wav", b"sound")


async def test_a_wrong_key_is_told(s3: FakeS3) -> None:
    store = S3Store(Bucket(s3.bucket, PREFIX), StoreKeys(s3.url, s3.region, s3.key, "wrong"), seconds=1.0)
    with pytest.raises(StoreFailed) as caught:
        await store.put("a.wav", b"sound")
    assert "wrong" not in str(caught.value)


async def test_a_bucket_without_a_prefix(s3: FakeS3) -> None:
    store = S3Store(Bucket(s3.bucket, ""), keys(s3), seconds=1.0)
    await store.put("a.wav", b"sound")
    assert s3.objects == {"a.wav": b"sound"} and await store.names() == {"a.wav"}
