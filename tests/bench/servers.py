"""What is measured, each in a process of its own: the front end as it is shipped, and the least script."""

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from deploy.demo.process import Process, die_with_parent
from tests.real import free_ports

START_SECONDS = 15.0


class Server:
    """A running server: where its WebSocket is, and what it has used up so far."""

    def __init__(self, process: Process, port: int) -> None:
        self.ws_url = f"ws://{free_ports.HOST}:{port}/ws"
        self._process = process
        self._port = port

    def cpu(self) -> float:
        """Seconds of CPU that all its threads have taken (/proc/PID/task/*/schedstat, which counts nanoseconds)."""
        tasks = Path(f"/proc/{self._process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory(self) -> int:
        """Bytes that are its own (USS, /proc/PID/smaps_rollup): what would be free if it ended."""
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Private_"))

    async def ready(self, health: bool) -> None:
        """Waits until it serves; `health`: until it also says that all its peers are there. Raises TimeoutError."""
        async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
            while True:
                self._process.require_running()
                try:
                    async with session.get(f"http://{free_ports.HOST}:{self._port}/health") as response:
                        if response.status == 200 or not health:
                            return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)


@contextmanager
def front_end(folder: Path, peers: Mapping[str, str], **settings: str) -> Iterator[Server]:
    """`ari-bridge serve` with the settings that it is shipped with, but for sign-in, ports and routes."""
    port = free_ports.ports(1)[0]
    environment = {
        **peers,
        "HTTP_PORT": str(port),
        "WS_PORT": "0",
        "ENABLE_AUTHENTICATION": "false",
        "CORS_ORIGIN": "loopback",
        "DIAL_ROUTES": "7xxx=PJSIP/{target}@trunk",
        "LOG_FORMAT": "json",
        "DRAIN_SECONDS": "0",
        "STATE_DIR": str(folder / f"state-{port}"),
        **settings,
    }
    command = [str(Path(sys.executable).with_name("ari-bridge")), "serve"]
    with _running("front-end", command, folder, environment) as process:
        yield Server(process, port)


@contextmanager
def bare_script(folder: Path, peers: Mapping[str, str], *, wake: bool) -> Iterator[Server]:
    port = free_ports.ports(1)[0]
    environment = {**peers, "PORT": str(port), "WAKE": "1" if wake else "0"}
    name = "bare-woken" if wake else "bare"
    with _running(name, [sys.executable, "-m", "tests.bench.bare"], folder, environment) as process:
        yield Server(process, port)


@contextmanager
def _running(name: str, command: list[str], folder: Path, environment: Mapping[str, str]) -> Iterator[Process]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}  # no settings of ours
    project = str(Path(__file__).parents[2])
    process = Process(
        name,
        die_with_parent(command),
        log=folder / f"{name}.log",
        pid_file=folder / f"{name}.pid",
        env={**kept, "PYTHONPATH": project, **environment},
    )
    try:
        yield process
    finally:
        process.stop()
