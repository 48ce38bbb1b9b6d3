"""The admin page: somebody is added, signs in, is given a class of service, dials outside, and is out when locked."""

import asyncio
import re
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.accounts import PASSWORD, accounts, sign_in
from tests.e2e.axe import violations
from tests.e2e.softphone import Softphone, Watch, new_context, unopened_softphone
from tests.real.live_system import LiveSystemWith
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

OUTSIDE = "00442079460123"
OWN = "my own words, and long"


async def enter(page: Page, url: str, user: str) -> None:
    await page.goto(f"{url}/admin")
    await page.get_by_label("User").fill(user)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()


async def confirm(page: Page, action: str, sentence: str) -> None:
    """Presses the button, reads what will happen, and agrees."""
    await page.get_by_role("button", name=action, exact=True).click()
    question = page.get_by_role("dialog")
    await expect(question).to_contain_text(sentence)
    await question.get_by_role("button", name=action, exact=True).click()


async def secret_of(page: Page) -> str:
    shown = page.get_by_test_id("secret")
    await expect(shown).to_be_visible()
    secret = await shown.inner_text()
    await page.get_by_role("button", name="Done").click()
    return secret


async def test_a_user_is_added_calls_outside_and_is_locked_out(
    site_with: LiveSystemWith, browser: Browser, far: RtpPeer, tmp_path: Path
) -> None:
    outside = {"country": "DE", "dial_routes": "00*=PJSIP/{target}@trunk"}
    async with (
        site_with(**accounts(tmp_path, "1001", admin="1001"), **outside) as site,
        new_context(browser) as context,
    ):
        page = await context.new_page()
        watch = Watch(page)
        await enter(page, site.app.url, "1001")
        users = page.get_by_role("list", name="Users")
        await expect(users.get_by_role("listitem")).to_have_count(1)

        await page.get_by_role("button", name="Add user").click()
        await page.get_by_label("Name", exact=True).fill("1005")
        await page.get_by_label("Display name").fill("Purchasing")
        await page.get_by_role("button", name="Add", exact=True).click()
        password = await secret_of(page)
        await expect(page).to_have_url(re.compile("#users/usr_"))
        await expect(users).to_contain_text("1005 Purchasing")

        async with AsyncExitStack() as stack:
            phone = await stack.enter_async_context(unopened_softphone(browser))
            await phone.page.goto(site.app.url)
            await sign_in(phone, "1005", password)
            await phone.write(phone.page.get_by_label("New password", exact=True), OWN)
            await phone.write(phone.page.get_by_label("New password, again"), OWN)
            await phone.press("Save and sign in")
            await phone.online()
            await refused(phone)

            await page.get_by_role("link", name="Dial permissions").click()
            await decide(page, "Refused", "internal: no rule allows international")
            await page.get_by_role("link", name="Users").click()
            await users.get_by_role("button", name="1005").click()
            await page.get_by_label("Class of service").select_option("international")
            await page.get_by_role("button", name="Save").click()
            await expect(page.get_by_text("Saved.")).to_be_visible()
            await page.get_by_role("link", name="Dial permissions").click()
            await decide(page, "Allowed", "international: allow international")
            await stack.enter_async_context(
                Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port)
            )
            await phone.call(OUTSIDE)
            await phone.talks()

            await page.get_by_role("link", name="Users").click()
            await page.get_by_label("Search users").fill("purch")
            await expect(users.get_by_role("listitem")).to_have_count(1)
            await users.get_by_role("button", name="1005").click()
            await expect(page.get_by_test_id("user")).to_contain_text("calls ring here")
            await confirm(page, "Lock", "1005 has one call in progress and one page open.")
            await expect(page.get_by_test_id("user")).to_have_attribute("data-locked", "true")
            await expect(page.get_by_test_id("user")).to_contain_text("the user has no page open")
            await expect(phone.page.get_by_role("alert")).to_contain_text("has ended: sign in again")
            await site.require_nothing_left()  # the call has ended
            phone.watch.forgive("401")  # its sign-in is over, as it should be
        assert await violations(page) == []
        async with unopened_softphone(browser) as phone:
            await phone.page.goto(site.app.url)
            await sign_in(phone, "1005", OWN)
            await expect(phone.page.get_by_role("alert")).to_contain_text("Wrong name or password.")
            phone.watch.forgive("401")

        await page.get_by_role("button", name="Unlock").click()
        await expect(page.get_by_test_id("user")).to_have_attribute("data-locked", "false")
        await confirm(page, "New password", "The old password stops working")
        assert await secret_of(page) != password
        await confirm(page, "Remove", "This cannot be undone.")
        await page.get_by_label("Search users").fill("")
        await expect(users.get_by_role("listitem")).to_have_count(1)
        watch.require_none()


async def refused(phone: Softphone) -> None:
    await phone.call(OUTSIDE)
    await expect(phone.message).to_contain_text("may not")


async def decide(page: Page, word: str, rule: str) -> None:
    await page.get_by_role("textbox", name="User").fill("1005")
    await page.get_by_role("textbox", name="Number").fill(OUTSIDE)
    await page.get_by_role("button", name="Check").click()
    await expect(page.get_by_test_id("decision")).to_contain_text(word)
    await expect(page.get_by_test_id("decision")).to_contain_text(rule)


async def test_who_may_not_administer_is_told_so(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(**accounts(tmp_path, "1001", "1002", admin="1001")) as site, new_context(browser) as context:
        page = await context.new_page()
        await enter(page, site.app.url, "1002")
        await expect(page.get_by_role("alert")).to_contain_text("You may not administer this phone system.")
        await expect(page.get_by_role("navigation")).to_have_count(0)
        # A role that is given meanwhile is seen without signing in again.
        await site.app.accounts.set_roles("1002", ["admin"])
        await expect(page.get_by_role("link", name="Users")).to_be_visible(timeout=15_000)
        await page.get_by_role("list", name="Users").get_by_role("button", name="1002").click()
        await expect(page.get_by_text("This is you.")).to_be_visible()
        for action in ("Lock", "Remove", "New password"):
            await expect(page.get_by_role("button", name=action, exact=True)).to_have_count(0)


async def test_an_auditor_reads_the_audit_log_and_nothing_else(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(**accounts(tmp_path, "1001", "1002", admin="1001")) as site, new_context(browser) as context:
        await site.app.accounts.set_roles("1002", ["auditor"])
        page = await context.new_page()
        await enter(page, site.app.url, "1002")
        await expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(["Audit"])
        entries = page.get_by_role("list", name="Audit")
        await expect(entries).to_contain_text("1002 signed in")
        await expect(entries).to_contain_text("The server changed the roles of 1002")
        await page.get_by_label("Who (whole name)").fill("1002")
        await expect(entries).not_to_contain_text("The server")
        await entries.get_by_role("button", name="1002 signed in").first.click()
        await expect(entries).to_contain_text("session.create")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Export CSV").click()
        exported = await asyncio.to_thread((await (await download.value).path()).read_text)
        assert "session.create" in exported and "user.roles" not in exported
        assert await violations(page) == []


async def test_a_key_is_made_used_and_revoked(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(**accounts(tmp_path, "1001", admin="1001")) as site, new_context(browser) as context:
        page = await context.new_page()
        await enter(page, site.app.url, "1001")
        await page.get_by_role("link", name="API keys").click()
        await page.get_by_role("button", name="New key").click()
        await page.get_by_label("What it is for").fill("CRM")
        await page.get_by_role("checkbox", name="calls:read").check()
        assert await violations(page) == []
        await page.get_by_role("button", name="Make the key").click()
        token = await page.get_by_test_id("secret").nth(2).inner_text()
        await page.get_by_role("button", name="Done").click()
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(site.app.url, headers=headers) as http:
            async with http.get("/calls") as response:
                assert response.status == 200
            async with http.get("/users") as response:
                assert response.status == 403
            await confirm(page, "Revoke", "This cannot be undone.")
            await expect(page.get_by_role("list", name="API keys")).to_contain_text("Revoked")
            async with http.get("/calls") as response:
                assert response.status == 401
