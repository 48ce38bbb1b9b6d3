"""kill -9 at any moment: no number of the event log is missing, none has two contents, and all told are kept."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ari_bridge.call_store import SqliteCallStore
from ari_bridge.event_log import LoggedEvent
from ari_bridge.fsm.call import CallState
from tests.component.call_store.event_writer import Told
from tests.component.call_store.killed_writer import KilledWriter
from tests.component.call_store.writer import LIFE

ROUNDS = 20

_decoder = msgspec.json.Decoder(Told)


class Follower(KilledWriter):
    """`told`: by number. `unhealthy`: events that were told in trouble."""

    module = "tests.component.call_store.event_writer"

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        super().__init__(process)
        self.told: dict[int, Told] = {}
        self.unhealthy = 0

    def take(self, line: bytes) -> None:
        event = _decoder.decode(line)
        assert event.number not in self.told
        self.told[event.number] = event
        self.unhealthy += not event.healthy


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
        with Follower.writing(state_dir, journal_dir, f"round{round_}") as follower:
            follower.live_and_die(chance, store.path, locked=bool(round_ % 2))
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
