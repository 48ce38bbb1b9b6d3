"""Ctrl-C reaches the demo by whatever way it comes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
PROGRAM = """
import time
from deploy.demo import interrupt
interrupt.on_signals()
try:
    print("ready", flush=True)
    while True:
        time.sleep(0.05)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def heed_interrupts() -> None:
    """make, unlike the demo, goes on ignoring SIGINT where it was started so: as by tests in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_stops_it(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=PROJECT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        assert demo.stdout.readline() == "ready\n"
        demo.send_signal(number)
        assert demo.stdout.read() == "stopped\n"
        assert demo.wait(10) == 0


def test_an_interrupt_that_only_make_was_sent(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "Makefile").write_text(f"demo:\n\t@cd {PROJECT} && exec {sys.executable} {tmp_path}/program.py\n")
    # Without what `make test` tells the makes below it.
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment = {**own, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        ["make", "demo"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        preexec_fn=heed_interrupts,
    ) as make:
        assert make.stdout is not None
        assert make.stdout.readline() == "ready\n"
        make.send_signal(signal.SIGINT)
        assert make.stdout.read() == "stopped\n"
        make.wait(10)
