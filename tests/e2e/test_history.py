"""The last calls are the address book: listed, missed ones marked, one press calls back, and a reload keeps them."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import FAR_TONE, PAGE_TONE
from tests.e2e.softphone import softphone
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.real.site import Site

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_the_last_call_is_listed_kept_by_a_reload_and_made_again_by_one_press(
    site: Site, browser: Browser
) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("600")
        await phone.talks()
        await phone.press("Hang up")
        await expect(phone.recent.get_by_role("button")).to_have_count(1)
        await expect(phone.recent).to_contain_text("Echo")
        await phone.page.reload()
        await phone.online()
        phone.forget()
        await phone.recent.get_by_role("button", name="Call Echo").click()
        await phone.talks()
        await phone.hears(PAGE_TONE)
        await phone.press("Hang up")
        await expect(phone.recent).to_contain_text("Echo ×2")


async def test_a_missed_call_is_marked_and_one_press_calls_back(
    site: Site, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as phone:
        async with Sipp("caller_cancels", tmp_path, to=site.pbx.sip_port) as caller:
            await phone.rings("Desk phone")
            await caller.saw("180 Ringing")
            await caller.tell()
            await phone.is_told("You missed a call from Desk phone.")
            await caller.done()
        async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
            await phone.recent.get_by_role("button", name="Call Desk phone, missed").click()
            await phone.sees("7001")
            await phone.hears(FAR_TONE)
            await phone.press("Hang up")
            await callee.done()


async def test_the_phone_book_calls_by_one_press(site: Site, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.press("Milliwatt tone 601")
        await phone.hears(1004)
        await phone.press("Hang up")


async def test_the_call_key_with_nothing_written_brings_back_the_last_number(site: Site, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("604")
        await phone.is_told("604 is on another call.")
        await phone.press("Call")
        await expect(phone.number).to_have_value("604")
