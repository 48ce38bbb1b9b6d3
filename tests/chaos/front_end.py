"""The real front end as a process of its own, with its state folder kept over restarts: killed, stopped, replaced."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import aiohttp

from deploy.demo.process import die_with_parent
from tests.real import free_ports
from tests.real.journals import remove_journal

NOTHING: Mapping[str, str] = MappingProxyType({})
PROJECT = Path(__file__).parents[2]
SERVE = (sys.executable, "-c", "from frontend.cli.__main__ import main; main()", "serve")
_STARTER = ThreadPoolExecutor(1)
"""What it starts dies with the thread that started it, so this one lives as long as the program."""


def megabytes(pid: int) -> float:
    """A process's resident memory, by proc(5)."""
    [kilobytes] = [
        line.split()[1] for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS:")
    ]
    return int(kilobytes) / 1000


class NotServing(Exception):
    """The front end did not come up, or did not leave; with the last lines of its log."""


class FrontEnd:
    """One `ari-bridge serve` at a time, always on the same port. `environment`: its settings, by their names.

    Its working folder is `folder` (so that no `.env` is read), its state stands in `folder/state`, and the logs of
    all its lives follow each other in `folder/front-end.log`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        [self.port] = free_ports.ports(1)
        self.url = f"http://{free_ports.HOST}:{self.port}"
        self.ws_url = f"ws://{free_ports.HOST}:{self.port}/ws"
        self.state = folder / "state"
        self.log = folder / "front-end.log"
        self._folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{PROJECT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HTTP_PORT": str(self.port),
            "WS_PORT": "0",
            "STATE_DIR": str(self.state),
            "TOKEN_SECRET_FILE": str(folder / "token-secret"),
            "LOG_LEVEL": "debug",
            **environment,
        }
        self._child: subprocess.Popen[bytes] | None = None
        self._session: aiohttp.ClientSession | None = None

    # --- its life --------------------------------------------------------------

    async def start(self, environment: Mapping[str, str] = NOTHING, *, seconds: float = 20.0) -> float:
        """Starts it; the seconds until `/health` answers 200. `environment` goes on top. Raises NotServing."""
        began = time.monotonic()
        await self.spawn(environment)
        await self.healthy(seconds=seconds)
        return time.monotonic() - began

    async def spawn(self, environment: Mapping[str, str] = NOTHING) -> None:
        """Starts it and waits for nothing."""
        assert self.exited, "one at a time"
        await asyncio.get_running_loop().run_in_executor(_STARTER, self._spawn, environment)

    def _spawn(self, environment: Mapping[str, str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                die_with_parent(SERVE),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={**self._environment, **environment},
                start_new_session=True,
            )

    async def healthy(self, *, seconds: float = 20.0) -> None:
        """Waits until `/health` answers 200. Raises NotServing."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.exited:
                raise NotServing(f"it ended with status {self.status}:\n{self.last_words()}")
            if await self.health() == 200:
                return
            await asyncio.sleep(0.01)
        raise NotServing(f"not healthy within {seconds:g} s:\n{self.last_words()}")

    async def kill(self) -> None:
        """kill -9; gone when this returns."""
        assert self._child
        self._child.kill()
        await self.gone()

    async def leave(self, *, seconds: float = 15.0) -> float:
        """SIGTERM; the seconds until it was gone. Raises NotServing where it stays longer."""
        assert self._child
        began = time.monotonic()
        self._child.terminate()
        await self.gone(seconds=seconds)
        return time.monotonic() - began

    async def gone(self, *, seconds: float = 10.0) -> None:
        """Waits until it has ended, for whatever reason. Raises NotServing."""
        end = time.monotonic() + seconds
        while not self.exited:
            if time.monotonic() > end:
                raise NotServing(f"still there after {seconds:g} s:\n{self.last_words()}")
            await asyncio.sleep(0.005)

    def freeze(self) -> None:
        """It gets no CPU until `thaw`."""
        assert self._child
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._child
        self._child.send_signal(signal.SIGCONT)

    async def close(self) -> None:
        """Ends it without ceremony, then the calls that outlive it. Not running is fine."""
        if not self.exited:
            await self.kill()
        await self._end_calls()
        if self._session:
            await self._session.close()
            self._session = None
        remove_journal(self.state)

    # --- what it says -----------------------------------------------------------

    @property
    def pid(self) -> int:
        assert self._child
        return self._child.pid

    @property
    def status(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._child.poll() if self._child else None

    @property
    def exited(self) -> bool:
        return self._child is None or self._child.poll() is not None

    def megabytes(self) -> float:
        """Resident memory."""
        return megabytes(self.pid)

    def last_words(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    async def health(self) -> int:
        """The status of `/health`; 0 where nobody answers."""
        try:
            async with self._http().get(f"{self.url}/health") as response:
                return response.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            return 0

    async def get(self, path: str) -> Any:
        """The JSON at `path`, whatever its status. Raises aiohttp.ClientError."""
        async with self._http().get(f"{self.url}{path}") as response:
            return await response.json()

    async def _end_calls(self) -> None:
        """Deletes every channel and bridge in its Asterisk: the next front end would keep those that talk."""
        pbx = self._environment
        sign_in = {"Authorization": aiohttp.encode_basic_auth(pbx["ARI_USER"], pbx["ARI_PASSWORD"])}
        timeout = aiohttp.ClientTimeout(total=3)
        try:
            async with aiohttp.ClientSession(headers=sign_in, timeout=timeout) as ari:
                for kind in ("channels", "bridges"):
                    async with ari.get(f"{pbx['ARI_URL']}/{kind}") as response:
                        listed = await response.json()
                    for item in listed:
                        async with ari.delete(f"{pbx['ARI_URL']}/{kind}/{quote(item['id'])}"):
                            pass  # 404: it went by itself
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass  # an Asterisk that is gone has no calls

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3))
        return self._session
