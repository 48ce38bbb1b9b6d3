"""Killing the process of `server_process`, and reading what it had said."""

import random
import subprocess
import sys
import time
from pathlib import Path

from tests.component.call_store.conftest import ROOT


def ended_until_killed(state_dir: Path, name: str, chance: random.Random, url: str = "") -> list[str]:
    """The calls whose end was acknowledged, in a process that was killed some moments after its first one."""
    command = [sys.executable, "-m", "tests.component.cdr.server_process", str(state_dir), name, url]
    ended: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout
        try:
            end = None
            while end is None or time.monotonic() < end:
                line = process.stdout.readline()
                assert line, "it ended by itself"
                end = end or time.monotonic() + chance.uniform(0, 0.4)
                ended.append(line.decode().strip())
        finally:
            process.kill()
        for line in process.stdout:
            if line.endswith(b"\n"):  # a line without its end was said by nobody
                ended.append(line.decode().strip())
    return ended
