"""The call store where nothing is wrong."""

import asyncio
import os
import sqlite3
import stat
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import structlog
from msgspec.structs import replace

from ari_bridge.call_store import SqliteCallStore, StoreRefused, call_writer, sqlite_file
from ari_bridge.fsm.call import CallState, MediaLeg
from tests.component.call_store.conftest import a_call, locked_by_another
from tests.component.call_store.writer import LIFE
from tests.component.conftest import until


def log_size(store: SqliteCallStore) -> int:
    return os.stat(f"{store.path}-wal").st_size


async def test_live_calls_are_found_again_oldest_first(opened: Any) -> None:
    store = await opened()
    store.save(a_call("young", created_at=3.0, user="alice", session="s"))
    store.save(a_call("old", created_at=2.0))
    store.save(a_call("gone", CallState.ENDED))
    store = await opened()
    assert [call.id for call in store.live()] == ["old", "young"]
    assert store.live()[1].user == "alice"
    assert store.get("gone").state is CallState.ENDED
    assert store.get("never") is None


async def test_a_call_that_is_being_released_is_still_live(opened: Any) -> None:
    store = await opened()
    store.save(a_call("call", CallState.ENDING))
    store = await opened()
    assert [call.state for call in store.live()] == [CallState.ENDING]


async def test_live_calls_are_known_without_reading_the_file(opened: Any) -> None:
    store = await opened()
    store.save(a_call("call", dial_status="BUSY"))
    assert store.get("call").dial_status == "BUSY"


async def test_what_is_not_kept_makes_no_write(opened: Any, state_dir: Path) -> None:
    store = await opened()
    leg = MediaLeg(1)
    call = a_call("call", leg=leg)
    store.save(call)
    size = log_size(store)
    store.save(replace(call, leg=replace(leg, answer="v=0"), owner_away=True, moh_on=True))
    store.save(replace(call, leg=replace(leg, offer="v=0")))
    assert log_size(store) == size
    store.save(replace(call, user="alice"))
    assert log_size(store) > size


async def test_only_we_may_read_it(opened: Any, state_dir: Path) -> None:
    store = await opened()
    store.save(a_call("call"))
    modes = [stat.S_IMODE(os.stat(state_dir / name).st_mode) for name in os.listdir(state_dir)]
    assert modes == [0o600] * 5
    assert stat.S_IMODE(os.stat(state_dir).st_mode) == 0o700


async def test_a_file_that_others_may_read_is_closed_to_them(opened: Any) -> None:
    store = await opened()
    await store.close()
    store.path.chmod(0o644)
    store = await opened()
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


async def test_a_call_that_cannot_be_written_as_text_stops_nothing(opened: Any) -> None:
    store = await opened()
    store.save(a_call("call", caller_name="\ud800"))
    assert store.healthy and store.get("call") is None
    assert store.get("\ud800") is None


async def test_a_second_front_end_on_the_same_file_is_refused(opened: Any, state_dir: Path, journal_dir: Path) -> None:
    first = await opened()
    second = SqliteCallStore(state_dir, journal_dir=journal_dir)
    with pytest.raises(StoreRefused, match=f"{state_dir}/calls.lock is locked"):
        await second.start()
    await second.close()
    first.save(a_call("call"))
    assert first.healthy
    assert (await opened()).get("call")


async def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(opened: Any) -> None:
    store = await opened()
    store.save(a_call("call"))
    await store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(StoreRefused, match=r"calls.sqlite3 was written by a newer version \(schema 2"):
        await opened()
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    assert (await opened()).get("call")


async def test_a_record_that_cannot_be_understood_hides_no_other(opened: Any) -> None:
    store = await opened()
    for name in ("good", "badly", "worse"):
        store.save(a_call(name))
    await store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE calls SET record = replace(record, 'trying', 'of the future') WHERE id = 'badly'")
        connection.execute("UPDATE calls SET record = '{' WHERE id = 'worse'")
    connection.close()
    store = await opened()
    assert [call.id for call in store.live()] == ["good"]
    assert store.get("badly") is None


async def test_ended_calls_are_kept_for_some_days(opened: Any) -> None:
    store = await opened(days=30)
    day = 86400
    for number in range(450):  # more than are deleted at once
        store.save(a_call(f"old{number}", CallState.ENDED, ended_at=time.time() - 31 * day))
    store.save(a_call("kept", CallState.ENDED, ended_at=time.time() - 29 * day))
    store.save(a_call("live", created_at=1.0))
    store = await opened(days=30)
    await until(lambda: store.get("old449") is None, "the purge")
    assert not any(store.get(f"old{number}") for number in range(450))
    assert store.get("kept") and store.get("live")
    assert store.healthy


async def test_saves_during_housekeeping_lose_nothing(
    opened: Any, monkeypatch: pytest.MonkeyPatch, journals: Any
) -> None:
    monkeypatch.setattr(call_writer, "WRITES_PER_MAINTENANCE", 20)
    store = await opened()
    for number in range(600):
        for state in (CallState.TRYING, CallState.UP, CallState.ENDED):
            store.save(a_call(f"call{number}", state))
        if number % 10 == 0:
            await asyncio.sleep(0)
    assert store.healthy
    assert all(store.get(f"call{number}").state is CallState.ENDED for number in range(600))
    store = await opened()
    assert all(store.get(f"call{number}").state is CallState.ENDED for number in range(600))
    assert store.live() == [] and journals() == []


async def test_what_was_set_aside_never_hides_what_was_written_later(opened: Any) -> None:
    store = await opened()
    # Maintenance has the file's lock when the first save comes, and not when the second does.
    store.status.maintenance_runs = True
    with locked_by_another(store.path):
        store.save(a_call("call", CallState.UP))
    store.status.maintenance_runs = False
    assert store.healthy
    store.save(a_call("call", CallState.ENDED))
    assert store.get("call").state is CallState.ENDED


async def test_a_save_that_meets_housekeeping_is_no_trouble(
    opened: Any, monkeypatch: pytest.MonkeyPatch, journals: Any
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(path: Path) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        begun.set()
        go_on.wait(5)
        connection.close()

    monkeypatch.setattr(sqlite_file, "checkpoint", slow)
    monkeypatch.setattr(call_writer, "WRITES_PER_MAINTENANCE", 1)
    store = await opened()
    try:
        store.save(a_call("first"))
        await until(begun.is_set, "the housekeeping")
        with structlog.testing.capture_logs() as logs:
            store.save(a_call("second"))
            assert store.healthy and store.get("second") and journals()
            go_on.set()
            await until(lambda: not journals(), "what was set aside is written")
        assert store.healthy and logs == []
    finally:
        go_on.set()
    assert {call.id for call in (await opened()).live()} == {"first", "second"}


async def test_the_log_does_not_grow_for_ever(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_writer, "WRITES_PER_MAINTENANCE", 100)
    store = await opened()
    largest = 0
    for number in range(20):
        for one in range(200):
            store.save(a_call(f"call{number}.{one}", CallState.ENDED))
        await until(lambda: not store.status.maintenance_runs and store._writer.writes < 100, "the housekeeping")
        largest = max(largest, log_size(store))
    assert largest < 16_000_000


async def test_how_long_a_save_takes(opened: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed for people; what is asserted is that nothing is lost."""
    store = await opened()
    seconds: list[float] = []
    unchanged: list[float] = []
    for number in range(10_000):
        call = a_call(f"call{number}", user="alice", session="s" * 40, far_channel=f"call{number}-far")
        for state in LIFE:
            now = replace(call, state=state, ended_at=time.time() if state is CallState.ENDED else None)
            for times in (seconds, unchanged):
                if times is seconds or state is not CallState.ENDED:
                    begin = time.perf_counter()
                    store.save(now)
                    times.append(time.perf_counter() - begin)
        if number % 20 == 0:
            await asyncio.sleep(0)
    assert store.healthy and store.get("call0").state is CallState.ENDED
    seconds.sort()
    with capsys.disabled():
        sys.stdout.write(
            f"[10000 calls, {len(seconds)} saves: median {statistics.median(seconds) * 1e6:.0f} µs, "
            f"99 % {seconds[int(len(seconds) * 0.99)] * 1e6:.0f} µs, longest {seconds[-1] * 1e3:.1f} ms; "
            f"nothing changed: {statistics.median(unchanged) * 1e6:.1f} µs] "
        )


async def test_ended_calls_are_listed_in_the_order_of_their_ends(opened: Any) -> None:
    store = await opened(days=36500)
    for number in (3, 1, 2):
        store.save(a_call(f"call{number}", CallState.ENDED, ended_at=float(number)))
    store.save(a_call("same", CallState.ENDED, ended_at=2.0))
    store.save(a_call("live"))
    assert await store.ended_after(0.0) == [(1.0, "call1"), (2.0, "call2"), (2.0, "same"), (3.0, "call3")]
    assert await store.ended_after(0.0, at_most=2) == [(1.0, "call1"), (2.0, "call2")]
    assert await store.ended_after(2.0, "call2") == [(2.0, "same"), (3.0, "call3")]
    assert await store.ended_after(3.0, "call3") == []


async def test_ended_calls_that_are_set_aside_are_listed_too(opened: Any) -> None:
    store = await opened(days=36500)
    store.save(a_call("written", CallState.ENDED, ended_at=2.0))
    with locked_by_another(store.path):
        store.save(a_call("aside", CallState.ENDED, ended_at=1.0))
        store.save(a_call("live"))
        assert not store.healthy
        assert await store.ended_after(0.0) == [(1.0, "aside"), (2.0, "written")]
        assert await store.ended_after(1.0, "aside") == [(2.0, "written")]
