"""What people do most, in Firefox ESR: calls out and in, heard both ways, on hold, and after a reload."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.conftest import PAGE_TONE
from tests.e2e.ears import codecs_of
from tests.e2e.firefox import firefox
from tests.e2e.sides import CALLEE_TONE, CALLER_TONE, both_hear, callee, caller
from tests.e2e.softphone import softphone
from tests.real.parts import both_versions
from tests.real.site import Site, SiteWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
GRACE = 20.0
"""Seconds that a page may be away; a test never waits for its end."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with firefox(tmp_path_factory.mktemp("firefox"), round(PAGE_TONE)) as running:
        yield running


@both_versions
async def test_a_sip_phone_and_the_page_hear_each_other_in_opus(site: Site, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as side:
        await phone.call("7012")
        await phone.talks()
        await both_hear(phone, side, CALLEE_TONE)
        assert await codecs_of(phone.page) == {"inbound-rtp": "audio/opus", "outbound-rtp": "audio/opus"}
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        await side.sipp.done()


async def test_the_page_answers_a_caller(site: Site, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, caller(site.pbx, tmp_path) as side:
        await phone.rings("Desk phone", "7001")
        assert await phone.page.title() == "Incoming call: Desk phone"
        await phone.answer()
        await phone.talks()
        await both_hear(phone, side, CALLER_TONE)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        await side.sipp.done()


async def test_a_call_is_held_and_taken_back(site: Site, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as side:
        await phone.call("7012")
        await both_hear(phone, side, CALLEE_TONE)
        await phone.press("Hold")
        await phone.sees("On hold", "They hear music.")
        await side.hears_music()
        await phone.hears_nothing()
        await phone.talks_again()
        await both_hear(phone, side, CALLEE_TONE)
        await phone.press("Hang up")
        await side.sipp.done()


async def test_a_reload_brings_the_call_back(site_with: SiteWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(disconnect_grace=GRACE) as site, softphone(browser, site) as phone:
        async with callee(site.pbx, tmp_path) as side:
            await phone.call("7012")
            await both_hear(phone, side, CALLEE_TONE)
            phone.forget()
            await phone.page.reload()
            await phone.sees("In call", "7012")
            await both_hear(phone, side, CALLEE_TONE)
            await expect(phone.message).to_be_hidden()
            await phone.press("Hang up")
            await side.sipp.done()
