"""Private files that are complete or absent, also after a crash or a power failure.

Every function blocks on the disk and raises OSError. Files get mode 600, folders that are made get mode 700.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

PART = ".part"
"""Suffix of files that are being written. A process that is killed may leave one behind."""
COPY_BYTES = 256 * 1024


def make_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write(target: Path, data: bytes) -> None:
    """Replace the file. It is the old one or the new one at every moment, and on the disk when this returns."""
    _write_part(target, lambda file: file.write(data))


def write_new(target: Path, data: bytes) -> None:
    """As `write`, of a file that there must not be yet: nobody reads half of it. Raises FileExistsError."""
    part = _part(target, lambda file: file.write(data))
    try:
        _sync(part)
        os.link(part, target)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(target.parent)


def copy(source: Path, target: Path) -> None:
    """As `write`, with the content of another file."""
    with open(source, "rb") as reading:
        _write_part(target, lambda file: shutil.copyfileobj(reading, file, COPY_BYTES))


def commit(part: Path, target: Path) -> None:
    """Give a complete file its final name. Both are on the disk when this returns."""
    _sync(part)
    os.replace(part, target)
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    """Put renames and deletions in the folder on the disk."""
    _sync(path, os.O_DIRECTORY)


def create(path: Path) -> int:
    """The descriptor of an empty file to write to; an existing file is emptied."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def create_new(path: Path, flags: int = os.O_RDWR) -> int:
    """The descriptor of a new file, without following a symbolic link. Raises FileExistsError."""
    return os.open(path, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def identity(path: Path | str) -> tuple[int, int] | None:
    """Device and inode: another file under the same name has others. None if there is no file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def is_same(descriptor: int, path: Path, *, follow_symlinks: bool = True) -> bool:
    """Whether the open file is still the one under this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=follow_symlinks))
    except FileNotFoundError:
        return False


def _sync(path: Path, flags: int = 0) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_part(target: Path, fill: Callable[[BinaryIO], object]) -> None:
    part = _part(target, fill)
    try:
        commit(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _part(target: Path, fill: Callable[[BinaryIO], object]) -> Path:
    """A complete file beside the target, which may not be on the disk yet."""
    # A name of its own: two processes may write the same file.
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.", suffix=PART)
    part = Path(name)
    try:
        with open(descriptor, "wb") as file:
            fill(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part
