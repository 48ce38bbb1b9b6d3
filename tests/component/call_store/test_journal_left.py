"""Where the journal is, and what of it is there when a store has closed: what the next process needs, nothing else."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ari_bridge.call_store import SqliteCallStore, spill_journal
from ari_bridge.call_store.rows import Row, to_row
from ari_bridge.call_store.spill_journal import SpillJournal
from ari_bridge.call_store.write_buffer import WriteBuffer
from tests.component.call_store.conftest import a_call, locked_by_another


def test_where_something_is_mounted_for_it_the_journal_is_there(
    state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spill_journal.directory(state_dir) != state_dir / "journal"
    monkeypatch.setattr("os.path.ismount", lambda path: path == state_dir / "journal")
    assert spill_journal.directory(state_dir) == state_dir / "journal"


def a_row(revision: int) -> Row:
    return to_row(a_call("call"), revision, time.time())


def test_a_journal_with_something_to_write_is_left(journal_dir: Path) -> None:
    aside = WriteBuffer(SpillJournal(journal_dir / "rows.journal"))
    aside.add(a_row(1))
    aside.close()
    assert [row.revision for row in SpillJournal(journal_dir / "rows.journal").rows()] == [1]


def test_one_in_which_all_is_outdated_is_removed(journal_dir: Path) -> None:
    aside = WriteBuffer(SpillJournal(journal_dir / "rows.journal"))
    aside.add(a_row(1))
    aside.outdated("call")
    aside.close()
    assert not list(journal_dir.iterdir())


async def test_a_store_that_closes_in_trouble_leaves_its_journal_and_the_next_removes_it(
    state_dir: Path, journal_dir: Path, journals: Callable[[], list[Path]]
) -> None:
    store = SqliteCallStore(state_dir, journal_dir=journal_dir)
    await store.start()
    with locked_by_another(store.path):
        store.save(a_call("call"))
        await store.close()
    assert journals()
    store = SqliteCallStore(state_dir, journal_dir=journal_dir)
    await store.start()
    assert [call.id for call in store.live()] == ["call"]
    await store.close()
    assert not journals()
