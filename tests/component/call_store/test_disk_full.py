"""No room for the database: calls go on, nothing is lost, and it heals by itself."""

import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ari_bridge.fsm.call import CallState
from tests.component.call_store.conftest import a_call
from tests.component.call_store.test_killed import Writer, missing
from tests.component.conftest import until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 16 MB, where mounting is allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no filesystem can be mounted here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


@pytest.fixture
def state_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if "small_disk" not in request.fixturenames:
        return tmp_path / "state"
    place: Path = request.getfixturevalue("small_disk")
    return place / "state"


def fill(place: Path) -> Path:
    """Take all the room that is left."""
    filler = place / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


async def test_a_full_disk_stops_no_call_and_loses_nothing(small_disk: Path, opened: Any, journals: Any) -> None:
    store = await opened()
    store.save(a_call("before"))
    filler = fill(small_disk)
    for number in range(200):  # the first ones may still find room in what the log has
        store.save(a_call(f"during{number}"))
        store.save(a_call(f"during{number}", CallState.ENDED))
    assert not store.healthy
    assert "full" in store.reason
    assert journals()
    assert store.get("before") and store.get("during199").state is CallState.ENDED

    store = await opened()  # a new process, and the disk still full
    assert not store.healthy
    assert [call.id for call in store.live()] == ["before"]
    assert store.get("during199").state is CallState.ENDED
    store.save(a_call("later"))

    filler.unlink()
    await until(lambda: store.healthy, "the store writes again")
    assert store.reason == "" and journals() == []
    store = await opened()
    assert {call.id for call in store.live()} == {"before", "later"}
    assert all(store.get(f"during{number}").state is CallState.ENDED for number in range(200))


async def test_a_process_killed_while_its_disk_is_full_has_lost_nothing(
    small_disk: Path, journal_dir: Path, state_dir: Path, opened: Any
) -> None:
    with Writer.writing(state_dir, journal_dir, "writer") as writer:
        writer.read(0.05)
        fill(small_disk)
        while writer.unhealthy < 100:
            writer.read(0.01)
        writer.kill()
    store = await opened()
    assert not store.healthy
    assert {call.id for call in store.live()} >= {
        call_id for call_id, state in writer.acknowledged.items() if state in (CallState.TRYING, CallState.UP)
    }
    (small_disk / "filler").unlink()
    await until(lambda: store.healthy, "the store writes again")
    assert missing(store, writer.acknowledged) == []


async def test_a_file_that_may_not_grow_stops_no_call(state_dir: Path, journal_dir: Path, opened: Any) -> None:
    """The same by a limit on the size of files, which needs no privilege. The journal is smaller than it."""
    with Writer.writing(state_dir, journal_dir, "writer") as writer:
        pid, log = writer.process.pid, f"{state_dir}/calls.sqlite3-wal"
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        for last in (False, True):
            while os.stat(log).st_size < 1_000_000:
                writer.read(0.01)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (os.stat(log).st_size, most))
            writer.unhealthy = 0
            while writer.unhealthy < 100:
                writer.read(0.01)
            if last:
                writer.kill()
                break
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
            while not writer.healthy:
                writer.read(0.01)
    store = await opened()
    assert store.healthy
    assert missing(store, writer.acknowledged) == []
