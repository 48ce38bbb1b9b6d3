"""kill -9 at any moment: no number of the event log is missing, none has two contents, and all told are kept."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ari_bridge.call_store import SqliteCallStore
from ari_bridge.event_log import LoggedEvent
from ari_bridge.fsm.call import CallState
from tests.component.call_store.conftest import ROOT, locked_by_another
from tests.component.call_store.event_writer import LIFE, Told

ROUNDS = 20

_decoder = msgspec.json.Decoder(Told)


class Follower:
    """Reads what a writer tells. `told`: by number."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.told: dict[int, Told] = {}
        self.unhealthy = 0

    def read(self, seconds: float) -> None:
        assert self.process.stdout
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._take(self.process.stdout.readline())

    def kill(self) -> None:
        assert self.process.stdout
        self.process.kill()
        for line in self.process.stdout:
            self._take(line)

    def _take(self, line: bytes) -> None:
        assert line, "the writer ended by itself"
        if line.endswith(b"\n"):
            event = _decoder.decode(line)
            assert event.number not in self.told
            self.told[event.number] = event
            self.unhealthy += not event.healthy


@contextmanager
def writing(state_dir: Path, journal_dir: Path, name: str) -> Iterator[Follower]:
    command = [sys.executable, "-m", "tests.component.call_store.event_writer", str(state_dir), str(journal_dir), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        try:
            follower = Follower(process)
            follower.read(0.001)  # it has begun
            yield follower
        finally:
            process.kill()


async def everything(store: SqliteCallStore) -> list[LoggedEvent]:
    found: list[LoggedEvent] = []
    position = 0
    while (page := await store.events.after(position)).position > position:
        found += page.events
        position = page.position
    return found


def content(event: Told) -> tuple[Any, ...]:
    return event.name, event.call_id, event.data


async def test_over_many_kills_no_number_is_missing_and_none_has_two_contents(
    state_dir: Path, journal_dir: Path, opened: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(16)
    told: dict[int, Told] = {}
    in_trouble = 0
    store = await opened()
    begin = store.events.last
    for round_ in range(ROUNDS):
        await store.close()
        with writing(state_dir, journal_dir, f"round{round_}") as follower:
            follower.read(chance.uniform(0, 0.1))
            # Every other round another program locks the file, and lets it go before the death, or after.
            with locked_by_another(store.path) if round_ % 2 else nullcontext():
                follower.read(chance.uniform(0.01, 0.1))
                if dies_locked := chance.random() < 0.5:
                    follower.kill()
            if not dies_locked:
                follower.read(chance.uniform(0, 0.05))
                follower.kill()
        assert not told.keys() & follower.told.keys(), "a number was told again"
        told |= follower.told
        in_trouble += follower.unhealthy
        store = await opened()
        events = await everything(store)
        assert [event.number for event in events] == list(range(begin + 1, begin + 1 + len(events)))
        kept = {event.number: Told.of(event) for event in events}
        assert [number for number in told if content(told[number]) != content(kept[number])] == []
        assert_calls_and_events_agree(store, list(kept.values()))
    assert in_trouble, "the lock was never met"
    with capsys.disabled():
        sys.stdout.write(f"[{ROUNDS} kills: {len(told)} events told, {in_trouble} of them while locked] ")


def assert_calls_and_events_agree(store: SqliteCallStore, events: list[Told]) -> None:
    """A change of a call and the event that tells it are stored together, or neither is."""
    states: dict[str, list[str]] = {}
    for event in events:
        if event.call_id and event.name.startswith("call."):
            states.setdefault(event.call_id, []).append(event.data["state"])
    for call_id, seen in states.items():
        call = store.get(call_id)
        assert call, f"{call_id} has events, and is not stored"
        assert seen == [state.value for state in LIFE[: LIFE.index(call.state) + 1]]
    told_live = {call_id for call_id, seen in states.items() if seen[-1] != CallState.ENDED.value}
    assert {call.id for call in store.live()} == told_live
