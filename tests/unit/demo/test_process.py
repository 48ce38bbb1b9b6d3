"""Children: they end when told to, when their parent is killed, and when an earlier run left them behind."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.demo.process import Process, ProgramFailed, clear_leftovers, die_with_parent


def ended(pid: int) -> bool:
    """Waits until a process that is no child of ours has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


def start(tmp_path: Path, *command: str) -> Process:
    return Process("a part", command, log=tmp_path / "log", pid_file=tmp_path / "part.pid")


def test_stop_ends_it_and_takes_the_pid_file_away(tmp_path: Path) -> None:
    part = start(tmp_path, "sleep", "60")
    part.stop()
    assert part.exit_status == -signal.SIGTERM
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log"]


def test_the_pid_file_holds_the_pid_alone(tmp_path: Path) -> None:
    part = start(tmp_path, "sleep", "60")
    assert (tmp_path / "part.pid").read_text() == f"{part.pid}\n"
    part.stop()


def test_a_further_start_goes_on_in_the_log(tmp_path: Path) -> None:
    for again in (False, True):
        part = Process("a part", ["echo", "words"], log=tmp_path / "log", pid_file=tmp_path / "pid", again=again)
        ended(part.pid)
        part.stop()
    assert (tmp_path / "log").read_text() == "words\n" * 2


def test_a_part_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    part = start(tmp_path, "sh", "-c", "echo no such module; exit 3")
    ended(part.pid)
    with pytest.raises(ProgramFailed, match="status 3: no such module"):
        part.require_running()


def test_a_part_that_is_killed_is_told_by_the_signal(tmp_path: Path) -> None:
    part = start(tmp_path, "sleep", "60")
    os.kill(part.pid, signal.SIGKILL)
    ended(part.pid)
    with pytest.raises(ProgramFailed, match="it was killed by SIGKILL"):
        part.require_running()


def test_leftovers_are_ended(tmp_path: Path) -> None:
    part = start(tmp_path, "sleep", "60")
    assert clear_leftovers(tmp_path) == [part.pid]
    assert part.exit_status == -signal.SIGTERM
    assert not (tmp_path / "part.pid").exists()


def test_a_process_that_took_over_the_pid_is_left_alone(tmp_path: Path) -> None:
    part = start(tmp_path, "sleep", "60")
    (tmp_path / "part.started").write_text("1\n")
    assert clear_leftovers(tmp_path) == []
    assert part.exit_status is None
    part.stop()


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    program = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, *die_with_parent(["sleep", "60"])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # It is the sleep by now, so the death signal is set.
        while Path(f"/proc/{child}/comm").read_text() != "sleep\n":
            os.sched_yield()
        parent.kill()
    assert ended(child)
