"""The event log in the call store's file: what is written, told, read again, purged; and when that is not possible."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ari_bridge.call_store import SqliteCallStore, clock
from ari_bridge.event_log import Retention, log, table
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.hooks import AriReceived, CallStarted, DigitReceived, FeedbackGiven
from tests.component.call_store.conftest import a_call, locked_by_another
from tests.component.call_store.test_events_killed import everything
from tests.component.conftest import until


def feedback(number: int, call_id: str = "call") -> FeedbackGiven:
    return FeedbackGiven(call_id, {"score": number})


async def written(store: SqliteCallStore, number: int) -> None:
    """Until the log has this number."""
    await until(lambda: store.events.last >= number, f"the number {number} is written")


async def names(store: SqliteCallStore, after: int = 0, **wanted: Any) -> list[str]:
    return [event.name for event in (await store.events.after(after, **wanted)).events]


async def test_numbers_go_on_over_a_restart(opened: Any) -> None:
    store = await opened()
    first = store.events.last + 1
    assert abs(first - time.time() * 1000) < 60_000, "a new log begins at the time"
    store.save(a_call("call"), [CallStarted(a_call("call"))])
    assert store.events.last == first, "told as soon as it is saved"
    store = await opened()
    store.save(a_call("call", CallState.UP), [feedback(1)])
    assert [event.number for event in await everything(store)] == [first, first + 1]


async def test_after_a_reboot_no_number_is_used_again(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await opened()
    store.events.append(feedback(1))
    await written(store, before := store.events.last + 1)
    monkeypatch.setattr(clock, "_boot", lambda: "another boot")
    store = await opened()
    [_, lost] = await everything(store)
    assert (lost.name, msgspec.json.decode(lost.data)) == ("events.lost", {"count": 0, "reason": "uncertain_end"})
    assert lost.number > before + 1


@contextmanager
def unwritable(store: SqliteCallStore, journal_dir: Path) -> Iterator[None]:
    """Neither the file nor the journal can be written."""
    moved = journal_dir.rename(journal_dir.with_suffix(".away"))
    try:
        with locked_by_another(store.path):
            yield
    finally:
        moved.rename(journal_dir)


def delete_database(state_dir: Path) -> None:
    for file in state_dir.glob("calls.sqlite3*"):
        file.unlink()


async def test_an_event_is_told_only_once_it_is_written(opened: Any, journal_dir: Path) -> None:
    """With the file locked and no journal readers wait, calls do not. Afterwards nothing is missing."""
    store = await opened()
    begin = store.events.last
    with unwritable(store, journal_dir):
        for number in range(3):
            store.save(a_call(f"call{number}"), [CallStarted(a_call(f"call{number}"))])
        assert store.events.last == begin
        assert (await store.events.after(begin)).events == []
    await written(store, begin + 3)
    assert [event.call_id for event in await everything(store)] == ["call0", "call1", "call2"]


async def test_with_the_file_locked_the_journal_has_the_events_and_they_are_told(opened: Any) -> None:
    store = await opened()
    begin = store.events.last
    with locked_by_another(store.path):
        store.save(a_call("call"), [CallStarted(a_call("call"))])
        store.save(a_call("call", CallState.UP), [feedback(1)])
        assert store.events.last == begin + 2
    await until(lambda: store.healthy, "the store writes again")
    assert await names(store) == ["call.started", "feedback"]


async def test_what_finds_no_room_is_told_as_lost(
    opened: Any, journal_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MAX_PENDING_EVENTS", 5)
    store = await opened()
    begin = store.events.last
    with unwritable(store, journal_dir):
        for number in range(8):
            store.save(a_call(f"call{number}"), [feedback(number)])
    await written(store, begin + 6)
    found = await everything(store)
    assert [event.name for event in found] == [*["feedback"] * 5, "events.lost"]
    assert msgspec.json.decode(found[-1].data) == {"count": 3, "reason": "no_room"}
    assert [event.number for event in found] == list(range(begin + 1, begin + 7))


async def test_pages_from_the_file_and_from_memory_make_one_row(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_RECENT_EVENTS", 7)
    monkeypatch.setattr(log, "PAGE_EVENTS", 4)
    store = await opened()
    begin = store.events.last
    for number in range(30):
        store.save(
            a_call(f"call{number}"), [feedback(number, f"call{number % 3}"), AriReceived("Dial", {"type": "Dial"})]
        )
    whole = await everything(store)
    assert [event.number for event in whole] == list(range(begin + 1, begin + 61))
    for start in (0, 1, 17, 50, 58, 59, 60):
        position, seen = begin + start, []
        while (page := await store.events.after(position)).position > position:
            seen += [event.number for event in page.events]
            position = page.position
        assert seen == list(range(begin + 1 + start, begin + 61))
    assert set(await names(store, ari=False)) == {"feedback"}
    page = await store.events.after(0, call_id="call1")
    assert [event.call_id for event in page.events] == ["call1"] * 4


async def test_a_key_that_was_pressed_is_in_memory_alone(opened: Any, state_dir: Path) -> None:
    store = await opened()
    call = a_call("call", CallState.UP)
    store.save(call, [DigitReceived(call, "7")])
    [event] = (await store.events.after(store.events.last - 1)).events
    assert msgspec.json.decode(event.data)["digit"] == "•"
    assert store.events.digit(event.number) == "7"
    store = await opened()
    [event] = await everything(store)
    assert msgspec.json.decode(event.data)["digit"] == "•"
    assert store.events.digit(event.number) == ""


async def test_a_text_that_cannot_be_encoded_loses_no_event(opened: Any) -> None:
    store = await opened()
    store.events.append(FeedbackGiven("call", {"comment": "a\ud800b"}))
    await written(store, store.events.last + 1)
    [event] = await everything(store)
    assert msgspec.json.decode(event.data)["comment"] == "a?b"


async def test_what_is_old_or_too_much_is_purged_and_said(opened: Any) -> None:
    store = await opened(retention=Retention(days=1, events=1000, ari_events=10))
    begin = store.events.last
    old = time.time() - 2 * 86400
    for number in range(20):
        store.events.add([FeedbackGiven("call", {"score": number}, at=old)])
    store.events.add(AriReceived("Dial", {"type": "Dial"}) for _ in range(25))
    store.events.append(feedback(1))
    store.save(a_call("call"))
    await written(store, begin + 46)
    await store._maintenance._purge_events()
    assert store.events.purged_to == begin + 20
    assert store.events.ari_purged_to == begin + 35
    assert [event.number for event in await everything(store)] == list(range(begin + 36, begin + 47))
    store = await opened()
    assert (store.events.purged_to, store.events.last) == (begin + 20, begin + 46)


async def test_a_log_whose_events_are_all_purged_goes_on_counting(opened: Any) -> None:
    store = await opened(retention=Retention(days=1e-9))
    store.events.append(feedback(1))
    await written(store, last := store.events.last + 1)
    await store._maintenance._purge_events()
    assert await everything(store) == []
    store = await opened()
    assert store.events.last == last


async def test_a_file_that_is_deleted_leaves_the_events_that_were_known(opened: Any, state_dir: Path) -> None:
    store = await opened()
    begin = store.events.last
    store.save(a_call("call"), [feedback(number) for number in range(3)])
    delete_database(state_dir)
    store.save(a_call("call", CallState.UP), [feedback(3)])
    await until(lambda: store.healthy, "the store writes again")
    store = await opened()
    assert [event.number for event in await everything(store)] == list(range(begin + 1, begin + 5))


async def test_what_was_read_of_a_deleted_file_is_written_when_the_disk_has_room_again(
    opened: Any, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await opened()
    begin = store.events.last
    store.save(a_call("call"), [feedback(number) for number in range(3)])
    store = await opened()  # these three are in no memory any more
    restore = table.restore
    failed: list[Any] = []

    def restore_if_room(*args: Any) -> Any:
        if not failed:
            failed.append(args)
            raise sqlite3.OperationalError("database or disk is full")
        return restore(*args)

    monkeypatch.setattr(table, "restore", restore_if_room)
    delete_database(state_dir)
    store.save(a_call("call", CallState.UP), [feedback(3)])
    await until(lambda: store.healthy, "the store writes again")
    store = await opened()
    assert failed and [event.number for event in await everything(store)] == list(range(begin + 1, begin + 5))


async def test_a_file_that_is_destroyed_gives_no_number_twice(opened: Any, state_dir: Path) -> None:
    store = await opened()
    store.save(a_call("call"), [feedback(1)])
    last = store.events.last
    await store.close()
    delete_database(state_dir)
    (state_dir / "calls.sqlite3").write_bytes(b"not a database at all" * 1000)
    store = await opened()
    store.save(a_call("next"), [feedback(2)])
    assert store.events.last > last


async def test_what_a_save_with_its_event_costs(opened: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Figures for docs/design.md; asserts that nothing is lost, not how long it took."""
    store = await opened()
    states = (CallState.TRYING, CallState.RINGING, CallState.UP, CallState.ENDING, CallState.ENDED)
    calls: list[Call] = [a_call(f"call{number}", state) for number in range(2000) for state in states]
    seconds = []
    for call in calls:
        begun = time.perf_counter()
        store.save(call, [CallStarted(call)])
        seconds.append(time.perf_counter() - begun)
    seconds.sort()
    assert len(await everything(store)) == len(calls)
    with capsys.disabled():
        print(  # noqa: T201
            f"[{len(calls)} saves with an event: median {seconds[len(seconds) // 2] * 1e6:.0f} µs, "
            f"99 % {seconds[int(len(seconds) * 0.99)] * 1e6:.0f} µs, longest {seconds[-1] * 1e3:.1f} ms] ",
            end="",
        )
