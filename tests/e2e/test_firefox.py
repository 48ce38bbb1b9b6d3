"""Calls out and in, heard both ways, in Firefox ESR. What more is done in it: `both_browsers`."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e.ears import codecs_of
from tests.e2e.sides import CALLEE_TONE, CALLER_TONE, both_hear, callee, caller
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem
from tests.real.parts import both_versions

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def browser(running_firefox: Browser) -> Browser:
    return running_firefox


@both_versions
async def test_a_sip_phone_and_the_page_hear_each_other_in_opus(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as side:
        await phone.call("7012")
        await phone.talks()
        await both_hear(phone, side, CALLEE_TONE)
        assert await codecs_of(phone.page) == {"inbound-rtp": "audio/opus", "outbound-rtp": "audio/opus"}
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        await side.sipp.done()


async def test_the_page_answers_a_caller(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, caller(site.pbx, tmp_path) as side:
        await phone.rings("Desk phone", "7001")
        assert await phone.page.title() == "Incoming call: Desk phone"
        await phone.answer()
        await phone.talks()
        await both_hear(phone, side, CALLER_TONE)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        await side.sipp.done()
