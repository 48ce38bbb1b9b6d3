"""kill -9 at any moment: no ended call is without its row after the next start."""

import random
import sys
from pathlib import Path

import pytest

from tests.component.cdr.conftest import NOW, a_server
from tests.component.cdr.eventually import recorded
from tests.component.cdr.killed import ended_until_killed

ROUNDS = 6


async def test_every_call_that_had_ended_gets_its_row(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(5)
    ended: list[str] = []
    lacked = 0
    for round_ in range(ROUNDS):
        ended += ended_until_killed(state_dir, f"round{round_}", chance)
        async with a_server(state_dir, started=False) as server:
            await server.records._database.open()
            lacked += len(await server.records._database.missing([(NOW + 60, call_id) for call_id in ended[-200:]]))
        async with a_server(state_dir) as server:
            await recorded(server, ended)
    assert lacked, "the kill never came between a call's end and its row"
    with capsys.disabled():
        sys.stdout.write(f"[{ROUNDS} kills: {len(ended)} calls, {lacked} of them without a row yet] ")
