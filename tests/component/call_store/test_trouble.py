"""A file that cannot be written: calls go on, the operator is told, and what was set aside is written later."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from ari_bridge import metrics
from ari_bridge.call_store import Key, SqliteCallStore, StoreRefused, database_handle, spill_journal, write_buffer
from ari_bridge.call_store.sqlite_file import checkpoint
from ari_bridge.fsm.call import CallState
from tests.component.call_store.conftest import a_call, locked_by_another
from tests.component.conftest import until

NOBODY = 65534


async def healed(store: SqliteCallStore) -> None:
    await until(lambda: store.healthy, "the store writes again")
    assert store.reason == ""


async def test_a_file_that_is_locked_for_two_seconds(opened: Any, journals: Any) -> None:
    store = await opened()
    store.save(a_call("before"))
    failures = metrics.STORE_WRITE_FAILURES._value.get()
    with structlog.testing.capture_logs() as logs:
        with locked_by_another(store.path):
            store.save(a_call("during"))
            assert not store.healthy and store.reason == f"{store.path}: database is locked"
            assert metrics.STORE_HEALTHY._value.get() == 0
            for number in range(100):
                store.save(a_call(f"during{number}"))
                store.save(a_call(f"during{number}", CallState.ENDED))
            store.save(a_call("before", CallState.UP))
            assert store.get("before").state is CallState.UP
            assert len(journals()) == 1 and journals()[0].stat().st_mode & 0o777 == 0o600
            await asyncio.sleep(2)
            assert not store.healthy
        await healed(store)
    assert metrics.STORE_HEALTHY._value.get() == 1
    assert metrics.STORE_WRITE_FAILURES._value.get() - failures == 202
    assert [entry["log_level"] for entry in logs] == ["error", "warning"], "one line when it breaks, one when it heals"
    assert journals() == []
    store = await opened()
    assert [(call.id, call.state) for call in store.live()] == [
        ("before", CallState.UP),
        ("during", CallState.TRYING),
    ]
    assert all(store.get(f"during{number}").state is CallState.ENDED for number in range(100))


async def test_a_start_waits_a_little_for_a_locked_file(opened: Any) -> None:
    store = await opened()
    store.save(a_call("call"))
    await store.close()
    store.path.unlink(missing_ok=False)
    sqlite3.connect(store.path).close()  # empty: to be made anew, which needs the lock
    with locked_by_another(store.path):
        starting = asyncio.create_task(opened())
        await asyncio.sleep(0.3)
        assert not starting.done()
    assert (await starting).healthy


# --- the file, or its folder, is not what it was --------------------------------------


async def test_a_folder_that_is_deleted_is_made_again_with_every_live_call(opened: Any, journals: Any) -> None:
    store = await opened()
    for name in ("quiet", "busy"):
        store.save(a_call(name))
    shutil.rmtree(store.path.parent)
    store.save(a_call("busy", CallState.UP))
    assert not store.healthy and "was deleted or replaced" in store.reason
    assert journals(), "a process killed now loses neither"
    await healed(store)
    store.save(a_call("next"))
    store = await opened()
    assert [call.id for call in store.live()] == ["quiet", "busy", "next"]
    assert store.get("busy").state is CallState.UP


async def test_a_folder_that_is_deleted_is_noticed_though_no_call_changes(opened: Any, state_dir: Path) -> None:
    store = await opened()
    store.save(a_call("quiet"))
    store.save(a_call("over", CallState.ENDED))
    store.keys.put(Key("user", "key", "what", "quiet", time.time()))
    name = store.instance
    shutil.rmtree(state_dir)
    await until(lambda: not store.healthy, "it is noticed")
    await healed(store)
    assert {"calls.lock", "calls.sqlite3", "instance"} <= set(os.listdir(state_dir))
    with pytest.raises(StoreRefused, match="in use"):
        await SqliteCallStore(state_dir).start()
    store = await opened()
    assert [call.id for call in store.live()] == ["quiet"]
    assert store.get("over").state is CallState.ENDED, "what has ended is read out of the file that was deleted"
    assert store.keys.get("user", "key")
    assert store.instance == name


async def test_the_lock_and_the_name_alone_are_written_again_too(opened: Any, state_dir: Path) -> None:
    store = await opened()
    name = store.instance
    for file in ("calls.lock", "instance"):
        (state_dir / file).unlink()
    await until(lambda: (state_dir / "calls.lock").exists() and (state_dir / "instance").exists(), "both again")
    assert store.healthy
    assert (await opened()).instance == name


async def test_a_copy_of_the_folder_has_a_name_of_its_own(opened: Any, state_dir: Path, tmp_path: Path) -> None:
    store = await opened()
    shutil.copytree(state_dir, tmp_path / "copy")
    other = SqliteCallStore(tmp_path / "copy", journal_dir=tmp_path)
    await other.start()
    assert other.instance and other.instance != store.instance
    await other.close()


async def test_a_file_that_is_replaced_is_written_with_every_live_call(opened: Any, tmp_path: Path) -> None:
    store = await opened()
    store.save(a_call("quiet"))
    await store.close()
    backup = shutil.copy(store.path, tmp_path / "backup")
    store = await opened()
    store.save(a_call("young"))
    os.rename(backup, store.path)
    store.save(a_call("next"))
    assert not store.healthy
    await healed(store)
    store = await opened()
    assert {call.id for call in store.live()} == {"quiet", "young", "next"}


async def test_another_front_end_that_took_the_folder_meanwhile_keeps_it(
    opened: Any, state_dir: Path, journal_dir: Path
) -> None:
    store = await opened()
    shutil.rmtree(state_dir)
    other = SqliteCallStore(state_dir, journal_dir=journal_dir / "..")
    await other.start()
    store.save(a_call("call"))
    await until(lambda: "is in use by another front end" in store.reason, "the lock is met")
    assert not store.healthy
    await other.close()
    await healed(store)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may write everywhere: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """A folder that nobody may reach too, with places for state and journal that are nobody's."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        for name in ("state", "journal"):
            (Path(directory) / name).mkdir()
            if os.geteuid() == 0:
                os.chown(Path(directory) / name, NOBODY, NOBODY)
        yield Path(directory)


async def test_a_folder_that_may_not_be_written_stops_no_start(public_dir: Path) -> None:
    state, spill = public_dir / "state", public_dir / "journal"
    with unprivileged():
        store = SqliteCallStore(state, journal_dir=spill)
        await store.start()
        store.save(a_call("before"))
        await store.close()

        for file in (*state.iterdir(), state):
            file.chmod(0o500 if file is state else 0o400)
        store = SqliteCallStore(state, journal_dir=spill)
        await store.start()
        assert not store.healthy and "attempt to write a readonly" in store.reason or "denied" in store.reason
        assert [call.id for call in store.live()] == ["before"]
        store.save(a_call("during"))
        assert len(list(spill.iterdir())) == 1
        await store.close()

        store = SqliteCallStore(state, journal_dir=spill)
        await store.start()
        assert {call.id for call in store.live()} == {"before", "during"}
        state.chmod(0o700)
        for file in state.iterdir():
            file.chmod(0o600)
        await healed(store)
        await store.close()
        store = SqliteCallStore(state, journal_dir=spill)
        await store.start()
        assert store.healthy and {call.id for call in store.live()} == {"before", "during"}
        await store.close()


async def test_a_folder_that_cannot_be_made_stops_no_start(tmp_path: Path, journal_dir: Path) -> None:
    (tmp_path / "file").write_text("")
    store = SqliteCallStore(tmp_path / "file" / "state", journal_dir=journal_dir)
    await store.start()
    assert not store.healthy and "file" in store.reason
    store.save(a_call("call"))
    assert store.get("call") and store.get("other") is None
    (tmp_path / "file").unlink()
    await healed(store)
    await store.close()


# --- corrupt files ----------------------------------------------------------------------


def kept_aside(state_dir: Path) -> list[Path]:
    return [file for file in state_dir.iterdir() if ".corrupt-" in file.name and not file.name.endswith(("wal", "shm"))]


async def test_a_file_of_rubbish_is_kept_and_a_new_one_begun(opened: Any, state_dir: Path) -> None:
    os.mkdir(state_dir)
    rubbish = b"no database at all" * 1000
    (state_dir / database_handle.FILE).write_bytes(rubbish)
    with structlog.testing.capture_logs() as logs:
        store = await opened()
    (told,) = (entry for entry in logs if "CORRUPT" in entry["event"])
    assert store.healthy
    assert [file.read_bytes() for file in kept_aside(state_dir)] == [rubbish]
    assert told["log_level"] == "error" and told["kept_as"] == str(kept_aside(state_dir)[0])
    store.save(a_call("call"))
    assert [call.id for call in (await opened()).live()] == ["call"]


async def test_a_database_of_somebody_else_is_kept(opened: Any, state_dir: Path) -> None:
    os.mkdir(state_dir)
    connection = sqlite3.connect(state_dir / database_handle.FILE)
    connection.executescript("CREATE TABLE calls (number); PRAGMA user_version = 1;")
    connection.close()
    store = await opened()
    assert store.healthy and len(kept_aside(state_dir)) == 1


async def test_what_can_be_read_of_a_damaged_file_is_taken_over(opened: Any, state_dir: Path) -> None:
    store = await opened()
    for number in range(2000):
        store.save(a_call(f"call{number}", CallState.UP if number % 100 == 7 else CallState.ENDED))
    await store.close()
    damage(store.path, 0.6, 0.62)
    with structlog.testing.capture_logs():
        store = await opened()
        lost = [number for number in range(2000) if not store.get(f"call{number}")]
        await until(lambda: kept_aside(state_dir), "the damage is met")
        await healed(store)
        lost = [number for number in range(2000) if not store.get(f"call{number}")]
    assert 0 < len(lost) < 200
    assert len(store.live()) >= 18
    store = await opened()
    assert not any(store.get(f"call{number}") for number in lost)
    assert store.healthy and len(store.live()) >= 18
    assert len(kept_aside(state_dir)) == 1


async def test_a_file_that_is_damaged_in_use_loses_no_live_call(opened: Any, state_dir: Path) -> None:
    store = await opened()
    for number in range(5000):  # more than SQLite keeps in memory
        store.save(a_call(f"call{number}", CallState.UP if number % 100 == 7 else CallState.ENDED))
    await asyncio.to_thread(checkpoint, store.path)
    damage(store.path, 0.0, 1.0)
    with structlog.testing.capture_logs() as logs:
        for number in range(5000):  # some of the file is in SQLite's own memory still, and is well
            store.get(f"call{number}")
        store.save(a_call("next"))
        assert not store.healthy
        await healed(store)
    assert len(kept_aside(state_dir)) == 1
    assert any("CORRUPT" in entry["event"] for entry in logs)
    store = await opened()
    assert {call.id for call in store.live()} == {f"call{number}" for number in range(7, 5000, 100)} | {"next"}


def damage(file: Path, begin: float, end: float) -> None:
    """Overwrite a part of it, as another process would."""
    size = file.stat().st_size
    script = "import os, sys; os.pwrite(os.open(sys.argv[1], os.O_WRONLY), b'#' * int(sys.argv[3]), int(sys.argv[2]))"
    arguments = [str(file), str(int(size * begin)), str(int(size * (end - begin)))]
    subprocess.run([sys.executable, "-c", script, *arguments], check=True)


# --- the journal -------------------------------------------------------------------------


@contextmanager
def in_trouble(store: SqliteCallStore) -> Iterator[None]:
    with locked_by_another(store.path):
        store.save(a_call("first"))
        assert not store.healthy
        yield


def spilled(store: SqliteCallStore, journal_dir: Path) -> Path:
    return journal_dir / spill_journal.name(store.path.parent)


async def test_a_journal_is_replayed_up_to_its_torn_line(opened: Any, journal_dir: Path) -> None:
    store = await opened()
    with in_trouble(store):
        store.save(a_call("second"))
        store.save(a_call("first", CallState.UP))
        left = spilled(store, journal_dir).read_bytes()
        await store.close()
    lines = left.splitlines(keepends=True)
    torn = lines[-1][: len(lines[-1]) // 2]
    spilled(store, journal_dir).write_bytes(b"".join(lines) + torn)
    store = await opened()
    assert {(call.id, call.state) for call in store.live()} == {
        ("first", CallState.UP),
        ("second", CallState.TRYING),
    }
    assert not spilled(store, journal_dir).exists()


async def test_an_old_journal_takes_nothing_back(opened: Any, journal_dir: Path) -> None:
    """It was written to the database, but the process died before it was removed."""
    store = await opened()
    with in_trouble(store):
        left = spilled(store, journal_dir).read_bytes()
    await healed(store)
    store.save(a_call("first", CallState.ENDED))
    await store.close()
    spilled(store, journal_dir).write_bytes(left)
    spilled(store, journal_dir).chmod(0o600)
    with locked_by_another(store.path):
        store = await opened()
        assert store.live() == [] and store.get("first").state is CallState.ENDED
    store = await opened()
    assert not spilled(store, journal_dir).exists()
    assert store.live() == [] and store.get("first").state is CallState.ENDED


async def test_a_journal_that_is_deleted_is_written_again_whole(opened: Any, journal_dir: Path) -> None:
    store = await opened()
    with in_trouble(store):
        spilled(store, journal_dir).unlink()
        store.save(a_call("second"))
        assert len(spilled(store, journal_dir).read_bytes().splitlines()) == 2


async def test_a_journal_of_many_outdated_lines_is_made_small(
    opened: Any, journal_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spill_journal, "MIN_REWRITE_BYTES", 10_000)
    store = await opened()
    with in_trouble(store):
        for number in range(500):
            store.save(a_call("first", user=f"user{number}"))
        assert spilled(store, journal_dir).stat().st_size < 12_000


async def test_more_than_memory_has_room_for_is_in_the_journal(
    opened: Any, monkeypatch: pytest.MonkeyPatch, journals: Any
) -> None:
    monkeypatch.setattr(write_buffer, "MAX_ROWS", 10)
    store = await opened()
    with in_trouble(store):
        for number in range(50):
            store.save(a_call(f"call{number}", CallState.ENDED))
        assert len(store._buffer.rows) == 10
        assert store.get("first")
    await healed(store)
    assert all(store.get(f"call{number}") for number in range(50))
    assert journals() == []


async def test_where_nothing_can_be_written_calls_go_on_in_memory(opened: Any, journal_dir: Path) -> None:
    store = await opened()
    os.rmdir(journal_dir)
    try:
        with structlog.testing.capture_logs() as logs, in_trouble(store):
            store.save(a_call("second"))
            assert store.get("second")
            assert "nor can the journal" in store.reason
        assert sum("if this process were killed" in entry["event"] for entry in logs) == 1
        await healed(store)
        assert store.get("second")
    finally:
        os.mkdir(journal_dir)


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "open to all", "somebody else's"])
async def test_a_journal_that_is_not_ours_is_not_trusted(
    kind: str, opened: Any, state_dir: Path, journal_dir: Path, tmp_path: Path
) -> None:
    row = {"id": "forged", "revision": 1, "created_at": 1.0, "ended_at": None, "record": {"id": "forged"}}
    planted = journal_dir / spill_journal.name(state_dir)
    if kind == "fifo":
        os.mkfifo(planted)
    elif kind == "directory":
        planted.mkdir()
    else:
        real = tmp_path / "planted" if kind == "link" else planted
        real.write_bytes(msgspec.json.encode(row) + b"\n")
        real.chmod(0o666 if kind == "open to all" else 0o600)
        if kind == "link":
            planted.symlink_to(real)
        if kind == "somebody else's":
            if os.geteuid() != 0:
                pytest.skip("only root can give files away")
            os.chown(planted, NOBODY, NOBODY)
    store = await opened()
    assert store.live() == [] and store.healthy
    with in_trouble(store):
        assert store.get("first")
        assert "nor can" not in store.reason
    await healed(store)
