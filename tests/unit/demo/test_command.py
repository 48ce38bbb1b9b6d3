"""`ari-bridge` beside a running demo is about the demo, unless it is told otherwise."""

import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo import command, install
from deploy.demo.command import use_settings_of_demo
from frontend.cli import __main__ as cli


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a demo that runs; no settings in the environment or in the folder we are in."""
    monkeypatch.chdir(tmp_path)
    for name in ("ARI_PASSWORD", "PHONE_BOOK"):
        monkeypatch.setenv(name, "")  # so that what is set in the test is taken back after it
        monkeypatch.delenv(name)
    (tmp_path / "env").write_text("# settings\nARI_PASSWORD=secret\nPHONE_BOOK='600=Echo,601=A tone'\n")
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


def test_the_settings_of_a_running_demo_are_used(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    use_settings_of_demo(state)
    assert os.environ["ARI_PASSWORD"] == "secret"
    assert os.environ["PHONE_BOOK"] == "600=Echo,601=A tone"
    assert str(state / "env") in capsys.readouterr().err


def test_settings_of_ones_own_go_first(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARI_PASSWORD", "mine")
    use_settings_of_demo(state)
    assert os.environ["ARI_PASSWORD"] == "mine"
    assert "PHONE_BOOK" not in os.environ


def test_a_file_of_ones_own_goes_first(state: Path) -> None:
    (state / ".env").write_text("ARI_PASSWORD=mine\n")
    use_settings_of_demo(state)
    assert "ARI_PASSWORD" not in os.environ


def test_a_demo_that_has_ended_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARI_PASSWORD", raising=False)
    (tmp_path / "env").write_text("ARI_PASSWORD=secret\n")
    (tmp_path / "lock").write_text("1\n")
    use_settings_of_demo(tmp_path)
    use_settings_of_demo(tmp_path / "none")
    assert "ARI_PASSWORD" not in os.environ


@pytest.mark.parametrize("arguments", [["user", "list"], ["calls", "list"], ["dial-check", "1001", "600"], ["doctor"]])
def test_what_an_operator_does_is_about_the_demo(
    state: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    seen: list[str | None] = []
    monkeypatch.setattr(install, "STATE", state)
    monkeypatch.setattr(cli, "main", lambda: seen.append(os.environ.get("ARI_PASSWORD")))
    monkeypatch.setattr(sys, "argv", ["ari-bridge", *arguments])
    command.main()
    assert seen == ["secret"]
