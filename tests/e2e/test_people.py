"""Who is there: what one page does is seen in the list of another, and a press there calls."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.accounts import accounts, signed_in
from tests.e2e.conftest import PAGE_TONE
from tests.e2e.sides import caller
from tests.e2e.softphone import Softphone, softphone
from tests.real.live_system import LiveSystemWith
from tests.real.parts import both_versions
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
NAMES = "1001=Reception,1002=Workshop,trunk=Everybody else"


async def shows(phone: Softphone, name: str, state: str) -> None:
    """Waits until the list of people has somebody of this name in this state."""
    person = phone.page.get_by_role("list", name="People").get_by_role("button", name=name)
    await expect(person).to_contain_text(state)


@both_versions
async def test_what_somebody_does_is_seen_on_the_other_page(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(phone_book=NAMES, **accounts(tmp_path, "1001", "1002")) as site:
        async with signed_in(browser, site, "1001") as phone:
            await shows(phone, "Workshop", "Offline")
            async with signed_in(browser, site, "1002") as other:
                await shows(phone, "Workshop", "Available")
                async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, number="1002") as desk:
                    await other.rings("Desk phone")
                    await shows(phone, "Workshop", "Ringing")
                    await other.answer()
                    await shows(phone, "Workshop", "In a call")
                    await other.press("Hang up")
                    await desk.done()
                await shows(phone, "Workshop", "Available")
                await phone.press("Workshop 1002 · Available")
                await other.rings("Reception")
                await other.answer()
                await phone.talks()
                await phone.hears(PAGE_TONE)
                await other.hears(PAGE_TONE)
                await shows(other, "Reception", "In a call")
                await other.press("Hang up")
                await phone.is_told("The call has ended.")
            await shows(phone, "Workshop", "Offline")


@both_versions
async def test_a_phone_of_the_pbx_is_listed_with_its_state(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(phone_book=NAMES, people_endpoints="trunk") as site, softphone(browser, site) as phone:
        await shows(phone, "Everybody else", "Available")
        async with Sipp("phone_never_answers", tmp_path, port=site.pbx.trunk_port) as ringing:
            await phone.call("7012")
            await ringing.saw("INVITE")
            await shows(phone, "Everybody else", "Ringing")
            await phone.press("Hang up")
            await shows(phone, "Everybody else", "Available")


async def test_a_caller_without_a_name_has_that_of_the_directory(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(phone_book="7001=Warehouse") as site, softphone(browser, site) as phone:
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port, caller_name="") as desk:
            await phone.rings("Warehouse", "7001")
            await phone.press("Decline")
            await desk.done()
        await expect(phone.recent).to_contain_text("Warehouse")


async def test_the_caller_s_own_name_is_kept(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(phone_book="7001=Warehouse") as site, softphone(browser, site) as phone:
        async with caller(site.pbx, tmp_path) as desk:
            await phone.rings("Desk phone")
            await phone.answer()
            await phone.talks()
            await phone.press("Hang up")
            await desk.sipp.done()
