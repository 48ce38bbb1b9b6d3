"""Files that are there whole or not at all, also after a crash or a power failure. All of it runs in threads."""

import hashlib
import os
import shutil
from pathlib import Path

PART = ".part"
"""What the names of files that are being written end in."""
PIECE_BYTES = 256 * 1024


def make_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def create(path: Path) -> int:
    """A descriptor of a new, empty file that only we may read; one of that name is emptied."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def copy(source: Path, target: Path) -> None:
    """Lasting when it returns. Raises OSError; what was begun is removed."""
    part = target.with_name(target.name + PART)
    try:
        with open(source, "rb") as reading, open(create(part), "wb") as writing:
            shutil.copyfileobj(reading, writing, PIECE_BYTES)
        settle(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write(target: Path, data: bytes) -> None:
    """As `copy`."""
    part = target.with_name(target.name + PART)
    try:
        with open(create(part), "wb") as writing:
            writing.write(data)
        settle(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def settle(part: Path, target: Path) -> None:
    """Give a complete file its name, for good. Raises OSError."""
    descriptor = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(part, target)
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
