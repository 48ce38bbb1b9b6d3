"""No microphone, or one that the browser keeps from the page: said plainly, and put right without a reload."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e.chromium import chromium
from tests.e2e.conftest import PAGE_TONE
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
BLOCKED = "The browser may not use your microphone."


async def test_blocked_and_then_allowed(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site, permissions=[]) as phone:
        await phone.call("601")
        await phone.is_told(BLOCKED)
        await phone.is_told("Allow it by the icon left of the address.")
        assert not site.app.calls.live()
        await phone.page.context.grant_permissions(["microphone"])
        await phone.press("Call again")
        await phone.talks()
        await phone.hears(1004)
        await phone.press("Hang up")


async def test_blocked_while_somebody_calls_keeps_ringing(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site, permissions=[]) as phone:
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await phone.rings("Desk phone")
            await phone.answer()
            await phone.is_told(BLOCKED)
            await phone.rings("Desk phone")
            await phone.press("Decline")
            await caller.done()


async def test_there_is_none(site: LiveSystem) -> None:
    async with chromium(microphone=None) as bare, softphone(bare, site) as phone:
        await phone.call("601")
        await phone.is_told("No microphone was found.")
        assert not site.app.calls.live()


async def test_its_level_is_shown_and_another_one_is_taken_within_the_call(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.press("Test the microphone")
        await phone.sees_level("Level of your microphone")
        await phone.call("600")
        await phone.hears(PAGE_TONE)
        await phone.sees_level("Level of the other side")
        name = (await phone.microphone.get_by_role("option").all_inner_texts())[-1]
        sends = "(name) => window.__phone.peer().getSenders()[0].track.label === name"
        assert not await phone.page.evaluate(sends, name)
        await phone.microphone.select_option(label=name)
        await phone.page.wait_for_function(sends, arg=name)
        phone.forget()
        await phone.hears(PAGE_TONE)
        await phone.press("Hang up")
