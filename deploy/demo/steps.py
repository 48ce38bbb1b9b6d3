"""Says what is being done: one short line a step, with its time; what the tools print goes to a log file."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


class StepFailed(Exception):
    """A tool failed. `log` has all that it printed; `tail` is the end of it."""

    def __init__(self, step: str, command: Sequence[str], log: Path, tail: str) -> None:
        self.step = step
        self.command = command
        self.log = log
        self.tail = tail
        super().__init__(f"{step}: `{command[0]}` failed. All of its output: {log}\n{tail}")


class Steps:
    """Steps with one log file. Use it in one thread."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._step = ""
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Says `name` now and the seconds it took at its end."""
        self._step = name
        if sys.stdout.isatty():
            say(f"  … {name}", end="")
        started = time.monotonic()
        try:
            yield
        except BaseException:
            say(f"\r  ✗ {name}" if sys.stdout.isatty() else f"  ✗ {name}")
            raise
        seconds = time.monotonic() - started
        say(f"\r  ✓ {name}  {seconds:.1f} s" if sys.stdout.isatty() else f"  ✓ {name}  {seconds:.1f} s")

    def run(self, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """Runs `command` with its output in the log. Raises `StepFailed`."""
        with self.log.open("ab") as log:
            log.write(f"\n== {self._step}: {' '.join(command)}\n".encode())
            log.flush()
            begin = log.tell()
            try:
                status = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=cwd,
                    env={**os.environ, **(env or {})},
                    check=False,
                ).returncode
            except OSError as error:
                log.write(f"{error}\n".encode())
                status = 127
        if status != 0:
            output = self.log.read_bytes()[begin:].decode(errors="replace")
            raise StepFailed(self._step, command, self.log, "\n".join(output.splitlines()[-12:]))


def say(line: str, *, end: str = "\n") -> None:
    """Writes a line for the person at the terminal, at once."""
    sys.stdout.write(line + end)
    sys.stdout.flush()
