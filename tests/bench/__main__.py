"""`python -m tests.bench [--calls N] [--held N] [--seconds N] [--markdown]`."""

import argparse
import os
import platform
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from importlib.metadata import version
from pathlib import Path

import uvloop
from rich.console import Console

from ari_bridge_client import ClientError
from deploy.demo import rootfs
from deploy.demo.asterisk import Asterisk
from deploy.demo.process import ProgramFailed
from deploy.demo.rtpengine import Rtpengine
from deploy.demo.steps import say
from tests.bench import busy, memory, report, setup
from tests.bench.far import FarPhone
from tests.bench.observer import Observer
from tests.bench.servers import bare_script, front_end
from tests.bench.setup import Measured, Site
from tests.real import free_ports

PBX = "16"
WIDTH = 170


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=50, help="calls of each server (default 50)")
    parser.add_argument("--held", type=int, default=100, help="calls held at once for the memory (default 100)")
    parser.add_argument("--seconds", type=float, default=110, help="no more calls are begun after these (default 110)")
    parser.add_argument("--markdown", action="store_true", help="print the table as docs/BENCHMARKS.md has it")
    return parser.parse_args()


async def set_up(folder: Path, calls: int, seconds: float) -> dict[str, Measured]:
    """The set-up phases on the real parts. Raises ProgramFailed, PortsTaken, TimeoutError."""
    until = time.monotonic() + seconds
    async with AsyncExitStack() as stack:
        ari, sip, trunk, ng = free_ports.ports(4)
        asterisk = stack.enter_context(
            Asterisk(
                folder / "asterisk",
                ari_port=ari,
                sip_port=sip,
                trunk_port=trunk,
                rtp_range=free_ports.rtp_range(),
                version=PBX,
            )
        )
        rtpengine = stack.enter_context(Rtpengine(folder / "rtpengine", ng_port=ng, rtp_range=free_ports.rtp_range()))
        who = asterisk.ari_url, asterisk.ari_user, asterisk.ari_password
        names = "ARI_URL", "ARI_USER", "ARI_PASSWORD", "RTPENGINE_NG"
        peers = dict(zip(names, (*who, rtpengine.ng_address), strict=True))
        servers = {
            report.OURS: stack.enter_context(front_end(folder, peers)),
            report.WOKEN: stack.enter_context(bare_script(folder, peers, wake=True)),
            report.BARE: stack.enter_context(bare_script(folder, peers, wake=False)),
        }
        for name, server in servers.items():
            await server.ready(health=name == report.OURS)
        far = await stack.enter_async_context(FarPhone(trunk))
        observer = await stack.enter_async_context(Observer(*who))
        site = Site(servers, far, observer)
        measured = await setup.measure(site, calls, until=until, progress=lambda turn: progress(turn, calls))
        progress(calls, calls)
        await busy.measure(site, measured, calls)
        if left := await observer.left():
            # The scripts name theirs CALL.far, the engine CALL-far; a script's call that failed is never tidied up.
            say(f"left in Asterisk after the calls: {', '.join(left)}")
        return measured


def progress(done: int, calls: int) -> None:
    if sys.stdout.isatty():
        say(f"\r  {done} of {calls} calls of each", end="" if done < calls else "\n")


def machine() -> str:
    cpus = os.cpu_count()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    root = rootfs.find(PBX)
    asterisk = rootfs.installed_version(root) if root else "–"
    parts = f"Asterisk {asterisk}, aiohttp {version('aiohttp')}, asyncari {version('asyncari')}"
    return f"{cpus} cores ({load} load in the last 1, 5, 15 minutes), Python {platform.python_version()}, {parts}"


async def main(wanted: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        measured = await set_up(folder, wanted.calls, wanted.seconds)
        try:
            held = report.memory_lines(await memory.measure(folder, wanted.held))
        except (TimeoutError, ClientError) as error:
            held = [f"calls on the fakes: not measured, as {str(error) or 'not all calls got through in time'}"]
    console = Console(width=WIDTH, highlight=False)
    values = {name: each.values for name, each in measured.items()}
    say(f"\n{machine()}")
    for name, each in measured.items():
        failed = f", {len(each.failures)} failed ({each.failures[0]})" if each.failures else ""
        say(f"{name}: {len(each.values[setup.INVITE])} calls{failed}")
    console.print(report.table(values, markdown=wanted.markdown))
    for line in held:
        say(f"memory of {line}")
    say("\nWhere the numbers come from:")
    for source in report.sources():
        say(f"- {source}")
    say("- memory: what is the process's own (USS of /proc/PID/smaps_rollup), before and with the calls.")


if __name__ == "__main__":
    try:
        uvloop.run(main(arguments()))
    except (ProgramFailed, TimeoutError) as error:
        say(f"the benchmark could not be run: {str(error) or 'a part did not answer in time'}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
