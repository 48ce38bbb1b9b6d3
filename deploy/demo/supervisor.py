"""Brings back what died. A person may kill the front end, an rtpengine or Asterisk, and see what becomes of the calls.

Parts are started in the thread that calls, never in one of their own: they die with the thread that started them.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from deploy.demo.ports import PortsTaken
from deploy.demo.process import Process, ProgramFailed, how_it_ended, last_line
from deploy.demo.steps import say

MANY, WITHIN = 5, 30.0
"""So many deaths of a part in so many seconds are a fault that a quick restart does not cure."""
PAUSE = 0.2  # seconds before the next try, where one died before it was ready
LONG_PAUSE = 10.0  # the same, after MANY deaths
START_SECONDS = 30.0  # after which a part that starts and does not become ready is ended
ASK_EVERY = 0.05  # seconds, of one that starts
LOOK_EVERY = 0.5  # seconds; a signal that comes just before a wait does not break it off


class Part(Protocol):
    """What can be brought back."""

    @property
    def name(self) -> str: ...

    @property
    def log(self) -> Path: ...

    @property
    def process(self) -> Process | None: ...

    def launch(self) -> Process:
        """Starts it once more, and does not wait. May raise `PortsTaken`, `ProgramFailed`, `OSError`."""

    def ready(self) -> bool:
        """Whether it does its work. Answers soon."""

    def stop(self) -> None:
        """Ends it; ended already is fine."""


class State(Enum):
    UP = "up"
    STARTING = "starting"  # launched, not ready yet
    DOWN = "down"  # waits for its next try


@dataclass
class _Watched:
    part: Part
    state: State = State.UP
    since: float = 0.0  # when it came into that state
    lost_at: float = 0.0  # when it was last seen up
    next_try: float = 0.0
    slow: bool = False  # it has died too often for quick tries
    deaths: deque[float] = field(default_factory=deque)  # of the last WITHIN seconds

    @property
    def dead(self) -> bool:
        return self.part.process is None or self.part.process.exit_status is not None


class Supervisor:
    """Watches `parts`, which run already. `clock` is in seconds; `tell` gets a line for each death and return."""

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[str], None] = say,
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._watched = [_Watched(part, since=clock()) for part in parts]

    def watch(self, seconds: float) -> None:
        """Brings back what is dead or dies; returns after `seconds`."""
        end = self._clock() + seconds
        while True:
            self.step()
            left = end - self._clock()
            if left <= 0:
                return
            self._wait(left)

    def step(self) -> None:
        """Looks at every part once, and does what is due."""
        for watched in self._watched:
            if watched.state is State.DOWN:
                if self._clock() >= watched.next_try:
                    self._launch(watched)
            elif watched.dead:
                self._died(watched)
            elif watched.state is State.STARTING:
                self._look_after_start(watched)

    def _wait(self, seconds: float) -> None:
        """Until a part dies, or something else is due, or `seconds` are over, or it is time to look again."""
        seconds = min(seconds, LOOK_EVERY)
        running = [each.part.process for each in self._watched if each.part.process is not None and not each.dead]
        for watched in self._watched:
            if watched.state is State.STARTING:
                seconds = min(seconds, ASK_EVERY)
            elif watched.state is State.DOWN:
                seconds = min(seconds, max(0.0, watched.next_try - self._clock()))
            elif watched.dead:
                return
        select.select(running, [], [], seconds)

    def _died(self, watched: _Watched) -> None:
        part, process = watched.part, watched.part.process
        if process is None or process.exit_status is None:
            how = "is gone"
        else:
            how = f"(pid {process.pid}) {how_it_ended(process.exit_status)}"
        if watched.state is State.UP:
            watched.lost_at = self._clock()
            if watched.lost_at - watched.since >= WITHIN:
                watched.slow = False
            self._say("✗", f"{part.name} {how}")
        self._schedule(watched, f"{how}: {last_line(part.log)}")

    def _schedule(self, watched: _Watched, why: str) -> None:
        """Plans the next try, soon or not so soon."""
        now = self._clock()
        watched.deaths.append(now)
        while now - watched.deaths[0] > WITHIN:
            watched.deaths.popleft()
        if len(watched.deaths) >= MANY and not watched.slow:
            watched.slow = True
            self._say(
                "✗",
                f"{watched.part.name} has died {len(watched.deaths)} times in {WITHIN:.0f} s. "
                f"Last: {why}. Its log: {watched.part.log}. From now on a try every {LONG_PAUSE:.0f} s.",
            )
        if watched.slow:
            pause = LONG_PAUSE
        elif watched.state is State.UP:
            pause = 0.0
        else:
            pause = PAUSE
        watched.state, watched.since, watched.next_try = State.DOWN, now, now + pause
        if pause == 0.0:
            self._launch(watched)

    def _launch(self, watched: _Watched) -> None:
        watched.state, watched.since = State.STARTING, self._clock()
        try:
            watched.part.launch()
        except (PortsTaken, ProgramFailed, OSError) as error:
            self._schedule(watched, str(error))

    def _look_after_start(self, watched: _Watched) -> None:
        now = self._clock()
        if watched.part.ready():
            watched.state, watched.since = State.UP, now
            pid = watched.part.process.pid if watched.part.process else 0
            self._say("✓", f"{watched.part.name} is back after {now - watched.lost_at:.1f} s (pid {pid})")
        elif now - watched.since > START_SECONDS:
            watched.part.stop()
            self._schedule(watched, f"it did not become ready within {START_SECONDS:.0f} s")

    def _say(self, mark: str, what: str) -> None:
        self._tell(f"  {mark} {time.strftime('%H:%M:%S')}  {what}")
