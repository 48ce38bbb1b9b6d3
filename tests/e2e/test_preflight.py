"""The test of a connection: one press on the page, and the tone that it sends comes back."""

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.softphone import softphone, unopened_softphone
from tests.real.live_system import LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_the_connection_is_tested_by_an_echo(site_with: LiveSystemWith, browser: Browser) -> None:
    async with site_with(preflight_number="600") as site, softphone(browser, site) as phone:
        await phone.press("Sound and connection")
        await phone.press("Test my connection")
        found = phone.page.get_by_test_id("preflight")
        await expect(found).to_contain_text("comes back", timeout=15_000)
        await expect(found).to_contain_text("works")
        await expect(found).to_contain_text("Score")


SLOW = """
const getStats = RTCPeerConnection.prototype.getStats;
RTCPeerConnection.prototype.getStats = async function (...of) {
  const all = new Map(await getStats.apply(this, of));
  for (const [id, one] of all) if (one.type === "candidate-pair") all.set(id, { ...one, currentRoundTripTime: 0.5 });
  return all;
};
"""
"""A browser that measures half a second there and back."""


async def test_what_may_trouble_calls_is_told(site_with: LiveSystemWith, browser: Browser) -> None:
    async with site_with(preflight_number="600") as site, unopened_softphone(browser) as phone:
        await phone.page.add_init_script(SLOW)
        await phone.start(site.app.url, "1001")
        await phone.press("Sound and connection")
        await phone.press("Test my connection")
        told = phone.page.get_by_text("The sound takes long. A VPN or a download may slow the connection.")
        await expect(told).to_be_visible(timeout=15_000)
