"""The plugin that the documentation shows works as it says."""

from pathlib import Path

import pytest

from ari_bridge.fsm.call import Call, Direction
from ari_bridge.hooks import CallEnded, Hooks, load_plugins
from ari_bridge.outcomes import Outcome


def test_missed_calls_are_written_and_answered_ones_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "missed.log"
    monkeypatch.setenv("MISSED_CALLS_FILE", str(file))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs" / "examples"))
    hooks = Hooks()
    load_plugins(hooks, ["missed_calls"])
    hooks.emit(CallEnded(Call("c1", Direction.INBOUND, "1001", "42", 1.0, outcome=Outcome.NO_ANSWER)))
    hooks.emit(CallEnded(Call("c2", Direction.INBOUND, "1001", "43", 1.0, answered_at=2.0, outcome=Outcome.COMPLETED)))
    hooks.emit(CallEnded(Call("c3", Direction.OUTBOUND, "600", "1001", 1.0, outcome=Outcome.BUSY)))
    elsewhere = Call("c4", Direction.INBOUND, "1001", "44", 1.0, outcome=Outcome.ANSWERED_ELSEWHERE)
    hooks.emit(CallEnded(elsewhere))
    hooks.close()
    lines = file.read_text().splitlines()
    assert len(lines) == 1
    assert lines[0].endswith("42 called 1001: no_answer")
