"""A security key at the sign-in: set up on the page, asked for at the next one, and during a call; Chromium's own."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, CDPSession, Locator, expect

from tests.e2e.accounts import PASSWORD, accounts, sign_in
from tests.e2e.axe import violations
from tests.e2e.softphone import Softphone, unopened_softphone
from tests.e2e.test_sign_in_ends import AgeingTokens
from tests.real import free_ports
from tests.real.live_system import LiveSystem, LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


@dataclass
class VirtualKey:
    """A key at this page's browser (WebAuthn domain of the DevTools protocol)."""

    devtools: CDPSession
    id: str

    async def credentials(self) -> list[dict[str, Any]]:
        found = await self.devtools.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        credentials: list[dict[str, Any]] = found["credentials"]
        return credentials

    async def count(self, sign_count: int) -> None:
        """Put the key's counter back to this, as that of a copy is."""
        for credential in await self.credentials():
            await self.devtools.send(
                "WebAuthn.removeCredential", {"authenticatorId": self.id, "credentialId": credential["credentialId"]}
            )
            changed = credential | {"signCount": sign_count}
            await self.devtools.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": changed})


async def plug_in(phone: Softphone) -> VirtualKey:
    devtools = await phone.page.context.new_cdp_session(phone.page)
    await devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": False, "hasUserVerification": False}
    made = await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return VirtualKey(devtools, made["authenticatorId"])


@asynccontextmanager
async def site_of_keys(
    site_with: LiveSystemWith, folder: Path, **settings: Any
) -> AsyncIterator[tuple[LiveSystem, str]]:
    """A site, and its address: keys are used at a name and never at an IP address."""
    [port] = free_ports.ports(1)
    address = f"http://localhost:{port}"
    chosen = accounts(folder, "1001", **settings.pop("users", {})) | {"http_port": port, "webauthn_origins": (address,)}
    async with site_with(**chosen, **settings) as site:
        yield site, address


async def adds(phone: Softphone, sheet: Locator, name: str) -> list[str]:
    """Sets the key up in the open sheet: the recovery codes."""
    await phone.press("Add a security key")
    await phone.write(sheet.get_by_label("Name of the key"), name)
    await phone.write(sheet.get_by_label("Your password"), PASSWORD)
    await phone.press("Continue")
    shown = sheet.get_by_role("list", name="Keep these recovery codes").get_by_role("listitem")
    await expect(shown).to_have_count(10)
    codes = [await shown.nth(number).inner_text() for number in range(10)]
    await phone.press("I have kept them")
    return codes


async def test_a_key_is_set_up_asked_for_and_removed(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_of_keys(site_with, tmp_path) as (_, address), unopened_softphone(browser) as phone:
        await phone.page.goto(address)
        key = await plug_in(phone)
        await sign_in(phone, "1001")
        await phone.online()
        await phone.press("Password and sign-in")
        sheet = phone.page.get_by_role("dialog", name="Password and sign-in")
        codes = await adds(phone, sheet, "Blue key")
        assert len(await key.credentials()) == 1
        await expect(sheet.get_by_role("list", name="Your security keys")).to_contain_text("Blue key")
        await expect(sheet).to_contain_text("On. 10 recovery codes are left.")
        assert await violations(phone.page) == []
        await phone.page.keyboard.press("Escape")
        await phone.press("Sign out")

        await sign_in(phone, "1001")
        await expect(phone.page.get_by_role("heading")).to_have_text("Use your security key")
        assert await violations(phone.page) == []
        await phone.press("Use your security key")
        await phone.online()
        await phone.call("601")
        await phone.hears(1004)
        await phone.press("Hang up")
        await phone.press("Sign out")

        await sign_in(phone, "1001")
        await phone.press("Use a recovery code")
        await phone.write(phone.page.get_by_label("Recovery code"), codes[0])
        await phone.press("Sign in")
        await phone.online()
        await phone.press("Password and sign-in")
        await phone.press("Remove Blue key")
        await phone.write(sheet.get_by_label("Your password"), PASSWORD)
        await phone.press("Continue with a security key")
        await expect(sheet).to_contain_text("Off.")
        await phone.page.keyboard.press("Escape")
        await phone.press("Sign out")
        await sign_in(phone, "1001")
        await phone.online()
        phone.watch.forgive("401")


async def test_what_is_said_when_a_key_is_refused(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with site_of_keys(site_with, tmp_path) as (_, address), unopened_softphone(browser) as phone:
        await phone.page.goto(address)
        key = await plug_in(phone)
        await sign_in(phone, "1001")
        await phone.online()
        await phone.press("Password and sign-in")
        sheet = phone.page.get_by_role("dialog", name="Password and sign-in")
        await adds(phone, sheet, "Blue key")
        await phone.page.keyboard.press("Escape")
        await phone.press("Sign out")
        await sign_in(phone, "1001")
        await phone.press("Use your security key")
        await phone.online()
        await phone.press("Sign out")

        await key.count(0)
        await sign_in(phone, "1001")
        await phone.press("Use your security key")
        await phone.is_told("This security key may have been copied: its counter went back.")
        for credential in await key.credentials():
            await key.devtools.send(
                "WebAuthn.removeCredential", {"authenticatorId": key.id, "credentialId": credential["credentialId"]}
            )
        await phone.press("Use your security key")
        await phone.is_told("No key was used. Try again.")
        phone.watch.forgive("401")


async def test_who_needs_a_second_factor_sets_up_a_key(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    required = {"users": {"admin": "1001"}, "require_second_factor": ("admin",)}
    async with site_of_keys(site_with, tmp_path, **required) as (_, address), unopened_softphone(browser) as phone:
        page = phone.page
        await page.goto(address)
        await plug_in(phone)
        await sign_in(phone, "1001")
        await expect(page.get_by_role("heading")).to_have_text("Set up an authenticator app")
        await phone.press("Use a security key instead")
        await expect(page.get_by_role("heading")).to_have_text("Set up a security key")
        assert await violations(page) == []
        await phone.write(page.get_by_label("Name of the key"), "Blue key")
        await phone.press("Set up the key")
        await expect(page.get_by_role("list", name="Keep these recovery codes").get_by_role("listitem")).to_have_count(
            10
        )
        await phone.press("I have kept them")
        await phone.online()
        phone.watch.forgive("401")


@pytest.mark.parametrize("with_key", [True, False], ids=["key", "recovery code"])
async def test_the_second_step_is_asked_for_when_the_sign_in_ends_during_a_call(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path, with_key: bool
) -> None:
    lasting = {"disconnect_grace": 20.0}
    async with site_of_keys(site_with, tmp_path, **lasting) as (site, address), unopened_softphone(browser) as phone:
        cable = AgeingTokens(tmp_path / "secret")
        await phone.page.route_web_socket(re.compile("/ws$"), cable.connect)
        await phone.page.goto(address)
        await plug_in(phone)
        await sign_in(phone, "1001")
        await phone.online()
        await phone.press("Password and sign-in")
        codes = await adds(phone, phone.page.get_by_role("dialog", name="Password and sign-in"), "Blue key")
        await phone.page.keyboard.press("Escape")
        await phone.call("601")
        await phone.hears(1004)
        await phone.talks()
        cable.end()
        site.app.accounts.sessions.max_idle = -1.0  # and it is not refreshed
        await cable.pull()
        cable.plug_in()
        again = phone.page.get_by_test_id("sign-in-again")
        await expect(again).to_contain_text("Your sign-in has ended.")
        await phone.write(again.get_by_label("Password"), PASSWORD)
        await again.get_by_role("button", name="Sign in", exact=True).click()
        await expect(again).to_contain_text("Now the second step.")
        assert await violations(phone.page) == []
        await again.get_by_role("button", name="Use a code").click()
        await phone.write(again.get_by_label("Recovery code"), "not one of them")
        await again.get_by_role("button", name="Sign in", exact=True).click()
        await expect(again).to_contain_text("Wrong code. Try again.")
        if with_key:
            await again.get_by_role("button", name="Use a key").click()
            await again.get_by_role("button", name="Use your key").click()
        else:
            await phone.write(again.get_by_label("Recovery code"), codes[0])
            await again.get_by_role("button", name="Sign in", exact=True).click()
        await expect(again).to_be_hidden()
        await phone.online()
        phone.forget()
        await phone.hears(1004)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        phone.watch.forgive("401")
