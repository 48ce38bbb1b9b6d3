"""The test of a connection: one press on the page, and the tone that it sends comes back."""

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.softphone import softphone
from tests.real.site import SiteWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_the_connection_is_tested_by_an_echo(site_with: SiteWith, browser: Browser) -> None:
    async with site_with(preflight_number="600") as site, softphone(browser, site) as phone:
        await phone.press("Sound and connection")
        await phone.press("Test my connection")
        found = phone.page.get_by_test_id("preflight")
        await expect(found).to_contain_text("comes back", timeout=15_000)
        await expect(found).to_contain_text("works")
        await expect(found).to_contain_text("Score")
