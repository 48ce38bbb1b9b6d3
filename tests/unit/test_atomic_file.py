"""Files that are complete or absent."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from ari_bridge import atomic_file


def test_a_file_is_replaced_as_a_whole_and_is_private(tmp_path: Path) -> None:
    target = tmp_path / "file"
    for data in (b"one", b"two"):
        atomic_file.write(target, data)
        assert target.read_bytes() == data
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target, source = tmp_path / "file", tmp_path / "source"
    atomic_file.write(target, b"old")
    source.mkdir()
    with pytest.raises(IsADirectoryError):
        atomic_file.copy(source, target)
    assert target.read_bytes() == b"old" and sorted(tmp_path.iterdir()) == [target, source]


def test_a_new_file_is_never_another_ones(tmp_path: Path) -> None:
    path = tmp_path / "file"
    os.close(atomic_file.create_new(path))
    with pytest.raises(FileExistsError):
        atomic_file.create_new(path)
    (tmp_path / "link").symlink_to(tmp_path / "missing")
    with pytest.raises(FileExistsError):
        atomic_file.create_new(tmp_path / "link")


def test_a_replaced_file_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with open(atomic_file.create_new(path), "wb") as file:
        before = atomic_file.identity(path)
        assert atomic_file.is_same(file.fileno(), path)
        atomic_file.write(path, b"another")
        assert not atomic_file.is_same(file.fileno(), path) and atomic_file.identity(path) != before
        path.unlink()
        assert not atomic_file.is_same(file.fileno(), path) and atomic_file.identity(path) is None


def test_of_many_that_make_a_file_at_once_one_does_and_all_read_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def make(number: int) -> bytes:
        with suppress(FileExistsError):
            atomic_file.write_new(path, f"{number}\n".encode() * 1000)
        return path.read_bytes()

    with ThreadPoolExecutor(8) as threads:
        read = set(threads.map(make, range(40)))
    assert len(read) == 1 and len(next(iter(read)).splitlines()) == 1000
    assert list(tmp_path.iterdir()) == [path]
