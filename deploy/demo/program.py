"""What the demo's programs have in common: launched, awaited until healthy, stopped; a `with` block does all three."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.demo.process import Process, ProgramFailed

ASK_EVERY = 0.1  # seconds


class Program(ABC):
    """One program at a time. `name` and `log` are what messages call it, and where it writes."""

    STOP_SECONDS = 5.0
    """How long it may take to leave before it is killed."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.process: Process | None = None  # the last that was launched; None before, and once stopped

    @abstractmethod
    def launch(self) -> Process:
        """Starts it, or starts it again when it has died, and does not wait. Raises `PortsTaken`, `ProgramFailed`."""

    @abstractmethod
    def ready(self) -> bool:
        """True when it does its work. Answers soon."""

    @abstractmethod
    def ailment(self) -> str:
        """What keeps it from being healthy, to be told; "" when it is."""

    @property
    def pid(self) -> int:
        """The pid of the running program."""
        if self.process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self.process.pid

    def start(self, *, deadline: float = 30.0) -> None:
        """Launches it and waits until it is healthy.

        Raises `PortsTaken`, or `ProgramFailed` after `deadline` seconds or when it ends at once.
        """
        process = self.launch()
        try:
            self._wait_until_healthy(process, deadline)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends it, and with it all that it holds. Not running is fine."""
        if self.process is not None:
            self.process.stop(patience=self.STOP_SECONDS)
            self.process = None

    def require_running(self) -> None:
        """Raises `ProgramFailed` when it has ended by itself."""
        if self.process is not None:
            self.process.require_running()

    def _wait_until_healthy(self, process: Process, deadline: float) -> None:
        end = time.monotonic() + deadline
        while ailment := self.ailment():
            process.require_running()
            if time.monotonic() > end:
                raise ProgramFailed(self.name, f"{ailment}, within {deadline:.0f} s", self.log)
            time.sleep(ASK_EVERY)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
