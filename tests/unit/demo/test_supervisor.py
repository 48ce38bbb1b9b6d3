"""What dies is brought back at once; what dies again and again, not so soon; and the person is told."""

import os
import select
import signal
from pathlib import Path

from deploy.demo.process import Process
from deploy.demo.supervisor import LONG_PAUSE, MANY, PAUSE, START_SECONDS, WITHIN, Supervisor


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Program:
    """A part that runs a shell command; it is ready when told so."""

    def __init__(self, folder: Path, name: str = "rtpengine-1", command: str = "exec sleep 60") -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.process: Process | None = None
        self.command = command
        self.is_ready = True
        self.launch_fails: OSError | None = None
        self._pid_file = folder / f"{name}.pid"
        self.launch()

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def launch(self) -> Process:
        if self.launch_fails:
            raise self.launch_fails
        again = self.process is not None
        self.stop()
        self.process = Process(
            self.name, ["sh", "-c", self.command], log=self.log, pid_file=self._pid_file, again=again
        )
        return self.process

    def ready(self) -> bool:
        return self.is_ready

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()
            self.process = None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Until it has ended."""
        assert self.process is not None
        assert select.select([self.process], [], [], 10)[0]


class Watch:
    """A supervisor of one part, with a clock of its own and what it said."""

    def __init__(self, *parts: Program) -> None:
        self.clock = Clock()
        self.said: list[str] = []
        self.supervisor = Supervisor(parts, clock=self.clock, tell=lambda line: self.said.append(line[14:]))

    def step(self, seconds: float = 0.0) -> None:
        self.clock.now += seconds
        self.supervisor.step()


def test_a_part_that_is_killed_comes_back_at_once(tmp_path: Path) -> None:
    part = Program(tmp_path)
    watch = Watch(part)
    watch.step()
    first = part.pid
    part.kill()
    watch.step()
    assert part.pid != first
    assert (tmp_path / "rtpengine-1.pid").read_text() == f"{part.pid}\n"
    watch.step(0.1)
    assert watch.said == [
        f"rtpengine-1 (pid {first}) was killed by SIGKILL",
        f"rtpengine-1 is back after 0.1 s (pid {part.pid})",
    ]
    part.stop()


def test_the_death_is_seen_at_once_by_one_that_waits(tmp_path: Path) -> None:
    part, other = Program(tmp_path), Program(tmp_path, "Asterisk")
    said: list[str] = []
    supervisor = Supervisor([part, other], tell=said.append)
    os.kill(part.pid, signal.SIGKILL)
    supervisor.watch(1.0)
    assert len(said) == 2
    part.stop()
    other.stop()


def test_it_is_not_back_before_it_is_ready(tmp_path: Path) -> None:
    part = Program(tmp_path)
    watch = Watch(part)
    part.is_ready = False
    part.kill()
    watch.step()
    watch.step(1.0)
    assert len(watch.said) == 1
    part.is_ready = True
    watch.step(1.0)
    assert watch.said[1] == f"rtpengine-1 is back after 2.0 s (pid {part.pid})"
    part.stop()


def test_one_that_hangs_at_its_start_is_started_again(tmp_path: Path) -> None:
    part = Program(tmp_path)
    watch = Watch(part)
    part.is_ready = False
    part.kill()
    watch.step()
    second = part.pid
    watch.step(START_SECONDS + 1)
    assert part.process is None
    watch.step(PAUSE)
    assert part.pid != second
    part.stop()


def test_many_deaths_are_told_with_the_last_words_and_slow_the_tries(tmp_path: Path) -> None:
    part = Program(tmp_path)
    watch = Watch(part)
    part.command = "echo no such port; exit 3"
    part.is_ready = False
    part.kill()
    for _ in range(2 * MANY):
        watch.step(PAUSE)
        if part.process is not None:
            part.wait()
    died, often = watch.said
    assert "was killed by SIGKILL" in died
    assert "has died 5 times in 30 s" in often
    assert "ended with status 3: no such port" in often
    assert str(part.log) in often
    last = part.pid
    watch.step(LONG_PAUSE / 2)
    assert part.pid == last
    part.command, part.is_ready = "exec sleep 60", True
    watch.step(LONG_PAUSE)  # a try, not known to be ready yet
    watch.step()
    assert "is back after" in watch.said[-1]
    part.stop()


def test_one_that_has_lived_long_is_brought_back_at_once_again(tmp_path: Path) -> None:
    part = Program(tmp_path)
    watch = Watch(part)
    for _ in range(MANY):
        part.kill()
        watch.step(0.1)
        watch.step()
    assert "has died 5 times" in watch.said[-1]
    watch.step(LONG_PAUSE)
    watch.step()
    assert "is back" in watch.said[-1]
    watch.clock.now += WITHIN + 1
    last = part.pid
    part.kill()
    watch.step()
    assert part.pid != last
    part.stop()


def test_a_launch_that_fails_is_tried_again(tmp_path: Path) -> None:
    part = Program(tmp_path)
    watch = Watch(part)
    part.launch_fails = OSError("no memory")
    part.kill()
    watch.step()
    part.launch_fails = None
    watch.step(PAUSE)
    watch.step()
    assert "is back" in watch.said[-1]
    part.stop()
