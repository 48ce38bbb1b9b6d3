"""Single sign-on at a real, certified provider, in browsers: in, a call that is heard, and out again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.conftest import both_browsers
from tests.e2e.softphone import Softphone, unopened_softphone
from tests.fakes.oidc_provider import SigningKey
from tests.real import free_ports
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.oidc_provider import OidcProvider, oidc_provider

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0


@asynccontextmanager
async def system(
    site_with: LiveSystemWith, folder: Path, **changes: Any
) -> AsyncIterator[tuple[LiveSystem, OidcProvider]]:
    """A server, and the provider that it trusts."""
    port = free_ports.ports(1)[0]
    async with oidc_provider(folder / "provider", f"http://127.0.0.1:{port}") as provider:
        settings = {
            "enable_authentication": True,
            "users_file": folder / "users",
            "token_secret_file": folder / "secret",
            "http_port": port,
            **provider.settings(),
            **changes,
        }
        async with site_with(**settings) as site:
            yield site, provider


async def sign_in(phone: Softphone, name: str, secret: str = "secret") -> None:
    """On the sign-in page, and then at the provider."""
    await phone.page.get_by_role("link", name="Sign in with Example Ltd").click()
    await at_provider(phone.page, name, secret)


async def at_provider(page: Page, name: str, secret: str = "secret") -> None:
    for label, text in (("Name", name), ("Secret", secret)):
        await page.get_by_label(label).press_sequentially(text)
    await page.get_by_role("button", name="Continue").click()


@both_browsers
async def test_in_a_call_and_out(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with system(site_with, tmp_path) as (site, _), unopened_softphone(browser) as phone:
        await phone.page.goto(site.app.url)
        await sign_in(phone, "1001")
        await phone.online()
        assert phone.page.url == f"{site.app.url}/"
        await phone.call("601")
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")
        await phone.page.reload()
        await phone.online()
        await phone.press("Sign out")
        await phone.page.get_by_role("button", name="Yes, sign out").click()
        await expect(phone.button("Sign in")).to_be_visible()
        # Signed out at the provider too: it asks again.
        await phone.page.get_by_role("link", name="Sign in with Example Ltd").click()
        await expect(phone.page.get_by_label("Secret")).to_be_visible()


async def test_the_dashboard_by_the_provider_and_a_group_that_is_taken_away(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with system(site_with, tmp_path) as (site, provider), unopened_softphone(browser) as phone:
        provider.add("1001", "phone", "leads")
        await phone.page.goto(f"{site.app.url}/dashboard?filter=601")
        await sign_in(phone, "1001")
        await expect(phone.page.get_by_role("status")).to_have_text("Connected")
        assert phone.page.url == f"{site.app.url}/dashboard?filter=601"
        provider.add("1001")
        async with unopened_softphone(browser) as other:
            await other.page.goto(site.app.url)
            await sign_in(other, "1001")
            await other.is_told("No group of yours")
        await expect(phone.button("Sign in")).to_be_visible()
        phone.watch.forgive("401")


async def test_who_cancels_or_is_refused_reads_why(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with system(site_with, tmp_path) as (site, provider), unopened_softphone(browser) as phone:
        await phone.page.goto(site.app.url)
        await sign_in(phone, "1001", "wrong")
        await phone.is_told("You have not signed in at Example Ltd.")
        await site.app.accounts.add("2001", "")
        provider.add("2001", "phone")
        await sign_in(phone, "2001")
        await phone.is_told("There is a user of your name here")
        await phone.page.context.clear_cookies()
        await sign_in(phone, "1001")
        await phone.online()
        await site.app.accounts.set_locked("1001", True)
        await expect(phone.button("Sign in")).to_be_visible()
        await phone.page.get_by_role("link", name="Sign in with Example Ltd").click()
        await phone.is_told("Your user is locked here.")
        phone.watch.forgive("401")


async def test_new_keys_and_then_no_provider_at_all(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with system(site_with, tmp_path) as (site, provider), unopened_softphone(browser) as phone:
        await phone.page.goto(site.app.url)
        await sign_in(phone, "1001")
        await phone.online()
        await provider.rotate(SigningKey("second"))
        async with unopened_softphone(browser) as other:
            await other.page.goto(site.app.url)
            await sign_in(other, "1001")
            await other.online()
        await phone.call("601")
        await provider.stop()
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")


@both_browsers
async def test_signed_out_at_the_provider_the_call_goes_on_and_a_window_signs_in_again(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with (
        system(site_with, tmp_path, disconnect_grace=20.0) as (site, provider),
        unopened_softphone(browser) as phone,
    ):
        await phone.page.goto(site.app.url)
        await sign_in(phone, "1001")
        await phone.online()
        await phone.call("601")
        await phone.hears(MILLIWATT)
        other = await phone.page.context.new_page()
        await other.goto(f"{provider.issuer}/session/end")
        await other.get_by_role("button", name="Yes, sign out").click()
        again = phone.page.get_by_test_id("sign-in-again")
        await expect(again).to_be_visible()
        phone.forget()
        await phone.hears(MILLIWATT)
        async with phone.page.context.expect_page() as opened:
            await again.get_by_role("button", name="Sign in with Example Ltd").click()
        await at_provider(await opened.value, "1001")
        await expect(again).to_be_hidden()
        await phone.online()
        phone.forget()
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        phone.watch.forgive("401")
