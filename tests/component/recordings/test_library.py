"""What is kept is proved, listed from memory, and follows what others do to the store."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ari_bridge.recordings import Filters, Library, Recording, RecordingStore, StoreFailed
from ari_bridge.recordings.recording import encode
from ari_bridge.recordings.s3_store import S3Store
from tests.component.conftest import until
from tests.component.recordings.conftest import PREFIX
from tests.fakes.recordings import a_sound
from tests.fakes.s3 import FakeS3


def a_recording(name: str, sound: bytes, *, started_at: float = 5.0) -> Recording:
    call_id = name.partition("-")[0]
    sha256 = hashlib.sha256(sound).hexdigest()
    return Recording(name, call_id, "1001", "1001", "600", started_at, 0.1, len(sound), sha256)


@pytest.fixture
def a_file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "sound"
        path.write_bytes(data)
        return path

    return write


File = Callable[[bytes], Path]


async def test_one_that_is_added_is_listed_also_by_the_next_process(
    store: RecordingStore, tmp_path: Path, a_file: File
) -> None:
    sound = a_sound()
    recording = a_recording("call1-rec1", sound)
    library = Library(store, tmp_path / "state")
    await library.sync()
    assert await library.add(recording, a_file(sound)) == recording
    assert library.find(Filters(user="1001")).recordings == [recording]
    assert b"".join([piece async for piece in library.read(recording, 44, 50)]) == sound[44:50]

    again = Library(store, tmp_path / "state", days=1e6)
    await again.start()
    assert again.get("call1-rec1") == recording
    await again.close()
    elsewhere = Library(store, tmp_path / "fresh", days=1e6)  # the list was lost
    await elsewhere.sync()
    assert elsewhere.get("call1-rec1") == recording


async def test_added_twice_it_is_sent_once(s3: FakeS3, s3_store: S3Store, tmp_path: Path, a_file: File) -> None:
    library, sound = Library(s3_store, tmp_path), a_sound()
    for _ in range(2):
        await library.add(a_recording("call1-rec1", sound), a_file(sound))
    assert [key for asked, key in s3.requests if asked == "PUT"].count(f"{PREFIX}/call1-rec1.wav") == 1
    assert len(library) == 1


async def test_none_is_ever_overwritten(store: RecordingStore, tmp_path: Path, a_file: File) -> None:
    """A client that chooses its call ids may choose one of last month's."""
    library, old, new = Library(store, tmp_path), a_sound(0.1), a_sound(0.2)
    await library.add(a_recording("call1-rec1", old), a_file(old))
    for _ in range(2):
        kept = await library.add(a_recording("call1-rec1", new, started_at=9.0), a_file(new))
        assert kept.name == "call1-rec1.1"
    assert {name: await store.size(f"{name}.wav") for name in ("call1-rec1", "call1-rec1.1")} == {
        "call1-rec1": len(old),
        "call1-rec1.1": len(new),
    }


async def test_a_store_that_gives_back_something_else_has_not_kept_it(
    s3: FakeS3, s3_store: S3Store, tmp_path: Path, a_file: File
) -> None:
    library, sound = Library(s3_store, tmp_path), a_sound()
    s3.garble = True
    with pytest.raises(StoreFailed, match="not what it was given"):
        await library.add(a_recording("call1-rec1", sound), a_file(sound))
    assert len(library) == 0
    s3.garble = False
    await library.add(a_recording("call1-rec1", sound), a_file(sound))
    assert s3.objects[f"{PREFIX}/call1-rec1.wav"] == sound


async def test_it_follows_what_others_do(store: RecordingStore, tmp_path: Path, a_file: File) -> None:
    sound = a_sound()
    ours, theirs = Library(store, tmp_path / "ours"), Library(store, tmp_path / "theirs")
    await ours.add(a_recording("call1-rec1", sound), a_file(sound))
    await theirs.add(a_recording("call2-rec1", sound), a_file(sound))
    await theirs.sync()
    await theirs.delete("call1-rec1")
    await ours.sync()
    assert [one.name for one in ours.find(Filters()).recordings] == ["call2-rec1"]


async def test_a_delete_that_was_cut_off_is_finished(store: RecordingStore, tmp_path: Path) -> None:
    recording = a_recording("call1-rec1", a_sound())
    await store.put("call1-rec1.json", encode(recording))
    await store.put("call2-rec1.json", b"not JSON")
    await store.put("call2-rec1.wav", a_sound())
    await store.put("notes.txt", b"of the operator's")
    library = Library(store, tmp_path)
    await library.sync()
    assert len(library) == 0
    assert await store.names() == {"call2-rec1.json", "call2-rec1.wav", "notes.txt"}


async def test_old_ones_are_deleted(store: RecordingStore, tmp_path: Path, a_file: File) -> None:
    sound = a_sound()
    library = Library(store, tmp_path, days=1)
    await library.add(a_recording("old1-rec1", sound, started_at=time.time() - 90_000), a_file(sound))
    await library.add(a_recording("new1-rec1", sound, started_at=time.time() - 80_000), a_file(sound))
    await library.sync()
    await library.delete_expired()
    assert await store.names() == {"new1-rec1.wav", "new1-rec1.json"}
    assert library.get("old1-rec1") is None and library.get("new1-rec1")


async def test_one_that_cannot_be_deleted_is_still_listed(
    s3: FakeS3, s3_store: S3Store, tmp_path: Path, a_file: File
) -> None:
    library, sound = Library(s3_store, tmp_path), a_sound()
    await library.add(a_recording("call1-rec1", sound), a_file(sound))
    s3.refuse = 503
    with pytest.raises(StoreFailed):
        await library.delete("call1-rec1")
    assert library.get("call1-rec1")
    s3.refuse = 0
    await library.delete("call1-rec1")
    await library.delete("call1-rec1")
    assert s3.objects == {} and len(library) == 0


async def test_a_store_that_is_away_at_the_start_is_listed_later(
    s3: FakeS3, s3_store: S3Store, tmp_path: Path, a_file: File
) -> None:
    sound = a_sound()
    await Library(s3_store, tmp_path / "before").add(a_recording("call1-rec1", sound), a_file(sound))
    s3.refuse = 503
    library = Library(s3_store, tmp_path, days=1e6)
    await library.start()
    await until(lambda: library.health.reason, "it is told")
    s3.refuse = 0
    await until(lambda: library.get("call1-rec1"), "it is listed")
    await until(lambda: not library.health.reason, "it is told to be over")
    await library.close()
