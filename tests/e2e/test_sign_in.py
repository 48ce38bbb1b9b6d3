"""With sign-in on: a name and a password open the phone, nothing else does."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.accounts import accounts, sign_in
from tests.e2e.softphone import unopened_softphone
from tests.real.site import SiteWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_the_wrong_password_is_told_and_the_right_one_calls(
    site_with: SiteWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(**accounts(tmp_path, "1001")) as site, unopened_softphone(browser) as phone:
        await phone.page.goto(site.app.url)
        await sign_in(phone, "1001", "wrong")
        await phone.is_told("Wrong name or password.")
        phone.watch.forgive("401")
        await sign_in(phone, "1001")
        await phone.online()
        await phone.call("601")
        await phone.hears(1004)
        await phone.press("Hang up")
        await phone.press("Sign out")
        await expect(phone.button("Sign in")).to_be_visible()
        await phone.page.reload()
        await expect(phone.button("Sign in")).to_be_visible()


async def test_the_dashboard_wants_a_sign_in_too(site_with: SiteWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(**accounts(tmp_path, "1001")) as site, unopened_softphone(browser) as phone:
        await phone.page.goto(f"{site.app.url}/dashboard")
        await sign_in(phone, "1001")
        await expect(phone.page.get_by_role("status")).to_have_text("Connected")
