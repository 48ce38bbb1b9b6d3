"""Answer is pressed on the page, and the server is killed some milliseconds later: they talk all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from deploy.demo.rtpengine import Rtpengine
from tests.chaos.front_end import FrontEnd
from tests.e2e.conftest import FAR_TONE, PAGE_TONE
from tests.e2e.softphone import Softphone, unopened_softphone
from tests.real.parts import Pbx
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
ON_PRESS = """
() => addEventListener("click", (event) => {
  if (event.target.closest("button")?.textContent.includes("Answer")) window.__pressed();
}, true)
"""


@pytest_asyncio.fixture(loop_scope="session")
async def front_end(pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path) -> AsyncIterator[FrontEnd]:
    environment = {
        "ARI_URL": pbx.asterisk.ari_url,
        "ARI_USER": pbx.asterisk.ari_user,
        "ARI_PASSWORD": pbx.asterisk.ari_password,
        "RTPENGINE_NG": rtpengine.ng_address,
        "ENABLE_AUTHENTICATION": "false",
        "CORS_ORIGIN": "loopback",
    }
    front_end = FrontEnd(tmp_path, environment)
    try:
        await front_end.start()
        yield front_end
    finally:
        await front_end.close()


@pytest.mark.parametrize("milliseconds", [0, 10, 20])
async def test_the_caller_is_talked_to(
    front_end: FrontEnd, pbx: Pbx, far: RtpPeer, browser: Browser, tmp_path: Path, milliseconds: int
) -> None:
    async with rung(front_end, pbx, far, browser, tmp_path) as phone:
        pressed = asyncio.Event()
        await phone.page.expose_function("__pressed", pressed.set)
        await phone.page.evaluate(ON_PRESS)
        answering = asyncio.create_task(phone.answer())
        await pressed.wait()
        await asyncio.sleep(milliseconds / 1000)
        await front_end.kill()
        await answering
        await front_end.start()
        await they_talk(phone, far)


async def test_answer_may_be_pressed_while_the_server_is_away(
    front_end: FrontEnd, pbx: Pbx, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    async with rung(front_end, pbx, far, browser, tmp_path) as phone:
        await front_end.kill()
        await expect(phone.page.get_by_test_id("connection")).not_to_have_text("Online")
        await phone.answer()
        await expect(phone.button("Answer")).to_be_hidden()
        await front_end.start()
        await they_talk(phone, far)


@asynccontextmanager
async def rung(
    front_end: FrontEnd, pbx: Pbx, far: RtpPeer, browser: Browser, tmp_path: Path
) -> AsyncIterator[Softphone]:
    """A page at which a SIP phone's call rings."""
    async with unopened_softphone(browser) as phone:
        await phone.start(front_end.url, "1001")
        async with Sipp("caller_stays", tmp_path, to=pbx.sip_port, rtp_port=far.port) as caller:
            await phone.rings("Desk phone")
            yield phone
            await phone.press("Hang up")
            await phone.is_told("The call has ended.")
            await caller.done()
        phone.watch.forgive("WebSocket connection to")
        phone.watch.forgive("Failed to load resource")


async def they_talk(phone: Softphone, far: RtpPeer) -> None:
    """Nothing went wrong that the page speaks of."""
    await phone.hears(FAR_TONE)
    await (await far.stream()).heard.wait_for_tone(PAGE_TONE)
    await phone.talks()
    await phone.online()
    await expect(phone.message).to_be_hidden()
