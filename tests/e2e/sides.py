"""The other sides of a page's calls: real SIP phones, each with a tone of its own by which it is known."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from deploy.demo.rtpengine import Rtpengine
from tests.chaos.front_end import FrontEnd
from tests.chaos.system import environment
from tests.e2e.conftest import PAGE_TONE
from tests.e2e.ears import Ears
from tests.e2e.softphone import Softphone, new_context
from tests.real import free_ports
from tests.real.parts import Pbx
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

CALLER_TONE, CALLEE_TONE = 900.0, 1300.0
"""Hz. Neither is a multiple of the page's, nor of the other."""
PEAK = 2500
"""As loud as a page's microphone arrives, so that each is heard in a mix."""
TONES = {PAGE_TONE, CALLER_TONE, CALLEE_TONE}


@dataclass
class Side:
    """A SIP phone in one call."""

    sipp: Sipp
    peer: RtpPeer

    async def speaks_first(self) -> None:
        """Waits until the call is answered, and sends to where the answer says. Raises ScenarioFailed."""
        await self.sipp.saw("SIP/2.0 200", seconds=15)
        [port, *_] = re.findall(r"m=audio (\d+)", self.sipp.messages.partition("SIP/2.0 200")[2])
        self.peer.speak((free_ports.HOST, int(port)))

    async def hears(self, *tones: float) -> None:
        """Waits until of the tones that are sent here exactly these come. Raises MixNotHeard."""
        stream = await self.peer.stream()
        await stream.heard.wait_for_tones(set(tones), TONES, timeout=8)

    async def hears_music(self) -> None:
        """Waits until there is sound, and nobody's tone in it. Raises MixNotHeard, TimeoutError."""
        await self.hears()
        heard = (await self.peer.stream()).heard
        async with asyncio.timeout(5):
            while heard.analyze().is_silent:  # noqa: ASYNC110  packets come by themselves
                await asyncio.sleep(0.05)


@asynccontextmanager
async def caller(pbx: Pbx, folder: Path, scenario: str = "caller_stays") -> AsyncIterator[Side]:
    """Desk phone, 7001, calls the page."""
    async with RtpPeer(CALLER_TONE, peak=PEAK) as peer:
        async with Sipp(scenario, folder, to=pbx.sip_port, rtp_port=peer.port, seconds=60) as sipp:
            yield Side(sipp, peer)


@asynccontextmanager
async def callee(pbx: Pbx, folder: Path, scenario: str = "phone_answers", **keys: str) -> AsyncIterator[Side]:
    """Answers whatever 7xxx is called. `keys`: as `Sipp` has them."""
    async with RtpPeer(CALLEE_TONE, peak=PEAK) as peer:
        options: dict[str, Any] = {"port": pbx.trunk_port, "rtp_port": peer.port, "seconds": 60, **keys}
        async with Sipp(scenario, folder, **options) as sipp:
            yield Side(sipp, peer)


async def both_hear(phone: Softphone, side: Side, tone: float) -> None:
    """The page and this side alone hear each other. `tone`: the side's."""
    await phone.hears_mix(TONES, tone)
    await side.hears(PAGE_TONE)


async def others_talk(desk: Side, other: Side) -> None:
    """Without the page, until the other one hangs up."""
    await desk.hears(CALLEE_TONE)
    await other.hears(CALLER_TONE)
    await other.sipp.tell()
    await other.sipp.done()
    await desk.sipp.done()


@asynccontextmanager
async def killable(
    pbx: Pbx, rtpengine: Rtpengine, browser: Browser, folder: Path
) -> AsyncIterator[tuple[FrontEnd, Softphone]]:
    """1001's page at a front end that is a process of its own."""
    server = FrontEnd(folder / "server", environment(pbx, [rtpengine]))
    await server.start()
    try:
        async with new_context(browser) as context:
            ears = Ears()
            await ears.attach(context)
            phone = Softphone(await context.new_page(), ears)
            await phone.start(server.url, "1001")
            yield server, phone
    finally:
        await server.close()
