"""The spill journal: where rows go while the database cannot take them.

JSON lines, appended, in a place that does not share the database's troubles. A line is handed to the
operating system before `append` returns, so it outlives the process (not a power failure: there the calls
are gone as well). The place may be one where everybody may write, so no file is trusted that is not ours.
"""

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from ari_bridge import atomic_file
from ari_bridge.call_store.rows import Row
from ari_bridge.event_log import LoggedEvent

MIN_REWRITE_BYTES = 8 * 1024 * 1024
"""A journal is not compacted below this size."""

MOUNTED_FOLDER = "journal"

EVENTS_PER_LINE = 100


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was to be written in one transaction. Without events it is written as the row alone."""

    row: Row | None = None
    events: Sequence[LoggedEvent] = ()


_row_decoder = msgspec.json.Decoder(Row)
_line_decoder = msgspec.json.Decoder(Line)


def directory(state_dir: Path) -> Path:
    """`journal` below the state directory if something is mounted there, as a container's own /dev/shm ends with it.

    Otherwise /dev/shm if it exists and the state directory is on another filesystem, else the system's folder for
    temporary files.
    """
    mounted = state_dir / MOUNTED_FOLDER
    if os.path.ismount(mounted):
        return mounted
    memory = Path("/dev/shm")
    above = next(path for path in (state_dir, *state_dir.absolute().parents) if path.exists())
    if os.access(memory, os.W_OK) and memory.stat().st_dev != above.stat().st_dev:
        return memory
    return Path(tempfile.gettempdir())


def name(state_dir: Path) -> str:
    """One name for each state directory, the same in every process."""
    return f"ari-bridge-{hashlib.sha256(os.path.realpath(state_dir).encode()).hexdigest()[:24]}.journal"


class SpillJournal:
    """The file is made by the first `rewrite`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None
        self._size = 0
        self._size_rewritten = 0
        self._torn = False  # the last line may lack its end

    @property
    def outgrown(self) -> bool:
        """Whether most of it is outdated, judging by its size: time for a `rewrite`."""
        return self._size > max(MIN_REWRITE_BYTES, 2 * self._size_rewritten)

    @property
    def exists(self) -> bool:
        """Whether the file that we append to still exists under its name."""
        if self._fd is None:
            return False
        try:
            return atomic_file.is_same(self._fd, self.path, follow_symlinks=False)
        except OSError:
            return False

    def append(self, row: Row | None, events: Sequence[LoggedEvent] = ()) -> None:
        """Only while it `exists`. Raises OSError: the line may be in the file or not."""
        assert self._fd is not None
        line = b"\n" * self._torn + _encoded(row, events)
        self._torn = True
        _write(self._fd, line)
        self._torn = False
        self._size += len(line)

    def rewrite(self, rows: Iterable[Row], events: Sequence[LoggedEvent] = ()) -> None:
        """Replace the file by one with these; the old one exists until the new one is complete. Raises OSError."""
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        fd = atomic_file.create_new(new, os.O_WRONLY | os.O_APPEND)
        try:
            content = b"".join(_encoded(row, ()) for row in rows)
            places = range(0, len(events), EVENTS_PER_LINE)
            content += b"".join(_encoded(None, events[place : place + EVENTS_PER_LINE]) for place in places)
            _write(fd, content)
            os.rename(new, self.path)
        except BaseException:
            os.close(fd)
            new.unlink(missing_ok=True)
            raise
        self.close()
        self._fd, self._size, self._torn = fd, len(content), False
        self._size_rewritten = self._size

    def rows(self) -> Iterator[Row]:
        """The file's rows, in order. Raises as `lines` does."""
        return (line.row for line in self.lines() if line.row)

    def lines(self) -> Iterator[Line]:
        """What was written, in order; incomplete lines were never acknowledged and are skipped.

        Raises OSError, PermissionError if others may have written the file.
        """
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return
        with open(fd, "rb") as file:
            _check_ours(os.fstat(fd), self.path)
            for line in file:
                if decoded := _decoded(line):
                    yield decoded

    def remove(self) -> None:
        """Everything in it is in the database. Raises OSError."""
        self.close()
        self.path.unlink(missing_ok=True)

    def move_aside(self) -> None:
        """Rename a file that is not to be trusted, if we may."""
        try:
            os.rename(self.path, f"{self.path}.refused-{time.time_ns()}")
        except OSError:
            pass

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _encoded(row: Row | None, events: Sequence[LoggedEvent]) -> bytes:
    return msgspec.json.encode(Line(row, events) if events else row) + b"\n"


def _decoded(line: bytes) -> Line | None:
    try:
        return Line(_row_decoder.decode(line))
    except msgspec.DecodeError:
        pass
    try:
        decoded = _line_decoder.decode(line)
    except msgspec.DecodeError:
        return None
    return decoded if decoded.row or decoded.events else None


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _check_ours(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        raise PermissionError(f"{path} is not a regular file: it is not read")
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PermissionError(f"{path} belongs to another user, or others may read it: it is not read")
