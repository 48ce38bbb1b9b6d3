"""A password that somebody else has chosen: the page asks for another one, and then is signed in."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from ari_bridge.accounts import passwords
from tests.e2e.accounts import PASSWORD, accounts, sign_in, signed_in
from tests.e2e.axe import violations
from tests.e2e.conftest import both_browsers
from tests.e2e.softphone import Softphone, unopened_softphone
from tests.real.live_system import LiveSystem, LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
OWN = "my own words, and long"


async def reset(site: LiveSystem, user: str) -> None:
    """As `ari-bridge user password` does it."""
    await site.app.accounts.set_password(user, passwords.hash_password(PASSWORD), must_change=True)


async def choose(phone: Softphone, first: str, again: str) -> None:
    await phone.write(phone.page.get_by_label("New password", exact=True), first)
    await phone.write(phone.page.get_by_label("New password, again"), again)
    await phone.press("Save and sign in")


@both_browsers
async def test_the_first_sign_in_asks_for_another_password_and_then_calls(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(**accounts(tmp_path, "1001")) as site, unopened_softphone(browser) as phone:
        await reset(site, "1001")
        await phone.page.goto(site.app.url)
        await sign_in(phone, "1001")
        await expect(phone.page.get_by_role("heading")).to_have_text("Choose your own password")
        assert await violations(phone.page) == []
        await choose(phone, "short", "short")
        await expect(phone.page.get_by_text("The password needs at least 12 characters.")).to_be_visible()
        await choose(phone, OWN, f"{OWN}!")
        await expect(phone.page.get_by_text("The two are not the same.")).to_be_visible()
        await choose(phone, "password12345", "password12345")
        await phone.is_told("The password is a common one")
        await choose(phone, PASSWORD, PASSWORD)
        await phone.is_told("The new password is the old one.")
        phone.watch.forgive("40")
        await choose(phone, OWN, OWN)
        await phone.online()
        await phone.call("601")
        await phone.hears(1004)
        await phone.press("Hang up")
        await phone.press("Sign out")
        await sign_in(phone, "1001", OWN)
        await phone.online()


async def test_the_dashboard_asks_for_it_too(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(**accounts(tmp_path, "1001", admin="1001")) as site, unopened_softphone(browser) as phone:
        await reset(site, "1001")
        await phone.page.goto(f"{site.app.url}/dashboard")
        await sign_in(phone, "1001")
        await choose(phone, OWN, OWN)
        await expect(phone.page.get_by_role("status")).to_have_text("Connected")
        phone.watch.forgive("401")


async def test_one_changes_the_password_in_the_settings_and_stays_signed_in(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with (
        site_with(**accounts(tmp_path, "1001")) as site,
        signed_in(browser, site, "1001") as phone,
        signed_in(browser, site, "1001") as other,
    ):
        await phone.press("Password and sign-in")
        await phone.press("Change the password")
        sheet = phone.page.get_by_role("dialog", name="Password and sign-in")
        for old, told in (("wrong", "The old password is wrong."), (PASSWORD, "The password is changed.")):
            await phone.write(sheet.get_by_label("Old password"), old)
            await phone.write(sheet.get_by_label("New password", exact=True), OWN)
            await phone.write(sheet.get_by_label("New password, again"), OWN)
            await phone.press("Change the password")
            await expect(sheet).to_contain_text(told)
        assert await violations(phone.page) == []
        await phone.page.keyboard.press("Escape")
        await expect(other.button("Sign in")).to_be_visible()
        other.watch.forgive("40")
        phone.watch.forgive("40")
        await phone.online()
        await phone.call("601")
        await phone.hears(1004)
        await phone.page.reload()
        await phone.talks()
        await phone.press("Hang up")
