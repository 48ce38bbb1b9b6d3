"""The whole system, each part a process that can be killed: Asterisk, two rtpengines, the front end, a phone.

`leftovers` asks Asterisk's console and rtpengine themselves, and not the front end, what is left of any call.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp

from ari_bridge.errors import PeerError
from ari_bridge.media.ng import NgClient
from deploy.demo.asterisk import Asterisk
from deploy.demo.rtpengine import Rtpengine
from tests.chaos.far import Far
from tests.chaos.front_end import NOTHING, FrontEnd
from tests.real import free_ports
from tests.real.parts import Pbx, new_pbx
from tests.real.sipp import Sipp

ROUTES = "7xxx=PJSIP/{target}@trunk"
RELEASE_SECONDS = 8.0
"""The longest that the release of everything may take: the grace of a page, a sweep, and some."""
_PARTS = ThreadPoolExecutor(1)
"""What it starts dies with the thread that started it, so this one lives as long as the program."""
T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Runs what blocks, so that media in this process goes on; and in one thread, that no child loses its parent."""
    return await asyncio.get_running_loop().run_in_executor(_PARTS, work)


class System:
    """`pbx`, `nodes` and `front_end` run; `far` answers every 7xxx call and talks."""

    def __init__(self, pbx: Pbx, nodes: list[Rtpengine], front_end: FrontEnd, far: Far, folder: Path) -> None:
        self.pbx = pbx
        self.nodes = nodes
        self.front_end = front_end
        self.far = far
        self.folder = folder

    # --- what can be killed -------------------------------------------------------

    def kill_asterisk(self) -> None:
        os.kill(self.pbx.asterisk.pid, signal.SIGKILL)

    async def start_asterisk(self) -> None:
        """After a kill; all of it is loaded when this returns."""
        await in_thread(self.pbx.asterisk.stop)
        await in_thread(self.pbx.asterisk.start)

    def kill_node(self, number: int) -> None:
        os.kill(self.nodes[number].pid, signal.SIGKILL)

    async def start_node(self, number: int) -> None:
        await in_thread(self.nodes[number].stop)
        await in_thread(self.nodes[number].start)

    # --- what is left ---------------------------------------------------------------

    async def leftovers(self) -> list[str]:
        """What is left of any call, a line each; empty is well."""
        channels = await in_thread(lambda: self.pbx.asterisk.cli("core show channels concise"))
        bridges = await in_thread(lambda: self.pbx.asterisk.cli("bridge show all"))
        rows = [line.split("!") for line in channels.splitlines() if "!" in line]
        found = [f"Asterisk: channel {row[0]} ({row[-1]}), {row[4]}, in {row[5]}" for row in rows]
        found += [f"Asterisk: bridge {line.split()[0]}" for line in bridges.splitlines()[1:] if line.strip()]
        for number in range(len(self.nodes)):
            found += [f"rtpengine {number + 1}: session {name}" for name in await self.sessions(number)]
        if not self.front_end.exited:
            try:
                live = await self.front_end.get("/live")
                found += [f"front end: call {call['callId']} is {call['state']}" for call in live["calls"]]
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                found.append(f"front end: does not tell its calls ({error!r})")
        return found

    async def sessions(self, number: int) -> list[str]:
        """The sessions that a node holds; none where it does not run."""
        node = self.nodes[number]
        if not await in_thread(node.answers):
            return []
        host, _, port = node.ng_address.rpartition(":")
        client = NgClient(host, int(port), timeout=2.0)
        await client.open()
        try:
            calls = (await client.command("list", limit=10_000)).get("calls", [])
        except PeerError:
            return []
        finally:
            await client.close()
        names = calls if isinstance(calls, list) else []
        return [str(name, "utf-8", "replace") for name in names if isinstance(name, bytes)]

    async def nothing_left(self, *, seconds: float = RELEASE_SECONDS) -> list[str]:
        """What is still left after so many seconds; empty, as soon as nothing is."""
        end = time.monotonic() + seconds
        while (left := await self.leftovers()) and time.monotonic() < end:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.1)
        return left


def environment(pbx: Pbx, nodes: list[Rtpengine]) -> dict[str, str]:
    """The front end's settings: where the real parts are, no sign-in, and bounds that a test can wait for."""
    return {
        "ARI_URL": pbx.asterisk.ari_url,
        "ARI_USER": pbx.asterisk.ari_user,
        "ARI_PASSWORD": pbx.asterisk.ari_password,
        "RTPENGINE_NG": ",".join(node.ng_address for node in nodes),
        "DIAL_ROUTES": ROUTES,
        "CORS_ORIGIN": "loopback",
        "ENABLE_AUTHENTICATION": "false",
        "MAX_CALLS_PER_USER": "30",
        "MAX_LEGS_PER_USER": "100",
        "MAX_LEGS_PER_MINUTE": "1000",
        "MAX_LEGS_PER_DAY": "100000",
    }


@asynccontextmanager
async def system(
    folder: Path, *, nodes: int = 2, media_host: str = free_ports.HOST, settings: Mapping[str, str] = NOTHING
) -> AsyncIterator[System]:
    """All of it, started and healthy. `media_host`: where browsers reach rtpengine. `settings`: the front end's."""
    pbx = new_pbx(folder)
    engines = [new_node(folder / f"rtpengine-{number + 1}", media_host) for number in range(nodes)]
    front_end = FrontEnd(folder, {**environment(pbx, engines), **settings})
    async with AsyncExitStack() as running:
        parts: list[Asterisk | Rtpengine] = [pbx.asterisk, *engines]
        for part in parts:
            await in_thread(part.start)
            running.push_async_callback(in_thread, part.stop)
        far = await running.enter_async_context(Far())
        answering = Sipp(
            *("phone_answers", folder),
            port=pbx.trunk_port,
            rtp_port=far.port,
            calls=1_000_000,
            at_once=1000,
            seconds=36_000,
        )
        await running.enter_async_context(answering)
        running.push_async_callback(front_end.close)
        await front_end.start()
        yield System(pbx, engines, front_end, far, folder)


def new_node(run_dir: Path, host: str) -> Rtpengine:
    """An rtpengine that is not started yet."""
    [ng] = free_ports.ports(1)
    return Rtpengine(run_dir, ng_port=ng, rtp_range=free_ports.rtp_range(), host=host)
