"""The benchmark runs, whatever its figures are."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.demo import rootfs
from tests.bench.report import ROWS
from tests.real.parts import require_installed


def test_a_short_run_prints_every_row() -> None:
    require_installed(rootfs.find("16") is not None, "Asterisk 16")
    require_installed(shutil.which("rtpengine") is not None, "rtpengine")
    command = [sys.executable, "-m", "tests.bench", "--calls", "2", "--held", "2"]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stdout + run.stderr
    for row in ROWS:
        assert row.title in run.stdout
    assert "failed" not in run.stdout
    left = ", ".join(re.findall("left in Asterisk after the calls: (.*)", run.stdout))
    assert "-" not in left, left  # the engine names its own CALL-far; what a script loses is the script's


def test_the_gates_are_measured() -> None:
    command = [sys.executable, "-m", "tests.bench.gates", "--calls", "10", "--users", "30"]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=100)
    assert run.returncode == 0, run.stdout + run.stderr
    for figure in ("start with 30 users", "a page of users", "CPU of a call", "from a user's lock"):
        assert figure in run.stdout
