"""One child process: its log, its pid file, its end. It dies with the thread that started it, even by kill -9."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


class ProgramFailed(Exception):
    """A program did not become healthy, or ended by itself. `log` is its log file, `reason` is why in plain words."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        self.name = name
        self.reason = reason
        self.log = log
        super().__init__(f"{name}: {reason}. Its log: {log}")


class Process:
    """Starts `command` with its output in `log`, and its pid, alone, in `pid_file`: `kill $(cat FILE)` works.

    The log is begun anew, or goes on where this is a further start of the same part (`again`).
    The command must set its own parent-death signal (see `die_with_parent`): it is what a changed user id clears,
    so it has to be set last.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        pid_file: Path,
        env: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> None:
        self.name = name
        self.log = log
        self._pid_file = pid_file
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab" if again else "wb") as output:
            # A session of its own: Ctrl-C reaches the demo alone, which then stops its parts in order.
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=env
            )
        self._ended = os.pidfd_open(self._child.pid)
        # What tells it from another process that has its pid later. First, as a pid file without it means nothing.
        _started_file(pid_file).write_text(f"{_started_at(self._child.pid)}\n")
        pid_file.write_text(f"{self._child.pid}\n")

    @property
    def pid(self) -> int:
        return self._child.pid

    def fileno(self) -> int:
        """A descriptor that is readable when the process has ended, for `select`; -1 after `stop`."""
        return self._ended

    @property
    def exit_status(self) -> int | None:
        """The exit status, as `subprocess` has it: -9 for SIGKILL; None while it runs."""
        return self._child.poll()

    def require_running(self) -> None:
        """Raises `ProgramFailed` when the process has ended."""
        status = self.exit_status
        if status is not None:
            raise ProgramFailed(self.name, f"it {how_it_ended(status)}: {last_line(self.log)}", self.log)

    def stop(self, *, patience: float = 5.0) -> None:
        """Ends the process: SIGTERM, and SIGKILL after `patience` seconds. Ended already is fine."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(patience)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        self._pid_file.unlink(missing_ok=True)
        _started_file(self._pid_file).unlink(missing_ok=True)
        if self._ended != -1:
            os.close(self._ended)
            self._ended = -1


def die_with_parent(command: Sequence[str], *, user: tuple[int, int] | None = None) -> list[str]:
    """`command`, run as `user` (uid, gid) when given, killed when the thread that started it ends."""
    wrapper = ["setpriv"]
    if user is not None:
        wrapper += [f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups"]
    return [*wrapper, "--pdeathsig=KILL", "--", *command]


def unprivileged_user(package: str) -> tuple[int, int] | None:
    """(uid, gid) of the package's own user, or of nobody, when we are root and may become it."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(package)
    except KeyError:
        entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def clear_leftovers(pid_files: Path) -> list[int]:
    """Ends what an earlier run left behind, known by the pid files in the folder `pid_files`. Returns the pids ended.

    A pid that another process has by now is left alone: its start time differs from the one written down.
    """
    ended = []
    for pid_file in sorted(pid_files.glob("*.pid")):
        pid, started = _word(pid_file), _word(_started_file(pid_file))
        if pid and started and _started_at(int(pid)) == started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)
            if not _gone(int(pid), within=3):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
                _gone(int(pid), within=3)
            ended.append(int(pid))
        pid_file.unlink(missing_ok=True)
        _started_file(pid_file).unlink(missing_ok=True)
    return ended


def how_it_ended(status: int) -> str:
    """An exit status in words, to follow "it": "ended with status 3", "was killed by SIGKILL"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def last_line(log: Path) -> str:
    """The last line that says something, or a word for an empty log."""
    try:
        text = log.read_text(errors="replace")
    except OSError:
        return "no output"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no output"


def _started_file(pid_file: Path) -> Path:
    return pid_file.with_suffix(".started")


def _word(file: Path) -> str:
    """The number in a file; empty where it holds none."""
    with contextlib.suppress(OSError):
        text = file.read_text().strip()
        return text if text.isdecimal() else ""
    return ""


def _gone(pid: int, *, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if _started_at(pid) == "":
            return True
        time.sleep(0.05)
    return False


def _started_at(pid: int) -> str:
    """When the process started, in clock ticks since boot; empty when there is none (or only its remains)."""
    try:
        # Field 22 of proc(5) stat; the name before it may hold spaces and brackets.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
