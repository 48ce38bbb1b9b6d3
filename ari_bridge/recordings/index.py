"""The recordings of the store, in memory, sorted by time; and a copy on our disk, so that a start is quick.

The copy is a cache: if it is lost, the store is read again. One line for each change, compacted at the start.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import msgspec

from ari_bridge import atomic_file
from ari_bridge.cursor import Cursor
from ari_bridge.recordings.recording import Recording


@dataclass(frozen=True)
class Filters:
    """None: do not filter by this. Times are Unix seconds; `until` is not included."""

    user: str | None = None
    call_id: str | None = None
    since: float | None = None
    until: float | None = None

    def match(self, recording: Recording) -> bool:
        return (self.user is None or recording.user == self.user) and (
            self.call_id is None or recording.call_id == self.call_id
        )


class Index:
    def __init__(self) -> None:
        self._by_name: dict[str, Recording] = {}
        self._in_order: list[Recording] = []  # oldest first

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> Recording | None:
        return self._by_name.get(name)

    def names(self) -> set[str]:
        return set(self._by_name)

    def add(self, recording: Recording) -> None:
        """Replaces the one of the same name."""
        self.remove(recording.name)
        self._by_name[recording.name] = recording
        insort(self._in_order, recording, key=_cursor)

    def remove(self, name: str) -> None:
        known = self._by_name.pop(name, None)
        if known:
            del self._in_order[bisect_left(self._in_order, known.cursor, key=_cursor)]

    def newest_first(self, filters: Filters, before: Cursor | None = None) -> Iterator[Recording]:
        """`before`: the `cursor` of the last one that was seen."""
        end = len(self._in_order)
        if filters.until is not None:
            end = bisect_left(self._in_order, Cursor(filters.until, ""), key=_cursor)
        if before is not None:
            end = min(end, bisect_left(self._in_order, before, key=_cursor))
        for number in range(end - 1, -1, -1):
            recording = self._in_order[number]
            if filters.since is not None and recording.started_at < filters.since:
                return
            if filters.match(recording):
                yield recording

    def older_than(self, moment: float) -> list[Recording]:
        return self._in_order[: bisect_left(self._in_order, Cursor(moment, ""), key=_cursor)]

    def all(self) -> Iterable[Recording]:
        return self._in_order


_cursor = attrgetter("cursor")


class _Line(msgspec.Struct, omit_defaults=True):
    """Of the file. The first says of which store it is."""

    store: str | None = None
    added: Recording | None = None
    removed: str | None = None


class IndexFile:
    """All of it runs in threads, and raises OSError."""

    def __init__(self, path: Path, store: str) -> None:
        self._path = path
        self._store = store

    def load(self) -> Index:
        """Empty if there is no file, or one of another store. Reads up to an incomplete line."""
        index = Index()
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return index
        decoder = msgspec.json.Decoder(_Line)
        try:
            for number, text in enumerate(lines):
                line = decoder.decode(text)
                if number == 0 and line.store != self._store:
                    break
                if line.added:
                    index.add(line.added)
                elif line.removed:
                    index.remove(line.removed)
        except msgspec.DecodeError:
            pass
        return index

    def write(self, recordings: Iterable[Recording]) -> None:
        """Replace the file by one with these."""
        lines = [_Line(store=self._store), *(_Line(added=recording) for recording in recordings)]
        atomic_file.make_folder(self._path.parent)
        atomic_file.write(self._path, msgspec.json.Encoder().encode_lines(lines))

    def added(self, recording: Recording) -> None:
        self._append(_Line(added=recording))

    def removed(self, name: str) -> None:
        self._append(_Line(removed=name))

    def _append(self, line: _Line) -> None:
        with open(self._path, "ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
