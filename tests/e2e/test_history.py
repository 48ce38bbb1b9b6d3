"""The last calls are the address book: listed, missed ones marked, one press calls back, and a reload keeps them."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import FAR_TONE, PAGE_TONE
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_the_last_call_is_listed_kept_by_a_reload_and_made_again_by_one_press(
    site: LiveSystem, browser: Browser
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
    site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path
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


async def test_the_calls_of_the_time_away_and_of_another_browser_are_listed(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:  # no page is open
        await caller.done()
    async with softphone(browser, site) as phone, softphone(browser, site) as other:
        for page in (phone, other):
            await expect(page.recent.get_by_role("button", name="Call Desk phone, missed")).to_be_visible()
            await expect(page.page.get_by_test_id("missed").filter(visible=True)).to_have_text("1 missed")
            await expect(page.page).to_have_title("(1 missed) Softphone")
        await phone.call("604")
        await phone.is_told("604 is on another call.")
        await expect(other.recent.get_by_role("button")).to_have_count(2)  # told live
        await expect(other.recent).to_contain_text("604")
        assert await other.recent.inner_text() == await phone.recent.inner_text()
        await other.page.get_by_role("searchbox", name="Search calls and phone book").click()
        await expect(other.page.get_by_test_id("missed")).to_have_count(0)


async def test_a_call_that_somebody_else_answered_is_not_missed(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as phone:
        reason = "Q.850;cause=26"
        async with Sipp("caller_cancels_with_reason", tmp_path, to=site.pbx.sip_port, reason=reason) as caller:
            await phone.rings("Desk phone")
            await caller.saw("180 Ringing")
            await caller.tell()
            await phone.is_told("Answered by somebody else.")
            await caller.done()
        await expect(phone.recent).to_contain_text("answered by somebody else")
        await expect(phone.page.get_by_test_id("missed")).to_have_count(0)


async def test_who_is_talked_to_is_shown_beside_who_was_dialled(
    site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    who: dict[str, Any] = {"first": "7001", "first_name": "Front desk", "other": "7002", "other_name": "Workshop"}
    async with softphone(browser, site) as phone:
        async with Sipp(
            "phone_becomes_another", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port, **who
        ) as callee:
            await phone.call("7001")
            await phone.hears(FAR_TONE)
            await phone.sees("Front desk")
            await callee.tell()
            await phone.sees("Workshop", "7002", "dialled 7001")
            await phone.page.reload()
            await phone.sees("Workshop", "dialled 7001")
            await phone.talks()
            await phone.press("Hang up")
            await callee.done()
        await expect(phone.recent).to_contain_text("talked to Workshop")


async def test_the_phone_book_calls_by_one_press(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.press("Milliwatt tone 601")
        await phone.hears(1004)
        await phone.press("Hang up")


async def test_the_call_key_with_nothing_written_brings_back_the_last_number(
    site: LiveSystem, browser: Browser
) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("604")
        await phone.is_told("604 is on another call.")
        await phone.press("Call")
        await expect(phone.number).to_have_value("604")
