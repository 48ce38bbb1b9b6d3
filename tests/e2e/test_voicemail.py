"""Nobody answers, the caller leaves a message, and the page plays it from its badge."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.sides import CALLER_TONE, caller
from tests.e2e.softphone import Softphone, softphone
from tests.real.live_system import LiveSystemWith
from tests.real.parts import both_versions
from tests.real.voicemail_boxes import voicemail_boxes as voicemail_boxes

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MAIL = {"voicemail_mailbox": "{user}@default", "voicemail_number": "*97"}


async def message_begins(box: Path) -> None:
    """The greeting is over, and the caller has been heard for a while."""
    async with asyncio.timeout(25):
        while not list(box.rglob("*.wav")):  # noqa: ASYNC110, ASYNC240  Asterisk tells nobody
            await asyncio.sleep(0.1)
    await asyncio.sleep(1.5)


async def something_is_heard(phone: Softphone) -> None:
    async with asyncio.timeout(10):
        while phone.heard.analyze().is_silent:  # noqa: ASYNC110  sound comes by itself
            await asyncio.sleep(0.05)


@both_versions
async def test_a_call_that_rings_too_long_leaves_a_message_and_the_badge_plays_it(
    site_with: LiveSystemWith, voicemail_boxes: Path, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(**MAIL) as site, softphone(browser, site) as phone:
        preferences = await phone.opens_preferences()
        await preferences.get_by_role("combobox", name="Ring for").select_option("10 s")
        await preferences.get_by_role("combobox", name="When I do not answer: forward to").select_option("Voicemail")
        await phone.page.keyboard.press("Escape")
        badge = phone.page.get_by_test_id("voicemail")
        async with caller(site.pbx, tmp_path, "caller_hangs_up") as desk:
            await phone.rings("Desk phone")
            await expect(badge).to_be_hidden()
            await desk.sipp.saw("SIP/2.0 200", seconds=20)
            await phone.is_told("You missed a call from Desk phone.")
            await message_begins(voicemail_boxes / "1001")
            await desk.sipp.tell()
            await desk.sipp.done()
        await expect(badge).to_have_text("1", timeout=15_000)
        await phone.press("Close")
        await phone.sees("1 new message")
        phone.forget()
        await phone.press("1 new message. Listen")
        await phone.talks()
        await something_is_heard(phone)
        await phone.press("1")  # "press 1 for new messages"
        await phone.heard.wait_for_tone(CALLER_TONE, timeout=20)
        await phone.press("Hang up")
        await expect(badge).to_be_hidden(timeout=15_000)
