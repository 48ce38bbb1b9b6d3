"""What opens by a press in a call: Escape closes it and never the call, its letters are its own, and axe finds nothing.

The pictures are for people to look at: `tests/artifacts/popovers`.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, ViewportSize, expect

from deploy.demo.install import PROJECT
from tests.e2e.axe import violations
from tests.e2e.softphone import Softphone, softphone
from tests.real.live_system import LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
PICTURES = PROJECT / "tests" / "artifacts" / "popovers"
SIZES: list[ViewportSize] = [{"width": 360, "height": 640}, {"width": 1280, "height": 800}]
every_size = pytest.mark.parametrize("size", SIZES, ids=[f"{size['width']}" for size in SIZES])
MILLIWATT = 1004.0


@asynccontextmanager
async def talking(site_with: LiveSystemWith, browser: Browser, size: ViewportSize) -> AsyncIterator[Softphone]:
    """In a call that is recorded, after another one that was."""
    still: dict[str, Any] = {"viewport": size, "reduced_motion": "reduce"}
    async with site_with(preflight_number="600") as site, softphone(browser, site, **still) as phone:
        for again in (True, False):
            await phone.call("601")
            await phone.hears(MILLIWATT)
            await phone.press("Record")
            await expect(phone.page.get_by_test_id("recording")).to_have_text("Recording")
            if again:
                await phone.page.wait_for_timeout(500)
                await phone.press("Hang up")
                await phone.is_told("The call has ended.")
        await expect(phone.page.get_by_test_id("quality")).to_be_visible()
        yield phone
        await phone.press("Hang up")


async def goes_on(phone: Softphone) -> None:
    await phone.sees("In call")
    await expect(phone.button("Mute")).to_be_visible()
    await expect(phone.button("Hold")).to_be_visible()


@every_size
async def test_escape_closes_what_is_open_and_not_the_call(
    site_with: LiveSystemWith, browser: Browser, size: ViewportSize
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with talking(site_with, browser, size) as phone:
        page = phone.page
        for name in ("What happens with your calls", "Sound and connection", "Call quality", "Recording"):
            trigger: Locator = page.locator("[aria-haspopup]").and_(
                page.get_by_role("button", name=re.compile(rf"{name}\b"))
            )
            await trigger.click()
            opened = page.get_by_role("dialog")
            await expect(opened).to_be_visible()
            await expect(opened).to_have_accessible_name(name if name != "Call quality" else "Call quality: excellent")
            await page.screenshot(path=PICTURES / f"{size['width']}-{name.split()[0].lower()}.png")
            assert await violations(page) == []
            await page.keyboard.type("mhtsa")
            await page.keyboard.press("Escape")
            await expect(opened).to_be_hidden()
            await expect(trigger).to_be_focused()
            await goes_on(phone)


async def test_what_was_recorded_opens_in_a_call(site_with: LiveSystemWith, browser: Browser) -> None:
    async with talking(site_with, browser, SIZES[1]) as phone:
        trigger = phone.button("Recordings: Milliwatt tone")
        await trigger.click(timeout=15_000)
        opened = phone.page.get_by_role("dialog")
        await opened.get_by_role("button", name="Play").click()
        await opened.locator("audio").wait_for()
        await phone.page.screenshot(path=PICTURES / "1280-recordings.png")
        assert await violations(phone.page) == []
        await phone.page.keyboard.type("mh")
        await phone.page.keyboard.press("Escape")
        await expect(opened).to_be_hidden()
        await expect(trigger).to_be_focused()
        await goes_on(phone)


@every_size
async def test_letters_in_a_field_are_the_field_s(
    site_with: LiveSystemWith, browser: Browser, size: ViewportSize
) -> None:
    async with talking(site_with, browser, size) as phone:
        preferences = await phone.opens_preferences()
        await preferences.get_by_role("combobox", name="When I do not answer: forward to").select_option("Number")
        field = preferences.get_by_role("textbox", name="When I do not answer: Number")
        await expect(field).to_be_focused()
        await phone.page.keyboard.type("mhs7#")
        await expect(field).to_have_value("mhs7#")
        await goes_on(phone)
        await phone.page.screenshot(path=PICTURES / f"{size['width']}-forward.png")
        assert await violations(phone.page) == []
        await phone.page.keyboard.press("Escape")
        await expect(preferences).to_be_hidden()
        await goes_on(phone)


async def test_escape_in_the_search_leaves_it_and_not_the_call(site_with: LiveSystemWith, browser: Browser) -> None:
    async with talking(site_with, browser, SIZES[1]) as phone:
        search = phone.page.get_by_role("searchbox")
        await search.press_sequentially("mh")
        await phone.page.keyboard.press("Escape")
        await expect(search).not_to_be_focused()
        await goes_on(phone)
