"""Runs the front end as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from types import TracebackType

from deploy.demo import install
from deploy.demo.process import Process, ProgramFailed, die_with_parent

NICENESS = -10
LEAVING_SECONDS = 10.0  # it drains on SIGTERM: tells the pages, waits a moment, writes what it knows


class FrontEnd:
    """The front end with the settings `environment`, at `url`; `certificate` is what it shows, when that is https."""

    def __init__(
        self, run_dir: Path, *, environment: Mapping[str, str], url: str, certificate: Path | None = None
    ) -> None:
        self.name = "front end"
        self.log = run_dir / "front-end.log"
        self.process: Process | None = None  # the last that was launched; None before, and once stopped
        self._pid_file = run_dir / "front-end.pid"
        self._environment = environment
        self._health = f"{url}/health"
        self._certificate = certificate

    def start(self, *, deadline: float = 30.0) -> None:
        """Starts it and waits until `/health` says 200: then Asterisk and rtpengine are reached too.

        Raises `ProgramFailed` after `deadline` seconds or when it ends at once.
        """
        process = self.launch()
        try:
            self._wait_until_healthy(process, deadline)
        except BaseException:
            self.stop()
            raise

    def launch(self) -> Process:
        """Starts it, or starts it again when it has died, and does not wait."""
        again = self.process is not None
        self.stop()
        self.process = Process(
            self.name,
            die_with_parent([str(install.VENV / "bin" / "ari-bridge"), "serve"]),
            log=self.log,
            pid_file=self._pid_file,
            env={**os.environ, **self._environment},
            again=again,
        )
        _prefer(self.process.pid)
        return self.process

    def stop(self) -> None:
        """Ends it. Not running is fine."""
        if self.process is not None:
            self.process.stop(patience=LEAVING_SECONDS)
            self.process = None

    def ready(self) -> bool:
        """True when it answers, be it that something else is missing."""
        return self._ask()[0] != 0

    def __enter__(self) -> FrontEnd:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _wait_until_healthy(self, process: Process, deadline: float) -> None:
        end = time.monotonic() + deadline
        said = "no answer yet"
        while time.monotonic() < end:
            process.require_running()
            status, said = self._ask()
            if status == 200:
                return
            time.sleep(0.1)
        raise ProgramFailed(self.name, f"{self._health} within {deadline:.0f} s: {said}", self.log)

    def _ask(self) -> tuple[int, str]:
        """The status of `/health` and what it says; status 0 when there is no answer."""
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if self._certificate:
            trust = ssl.create_default_context(cafile=self._certificate)
            handlers.append(urllib.request.HTTPSHandler(context=trust))
        try:
            with urllib.request.build_opener(*handlers).open(self._health, timeout=2) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            return error.code, _reasons(error.read())
        except (OSError, HTTPException) as error:
            return 0, str(error)


def _prefer(pid: int) -> None:
    """Lets a process go before other work, where we may: pages wait for its start, and it needs little.

    By its session too, which is what counts where the kernel shares out by session (sched(7), autogroup).
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICENESS)
        Path(f"/proc/{pid}/autogroup").write_text(str(NICENESS))


def _reasons(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body))[:400]
    except ValueError:
        return body[:400].decode(errors="replace")
