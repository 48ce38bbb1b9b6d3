"""A browser's own network: a namespace with several paths to this machine, each of which can be cut or made bad.

The machine's side has one service address, where front end and rtpengine listen; the namespace reaches it over
whichever path its default route names, and has an address of its own on each path. Needs root and /dev/net/tun.
All of it is gone when the `async with` ends, also after a failure.
"""

import asyncio
import json
import os
import random
import shutil
import sys
from contextlib import AsyncExitStack

from tests.real.parts import require_installed

TUN = "/dev/net/tun"


class CommandFailed(Exception):
    """`ip` refused; its own words."""


async def run(*command: str) -> None:
    """Raises CommandFailed."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    words, _ = await process.communicate()
    if process.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: {words.decode(errors='replace').strip()}")


class Way:
    """One path: a cable between this machine and the namespace. `address`: the namespace's own on it."""

    def __init__(self, name: str, inside: str, namespace: str, address: str, gateway: str) -> None:
        self.address = address
        self._name = name  # of this machine's end
        self._inside = inside  # of the namespace's end, there
        self._namespace = namespace
        self._gateway = gateway
        self._process: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        """The cable lies, but the namespace does not use it yet."""
        far_end = f"{self._name}f"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.chaos.cable", self._name, far_end),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        await self._said("ready")
        await run("ip", "link", "set", far_end, "netns", self._namespace, "name", self._inside)
        await run("ip", "address", "add", self._gateway, "peer", self.address, "dev", self._name)
        await run("ip", "link", "set", self._name, "up")

    async def close(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()  # its devices vanish with it
            await self._process.wait()
            self._process = None

    async def plug_in(self) -> None:
        """The namespace gets its address on this path, and a default route over it."""
        within = _ip_within(self._namespace)
        await run(*within, "address", "replace", self.address, "peer", self._gateway, "dev", self._inside)
        await run(*within, "link", "set", self._inside, "up")
        await run(*within, "route", "replace", "default", "via", self._gateway, "dev", self._inside)

    async def unplug(self) -> None:
        """The path is lost, and its address with it, as when a laptop leaves a network."""
        within = _ip_within(self._namespace)
        await run(*within, "link", "set", self._inside, "down")
        await run(*within, "address", "flush", "dev", self._inside)

    async def make_bad(self, *, loss: float = 0.0, delay: float = 0.0, jitter: float = 0.0) -> None:
        """From now on it loses this share of packets, each way, and delays them by these seconds. All 0: good again."""
        assert self._process and self._process.stdin
        self._process.stdin.write(json.dumps({"loss": loss, "delay": delay, "jitter": jitter}).encode() + b"\n")
        await self._said("done")

    async def _said(self, word: str) -> None:
        assert self._process and self._process.stdout
        if (await self._process.stdout.readline()).strip() != word.encode():
            raise CommandFailed(f"the cable {self._name} could not be laid")


def _within(namespace: str) -> tuple[str, ...]:
    """What a command must begin with to run inside. Not `ip netns exec`, which wants / to be a mount point."""
    return ("nsenter", f"--net=/run/netns/{namespace}", "--")


def _ip_within(namespace: str) -> tuple[str, ...]:
    return (*_within(namespace), "ip")


class Network:
    """`async with Network() as network`: the first way is plugged in, the second is not.

    `service`: the address that servers on this machine bind, reached from the namespace. `enter`: what a command must
    begin with to run inside.
    """

    def __init__(self) -> None:
        number = random.randrange(1, 250)
        self._name = f"chaos{os.getpid() % 100000}"
        self.service = f"10.{number}.0.1"
        self.enter = _within(self._name)
        # Names that a browser takes for a cable and for a wireless network.
        self.ways = tuple(
            Way(f"{self._name[-8:]}{letter}", inside, self._name, f"10.{number}.{place}.2", f"10.{number}.{place}.1")
            for place, (letter, inside) in enumerate((("a", "eth0"), ("b", "wlan0")), start=1)
        )
        self._made = AsyncExitStack()

    async def __aenter__(self) -> "Network":
        _require()
        try:
            await run("ip", "netns", "add", self._name)
            self._made.push_async_callback(run, "ip", "netns", "delete", self._name)
            await run(*_ip_within(self._name), "link", "set", "lo", "up")
            await run("ip", "address", "add", f"{self.service}/32", "dev", "lo")
            self._made.push_async_callback(run, "ip", "address", "delete", f"{self.service}/32", "dev", "lo")
            for way in self.ways:
                self._made.push_async_callback(way.close)
                await way.open()
            await self.ways[0].plug_in()
        except BaseException:
            await self._made.aclose()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._made.aclose()


def _require() -> None:
    """Skips the test where a network cannot be made."""
    require_installed(os.geteuid() == 0 and os.path.exists(TUN), "root with /dev/net/tun")
    require_installed(shutil.which("ip") is not None, "iproute2")
