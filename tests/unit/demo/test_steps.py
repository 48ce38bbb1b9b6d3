"""Steps say little when all goes well, and where to look when it does not."""

from pathlib import Path

import pytest

from deploy.demo.steps import StepFailed, Steps


def test_what_a_tool_prints_goes_to_the_log_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps(tmp_path / "log")
    with steps.step("packages"):
        steps.run(["sh", "-c", "echo unpacking; echo noise >&2"])
    assert capsys.readouterr().out.startswith("  ✓ packages  ")
    log = (tmp_path / "log").read_text()
    assert "unpacking" in log
    assert "noise" in log


def test_a_failure_names_the_log_and_shows_its_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps(tmp_path / "log")
    with pytest.raises(StepFailed) as caught, steps.step("packages"):
        steps.run(["sh", "-c", "echo no such package; exit 100"])
    assert "✗ packages" in capsys.readouterr().out
    assert str(tmp_path / "log") in str(caught.value)
    assert caught.value.tail == "no such package"


def test_a_tool_that_is_not_there_is_a_failure_like_others(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="no-such-tool"):
        Steps(tmp_path / "log").run(["no-such-tool"])
