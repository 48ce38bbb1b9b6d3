"""Processes that write to a call store and say what they have written, until they are killed at any moment."""

import random
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import ClassVar, Self

from tests.component.call_store.conftest import ROOT, locked_by_another


class KilledWriter(ABC):
    """Reads what such a process says. `module`: that it runs."""

    module: ClassVar[str]

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    @abstractmethod
    def take(self, line: bytes) -> None:
        """A whole line that it has said."""

    @classmethod
    @contextmanager
    def writing(cls, state_dir: Path, journal_dir: Path, name: str) -> Iterator[Self]:
        command = [sys.executable, "-m", cls.module, str(state_dir), str(journal_dir), name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
            try:
                writer = cls(process)
                writer.read(0.001)  # it has begun
                yield writer
            finally:
                process.kill()

    def read(self, seconds: float) -> None:
        assert self.process.stdout
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._take(self.process.stdout.readline())

    def kill(self) -> None:
        """And read what it had still said. A line without its end was said by nobody."""
        assert self.process.stdout
        self.process.kill()
        for line in self.process.stdout:
            self._take(line)

    def live_and_die(self, chance: random.Random, file: Path, *, locked: bool) -> None:
        """`locked`: another program locks the file, and lets it go before the death, or after."""
        self.read(chance.uniform(0, 0.1))
        with locked_by_another(file) if locked else nullcontext():
            self.read(chance.uniform(0.01, 0.1))
            if dies_locked := chance.random() < 0.5:
                self.kill()
        if not dies_locked:
            self.read(chance.uniform(0, 0.05))
            self.kill()

    def _take(self, line: bytes) -> None:
        assert line, "the writer ended by itself"
        if line.endswith(b"\n"):
            self.take(line)
