"""kill -9 takes nothing back that `save` has acknowledged, whatever state the file is in."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ari_bridge.call_store import StoreRefused
from ari_bridge.fsm.call import CallState
from tests.component.call_store.conftest import a_call
from tests.component.call_store.killed_writer import KilledWriter
from tests.component.call_store.writer import LIFE

ROUNDS = 20


class Writer(KilledWriter):
    """`acknowledged`: by call id, the last state that it said was saved. `unhealthy`: saves in trouble.

    `healthy`: whether the last one was not.
    """

    module = "tests.component.call_store.writer"

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        super().__init__(process)
        self.acknowledged: dict[str, CallState] = {}
        self.unhealthy = 0
        self.healthy = True

    def take(self, line: bytes) -> None:
        call_id, state, healthy = line.decode().split()
        self.acknowledged[call_id] = CallState[state]
        self.healthy = healthy == "True"
        self.unhealthy += not self.healthy


def missing(store: Any, acknowledged: dict[str, CallState]) -> list[str]:
    """What the store knows less of than was acknowledged."""
    found = {call_id: store.get(call_id) for call_id in acknowledged}
    return [
        f"{call_id} {state.name} {found[call_id]}"
        for call_id, state in acknowledged.items()
        if found[call_id] is None or LIFE.index(found[call_id].state) < LIFE.index(state)
    ]


async def test_a_writer_that_is_killed_at_any_moment_has_lost_nothing(
    state_dir: Path, journal_dir: Path, opened: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(4)
    acknowledged: dict[str, CallState] = {}
    in_trouble = 0
    store = await opened()
    for round_ in range(ROUNDS):
        await store.close()
        with Writer.writing(state_dir, journal_dir, f"round{round_}") as writer:
            writer.live_and_die(chance, store.path, locked=bool(round_ % 2))
        acknowledged |= writer.acknowledged
        in_trouble += writer.unhealthy
        store = await opened()
        assert missing(store, acknowledged) == []
        lived = {call_id for call_id, state in writer.acknowledged.items() if state is not CallState.ENDED}
        known = {call.id for call in store.live()}
        assert all(store.get(call_id).state is CallState.ENDED for call_id in lived - known)
    assert in_trouble, "the lock was never met"
    with capsys.disabled():
        sys.stdout.write(f"[{ROUNDS} kills: {len(acknowledged)} calls acknowledged, {in_trouble} saves while locked] ")


async def test_the_lock_ends_with_the_process(state_dir: Path, journal_dir: Path, opened: Any) -> None:
    with Writer.writing(state_dir, journal_dir, "first") as writer:
        with pytest.raises(StoreRefused, match=f"{state_dir} is in use .*process {writer.process.pid}"):
            await opened()
        writer.read(0.05)
        writer.kill()
        writer.process.wait()
        store = await opened()
    assert store.healthy
    assert missing(store, writer.acknowledged) == []
    store.save(a_call("next"))
    assert store.get("next")
