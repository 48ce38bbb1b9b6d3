"""kill -9 takes nothing back that `save` has acknowledged, whatever state the file is in."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from ari_bridge.call_store import StoreRefused
from ari_bridge.fsm.call import CallState
from tests.component.call_store.conftest import ROOT, a_call, locked_by_another
from tests.component.call_store.writer import LIFE

ROUNDS = 20


class Writer:
    """`acknowledged`: by call id, the last state that it said was saved. `unhealthy`: saves in trouble."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.acknowledged: dict[str, CallState] = {}
        self.unhealthy = 0
        self.healthy = True

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

    def _take(self, line: bytes) -> None:
        assert line, "the writer ended by itself"
        if line.endswith(b"\n"):
            call_id, state, healthy = line.decode().split()
            self.acknowledged[call_id] = CallState[state]
            self.healthy = healthy == "True"
            self.unhealthy += not self.healthy


@contextmanager
def writing(state_dir: Path, journal_dir: Path, name: str) -> Iterator[Writer]:
    command = [sys.executable, "-m", "tests.component.call_store.writer", str(state_dir), str(journal_dir), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        try:
            writer = Writer(process)
            writer.read(0.001)  # it has begun
            yield writer
        finally:
            process.kill()


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
        with writing(state_dir, journal_dir, f"round{round_}") as writer:
            writer.read(chance.uniform(0, 0.1))
            # Every other round another program locks the file, and lets it go before the death, or after.
            with locked_by_another(store.path) if round_ % 2 else nullcontext():
                writer.read(chance.uniform(0.01, 0.1))
                if dies_locked := chance.random() < 0.5:
                    writer.kill()
            if not dies_locked:
                writer.read(chance.uniform(0, 0.05))
                writer.kill()
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
    with writing(state_dir, journal_dir, "first") as writer:
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
