"""A real Chromium's calls with its media made ahead and without: from the click until each side hears the other.

    .venv/bin/python -m tests.bench.warm [--calls 12]

Cold: the page's `warm` messages are swallowed on their way, so each call begins as it does for a client that knows
nothing of them. Warm and cold calls take turns in one run: once plain, once with 80 ms of round trip between the
browser and everything else (a cable of ours in a network namespace). Asserts nothing.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Page

from tests.chaos.browser import browsers
from tests.chaos.network import Network
from tests.chaos.proxy import Proxy
from tests.chaos.steady_calls import SteadyCalls
from tests.chaos.system import system
from tests.real import free_ports
from tests.real.tone_presence import TonePresence

ROUND_TRIP = 0.08
SETTLED = 1.5  # seconds that a warm connection is given: a person writes a number for longer
SWALLOW = """
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
  if (window.__cold && typeof data === "string" && data.includes('"type":"prepare-media"')) return;
  send.call(this, data);
};
"""


@dataclass
class Figures:
    """Milliseconds from the click, of each call."""

    page_hears: list[float] = field(default_factory=list)
    far_hears: list[float] = field(default_factory=list)


async def one_call(talk: SteadyCalls, page: Page, warm: bool, figures: Figures) -> None:
    assert talk.page
    await page.evaluate("(cold) => { window.__cold = cold }", not warm)
    known = set(await talk.system.far.heard())
    await page.get_by_test_id("number").fill("7999")
    await asyncio.sleep(SETTLED)
    clicked = await page.evaluate(
        "() => { const at = Date.now(); document.querySelector('[data-testid=call]').click(); return at }"
    )
    clicked /= 1000
    end = time.monotonic() + 10
    heard: float | None = None
    far: float | None = None
    while time.monotonic() < end and (heard is None or far is None):
        await asyncio.sleep(0.05)
        heard = talk.ears.presence.again(clicked)
        lines = await talk.system.far.heard()
        fresh = [lines[name] for name in lines if name not in known]
        far = next((at for one in fresh if isinstance(one, TonePresence) and (at := one.again(clicked))), None)
    if heard is not None and far is not None:
        figures.page_hears.append((heard - clicked) * 1000)
        figures.far_hears.append((far - clicked) * 1000)
    await talk.page.hang_up()
    await talk.page.shows("ended", "idle")
    await asyncio.sleep(0.7)


async def measure(folder: Path, calls: int, round_trip: float) -> dict[bool, Figures]:
    """By whether the media was made ahead."""
    figures = {True: Figures(), False: Figures()}
    async with AsyncExitStack() as opened:
        network = await opened.enter_async_context(Network())
        running = await opened.enter_async_context(system(folder, nodes=1, media_host=network.service))
        made = await opened.enter_async_context(browsers(folder / "browser"))
        [port] = free_ports.ports(1)
        proxy = await opened.enter_async_context(
            Proxy(network.service, port, (free_ports.HOST, running.front_end.port))
        )
        talk = await opened.enter_async_context(
            SteadyCalls(running, made, url=proxy.url, ws_url=proxy.ws_url, enter=network.enter)
        )
        await talk.open_page()
        assert talk.page
        page = talk.page.page
        await page.add_init_script(SWALLOW)
        await page.reload()
        await talk.page.online()
        if round_trip:
            await network.ways[0].make_bad(delay=round_trip / 2)
        await one_call(talk, page, True, Figures())  # the first finds everything cold
        for number in range(2 * calls):
            warm = bool(number % 2)
            await one_call(talk, page, warm, figures[warm])
    return figures


def line(name: str, figures: Figures) -> str:
    def median(values: list[float]) -> str:
        return f"{statistics.median(values):.0f} ({min(values):.0f})" if values else "-"

    return f"| {name} | {median(figures.page_hears)} | {median(figures.far_hears)} | {len(figures.page_hears)} |"


async def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.bench.warm", description=__doc__)
    words.add_argument("--calls", type=int, default=12, help="of each kind")
    wanted = words.parse_args()
    rows = ["| | page hears: median (least) | far hears: median (least) | calls |", "|---|---|---|---|"]
    for name, round_trip in (("plain", 0.0), ("80 ms of round trip", ROUND_TRIP)):
        with tempfile.TemporaryDirectory(prefix="ari-bridge-warm-") as folder:
            figures = await measure(Path(folder), wanted.calls, round_trip)
        rows += [line(f"{name}, cold", figures[False]), line(f"{name}, warm", figures[True])]
    sys.stdout.write("\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
