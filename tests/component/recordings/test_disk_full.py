"""No room for recordings, on the way or where they are kept: they wait in Asterisk, and nothing is lost."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ari_bridge.recordings.collector import Step
from ari_bridge.recordings.disk_store import DiskStore
from tests.component.call_store.test_disk_full import fill
from tests.component.conftest import until
from tests.component.recordings.conftest import an_archive
from tests.fakes.ari import FakeAri
from tests.fakes.recordings import a_sound


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 1 MB, where mounting is allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no filesystem can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def parts(place: Path) -> list[Path]:
    return list(place.rglob("*.part"))


@pytest.mark.parametrize("full", [Step.FETCH, Step.STORE])
async def test_a_full_disk_delays_and_loses_nothing(small_disk: Path, pbx: FakeAri, tmp_path: Path, full: Step) -> None:
    """FETCH: the state directory is on it; STORE: the store is."""
    state_dir = small_disk / "state" if full is Step.FETCH else tmp_path / "state"
    store = DiskStore(tmp_path / "kept" if full is Step.FETCH else small_disk / "kept")
    pbx.sound = a_sound(10)  # 160 kB
    async with an_archive(pbx, store, state_dir) as archive:
        filler = fill(small_disk)
        await archive.record("call1-rec1")
        await until(lambda: full in archive.collector.troubles, "the operator is told")
        assert "No space left" in archive.collector.troubles[full]
        assert set(pbx.stored) == {"call1-rec1"} and len(archive.library) == 0
        assert parts(small_disk) == [], "what could not be finished takes no room"
        filler.unlink()
        await archive.kept("call1-rec1")
        assert await archive.sound("call1-rec1") == pbx.sound
        assert pbx.stored == {} and archive.collector.troubles == {}
