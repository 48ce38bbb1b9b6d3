"""Two steps to sign in: an authenticator app is set up on the page, asked for at the next sign-in, and turned off."""

import time
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Locator, expect

from ari_bridge.accounts import totp
from tests.e2e.accounts import PASSWORD, accounts, sign_in
from tests.e2e.axe import violations
from tests.e2e.conftest import both_browsers
from tests.e2e.softphone import Softphone, unopened_softphone
from tests.real.live_system import LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


def code_of(secret: str, steps: int = 0) -> str:
    """The app's, of now or of so many steps later."""
    return pyotp.TOTP(secret.replace(" ", "")).generate_otp(int(time.time()) // totp.STEP_S + steps)


async def sets_up(phone: Softphone, where: Locator, steps: int) -> tuple[str, list[str]]:
    """Reads the secret off the page, and gives its code of so many steps later: the secret, and the recovery codes."""
    await expect(where.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
    secret = await where.locator("code").inner_text()
    await phone.write(where.get_by_label("The code that the app shows then"), code_of(secret, steps))
    await phone.press("Turn on")
    shown = where.get_by_role("list", name="Keep these recovery codes").get_by_role("listitem")
    await expect(shown).to_have_count(10)
    codes = [await shown.nth(number).inner_text() for number in range(10)]
    await phone.press("I have kept them")
    return secret, codes


async def gives(phone: Softphone, code: str) -> None:
    await phone.write(phone.page.get_by_label("Code", exact=True), code)
    await phone.press("Sign in")


@both_browsers
async def test_an_app_is_set_up_asked_for_and_turned_off(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(**accounts(tmp_path, "1001")) as site, unopened_softphone(browser) as phone:
        await phone.page.goto(site.app.url)
        await sign_in(phone, "1001")
        await phone.online()
        await phone.press("Password and sign-in")
        sheet = phone.page.get_by_role("dialog", name="Password and sign-in")
        await phone.press("Set up an app")
        await phone.write(sheet.get_by_label("Your password"), PASSWORD)
        await phone.press("Continue")
        await expect(sheet.locator("code")).to_be_visible()
        if browser.browser_type.name == "chromium":
            assert await violations(phone.page) == []
        secret, codes = await sets_up(phone, sheet, -1)
        await expect(sheet).to_contain_text("On. 10 recovery codes are left.")
        await phone.page.keyboard.press("Escape")
        await phone.press("Sign out")

        await sign_in(phone, "1001")
        await expect(phone.page.get_by_role("heading")).to_have_text("Enter the code")
        assert await violations(phone.page) == []
        await gives(phone, "000000" if code_of(secret) != "000000" else "000001")
        await phone.is_told("This is not the code that the app shows now")
        await gives(phone, code_of(secret))
        await phone.online()
        await phone.call("601")
        await phone.hears(1004)
        await phone.press("Hang up")
        await phone.press("Sign out")

        await sign_in(phone, "1001")
        await phone.press("Use a recovery code")
        await phone.write(phone.page.get_by_label("Recovery code"), codes[0].lower())
        await phone.press("Sign in")
        await phone.online()
        await phone.press("Password and sign-in")
        await expect(sheet).to_contain_text("On. 9 recovery codes are left.")
        await phone.press("Turn off")
        await phone.write(sheet.get_by_label("Your password"), PASSWORD)
        await phone.write(sheet.get_by_label("Code of the app, or a recovery code"), codes[1])
        await phone.press("Continue")
        await expect(sheet).to_contain_text("Off.")
        await phone.page.keyboard.press("Escape")
        await phone.press("Sign out")
        await sign_in(phone, "1001")
        await phone.online()
        phone.watch.forgive("401")


async def test_who_needs_one_sets_it_up_at_the_sign_in(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    settings = accounts(tmp_path, "1001", admin="1001") | {"require_second_factor": ("admin",)}
    async with site_with(**settings) as site, unopened_softphone(browser) as phone:
        page = phone.page
        await page.goto(f"{site.app.url}/dashboard")
        await sign_in(phone, "1001")
        await expect(page.get_by_role("heading")).to_have_text("Set up an authenticator app")
        assert await violations(page) == []
        secret, codes = await sets_up(phone, page.locator("main"), -1)
        assert len(codes) == 10
        await expect(page.get_by_role("status")).to_have_text("Connected")
        await page.goto(site.app.url)
        await phone.press("Sign out")
        await sign_in(phone, "1001")
        await gives(phone, code_of(secret))
        await phone.online()
        phone.watch.forgive("401")
