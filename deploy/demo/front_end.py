"""Runs the front end as a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path

from deploy.demo import install
from deploy.demo.process import Process, die_with_parent
from deploy.demo.program import Program

NICENESS = -10


class FrontEnd(Program):
    """The front end with the settings `environment`, at `url`; `certificate` is what it shows, when that is https."""

    STOP_SECONDS = 10.0  # it drains on SIGTERM: tells the pages, waits a moment, writes what it knows

    def __init__(
        self, run_dir: Path, *, environment: Mapping[str, str], url: str, certificate: Path | None = None
    ) -> None:
        super().__init__("front end", run_dir / "front-end.log")
        self._pid_file = run_dir / "front-end.pid"
        self._environment = environment
        self._health = f"{url}/health"
        self._certificate = certificate

    def launch(self) -> Process:
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

    def ready(self) -> bool:
        """True when it answers, be it that something else is missing."""
        return self._ask()[0] != 0

    def ailment(self) -> str:
        """Healthy is what says so at `/health`: then Asterisk and rtpengine are reached too."""
        status, said = self._ask()
        return "" if status == 200 else f"{self._health}: {said}"

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
