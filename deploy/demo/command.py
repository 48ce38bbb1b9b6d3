"""The command `ari-bridge` as it stands in the project's own `.venv`: the same, and it knows the demo.

Beside a running demo `ari-bridge doctor`, `user`, `calls` and the like are about the demo, unless settings of one's own
say otherwise.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import sys
from pathlib import Path

_WITHOUT_DEMO = {"serve", "call", "version", "--help"}
"""A server of one's own, what speaks to one by its address, and what needs no settings."""


def main() -> None:
    """Runs `ari-bridge` with the arguments of this process."""
    if sys.argv[1:] and sys.argv[1] not in _WITHOUT_DEMO:
        from deploy.demo import install

        use_settings_of_demo(install.STATE)
    # Not above: where the demo is installed there need not be a front end yet.
    from frontend.cli.__main__ import main as command

    command()


def use_settings_of_demo(state: Path) -> None:
    """Puts the settings of the demo that runs in the folder `state` into the environment, where there are no others."""
    if os.environ.get("ARI_PASSWORD") or Path(".env").exists() or not _runs(state):
        return
    for line in (state / "env").read_text().splitlines():
        name, found, value = line.partition("=")
        if found and not name.startswith("#"):
            os.environ.setdefault(name, "".join(shlex.split(value)))
    sys.stderr.write(f"The demo runs: its settings, {state / 'env'}, are used.\n")


def _runs(state: Path) -> bool:
    """True while a demo holds its lock."""
    try:
        with (state / "lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
