"""The list of recordings: in the order of time, filtered, page by page; and its copy on the disk."""

from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.recordings.index import Filters, Index, IndexFile
from ari_bridge.recordings.recording import Recording


def a_recording(number: int, *, at: float | None = None, user: str | None = "1001") -> Recording:
    return Recording(f"call{number}-rec1", f"call{number}", user, "1001", "600", at or number, 1.0, 16044, "ab" * 32)


def an_index(*recordings: Recording) -> Index:
    index = Index()
    for recording in recordings:
        index.add(recording)
    return index


def names(index: Index, filters: Filters) -> list[str]:
    return [recording.name for recording in index.newest_first(filters)]


@pytest.mark.parametrize(
    ("filters", "calls"),
    [
        (Filters(), [4, 3, 2, 1]),
        (Filters(user="1002"), [4, 2]),
        (Filters(call_id="call3"), [3]),
        (Filters(since=2), [4, 3, 2]),
        (Filters(until=3), [2, 1]),
        (Filters(since=2, until=4, user="1002"), [2]),
        (Filters(user="nobody"), []),
    ],
)
def test_filters(filters: Filters, calls: list[int]) -> None:
    index = an_index(*(a_recording(number, user=f"100{2 - number % 2}") for number in (3, 1, 4, 2)))
    assert names(index, filters) == [f"call{number}-rec1" for number in calls]


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 30)), max_size=40), st.integers(1, 7))
def test_page_by_page_is_the_whole_list_once(recordings: list[tuple[int, int]], limit: int) -> None:
    index = an_index(*(a_recording(number, at=at) for at, number in recordings))
    pages: list[Recording] = []
    before = None
    while page := list(islice(index.newest_first(Filters(), before), limit)):
        pages += page
        before = page[-1].cursor
    assert pages == list(index.newest_first(Filters()))
    assert len(pages) == len(index) == len({number for _, number in recordings})
    assert pages == sorted(pages, key=lambda recording: recording.cursor, reverse=True)


def test_one_of_the_same_name_is_replaced_and_removed_once() -> None:
    index = an_index(a_recording(1, at=5), a_recording(2, at=5), a_recording(1, at=9))
    assert names(index, Filters()) == ["call1-rec1", "call2-rec1"]
    index.remove("call1-rec1")
    index.remove("call1-rec1")
    assert names(index, Filters()) == ["call2-rec1"] and len(index) == 1


def test_the_old_ones() -> None:
    index = an_index(*map(a_recording, range(1, 6)))
    assert [recording.name for recording in index.older_than(3)] == ["call1-rec1", "call2-rec1"]


def test_the_copy_on_the_disk_remembers_changes(tmp_path: Path) -> None:
    file = IndexFile(tmp_path / "index", "here")
    assert len(file.load()) == 0
    file.write([a_recording(1), a_recording(2)])
    file.added(a_recording(3))
    file.removed("call1-rec1")
    assert file.load().names() == {"call2-rec1", "call3-rec1"}
    with open(tmp_path / "index", "ab") as half:
        half.write(b'{"added":{"name":"ca')
    assert file.load().names() == {"call2-rec1", "call3-rec1"}
    assert len(IndexFile(tmp_path / "index", "elsewhere").load()) == 0


def test_a_page_of_ten_thousand() -> None:
    index = an_index(*(a_recording(number, user=str(number % 7)) for number in range(1, 10_001)))
    filters = Filters(user="3", since=100.0, until=9_000.0)
    page = list(islice(index.newest_first(filters), 50))
    rest = list(index.newest_first(filters, page[-1].cursor))
    assert page[0].started_at == 8998.0
    assert len(page) + len(rest) == sum(100 <= number < 9_000 and number % 7 == 3 for number in range(1, 10_001))
