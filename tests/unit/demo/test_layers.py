"""How the line of a test layer is counted."""

import sys
from pathlib import Path

import pytest

from tests import run_layers
from tests.run_layers import Layer


@pytest.mark.parametrize(
    ("output", "status", "expected"),
    [
        ("3 passed, 1 skipped in 0.10s", 0, (3, 0, 1)),
        ("1 failed, 2 passed in 0.10s", 1, (2, 1, 0)),
        ("1 error in 1.89s", 2, (0, 1, 0)),
        ("All checks passed!", 0, (1, 0, 0)),
        ("Found 7 things", 1, (0, 1, 0)),
    ],
)
def test_counts(
    output: str, status: int, expected: tuple[int, int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_layers, "LOGS", tmp_path)
    program = f"import sys; print({output!r}); sys.exit({status})"
    result = run_layers.run(Layer("style", "a tool", ((sys.executable, "-c", program),), folder=tmp_path))
    assert (result.passed, result.failed, result.skipped) == expected
    assert result.log == tmp_path / "style.log"
