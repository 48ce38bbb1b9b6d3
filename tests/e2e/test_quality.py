"""How a call has sounded, and what its user thought of it: from the page into the call's record."""

import asyncio
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import PAGE_TONE
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_a_call_is_measured_and_rated(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("600")
        await phone.talks()
        await phone.hears(PAGE_TONE)
        await asyncio.sleep(12)  # who has talked for ten seconds is asked
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        await phone.press("4 of 5")
        found = await newest(site)
        assert found["feedback"] == {"score": 4}
        opinion = phone.page.get_by_role("dialog", name="Thank you. Was anything wrong?")
        await opinion.get_by_role("button", name="Echo").click()
        await opinion.get_by_role("button", name="Choppy").click()  # one of them
        await opinion.get_by_role("textbox").press_sequentially("like a robot")
        await opinion.get_by_role("textbox").press("Enter")
        await expect(opinion).to_be_hidden()
        await phone.press("2 of 5")
        await phone.page.keyboard.press("Escape")
        found = await newest(site, score=2)
    assert found["feedback"] == {"score": 2, "issue": "choppy", "comment": "like a robot"}
    page = found["quality"]["page"]
    assert page["seconds"] >= 10 and page["mos"] > 4 and page["codec"].startswith("opus")
    assert found["quality"]["rtpengine"]["browser"]["packets"] > 400


async def newest(site: LiveSystem, *, score: int = 4) -> dict[str, Any]:
    """The newest call's record, once it is rated so."""
    async with aiohttp.ClientSession(site.app.url) as http, asyncio.timeout(10):
        while True:
            async with http.get("/cdrs", params={"limit": 1}) as response:
                found = (await response.json())["cdrs"]
            if found and (found[0]["feedback"] or {}).get("score") == score:
                one: dict[str, Any] = found[0]
                return one
            await asyncio.sleep(0.1)
