"""Ctrl-C, however it comes: from the terminal, by `kill`, or to make alone. It is raised once, as KeyboardInterrupt."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LOOK_EVERY = 0.25  # seconds


def on_signals() -> None:
    """From now on each of these signals raises KeyboardInterrupt in the main thread; further ones are ignored.

    Also where we were started with SIGINT ignored, as a shell's background jobs are.
    """
    for number in STOPPING:
        signal.signal(number, _interrupt)
    threading.Thread(target=_heed_make, args=(os.getppid(),), daemon=True).start()


def _interrupt(number: int, frame: FrameType | None) -> None:
    # A second signal must not break off the stopping.
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _heed_make(parent: int) -> None:
    """Passes on a SIGINT that only make was sent, by `kill -INT` or a script: it then waits for us, who know nothing.

    While make waits it blocks the signal, which it never does otherwise for long.
    """
    make = Path(f"/proc/{parent}")
    seen = 0
    try:
        if (make / "comm").read_text().strip() not in ("make", "gmake"):
            return
        while seen < 2:
            time.sleep(LOOK_EVERY)
            [mask] = [line.split()[1] for line in (make / "status").read_text().splitlines() if "SigBlk" in line]
            seen = seen + 1 if int(mask, 16) & 1 << (signal.SIGINT - 1) else 0
    except (OSError, ValueError):
        return  # it is gone, and we are told of that by another signal
    os.kill(os.getpid(), signal.SIGINT)
