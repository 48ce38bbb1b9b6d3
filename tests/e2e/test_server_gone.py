"""The server goes away and comes back: the page says so, and mends itself without a reload.

What becomes of a call then is told in test_resume.py.
"""

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.softphone import Softphone, unopened_softphone
from tests.real import free_ports
from tests.real.live_system import LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0


async def says(phone: Softphone, sentence: str) -> None:
    await expect(phone.stage.get_by_role("alert")).to_have_text(sentence)


async def test_it_comes_back_and_the_next_call_is_heard(site_with: LiveSystemWith, browser: Browser) -> None:
    [port] = free_ports.ports(1)
    async with unopened_softphone(browser) as phone:
        async with site_with(http_port=port) as site:
            await phone.start(site.app.url, "1001")
        await says(phone, "No phone system. Reconnecting…")
        await phone.sees_link("Offline")
        await phone.call("601")
        await phone.is_told("There is no connection to the phone system.")
        async with site_with(http_port=port):
            await phone.online()
            await expect(phone.stage.get_by_role("alert")).to_be_hidden()
            await phone.press("Call again")
            await phone.hears(MILLIWATT)
            await phone.press("Hang up")
        phone.watch.forgive("ERR_CONNECTION_REFUSED")


async def test_the_page_is_opened_while_no_server_answers(site_with: LiveSystemWith, browser: Browser) -> None:
    async with site_with() as site, unopened_softphone(browser) as phone:
        await phone.page.route("**/config", lambda route: route.abort())
        await phone.page.goto(site.app.url)
        await phone.is_told("The server does not answer. Trying again…")
        await phone.page.unroute("**/config")
        await phone.start(site.app.url, "1001")
        phone.watch.forgive("ERR_FAILED")


async def test_after_a_minute_it_is_said_how_long_and_a_press_connects_at_once(
    site_with: LiveSystemWith, browser: Browser
) -> None:
    [port] = free_ports.ports(1)
    async with unopened_softphone(browser) as phone:
        clock = phone.page.clock
        await clock.install()
        async with site_with(http_port=port) as site:
            await phone.start(site.app.url, "1001")
        await says(phone, "No phone system. Reconnecting…")
        await expect(phone.button("Try now")).to_be_hidden()
        await clock.fast_forward("01:30")
        await expect(phone.page.get_by_test_id("link-timer")).to_contain_text("It has been away for 1 min 3")
        await clock.pause_at(await phone.page.evaluate("Date.now() + 1000"))  # it tries nothing by itself
        async with site_with(http_port=port):
            await phone.press("Try now")
            await phone.online()
            await clock.resume()
        phone.watch.forgive("ERR_CONNECTION_REFUSED")
