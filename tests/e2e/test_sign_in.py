"""With sign-in on: a name and a password open the phone, nothing else does."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.accounts import accounts, sign_in
from tests.e2e.softphone import unopened_softphone
from tests.real.live_system import LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_the_wrong_password_is_told_and_the_right_one_calls(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
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


async def test_the_dashboard_wants_a_sign_in_too(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(**accounts(tmp_path, "1001", admin="1001")) as site, unopened_softphone(browser) as phone:
        await phone.page.goto(f"{site.app.url}/dashboard")
        await sign_in(phone, "1001")
        await expect(phone.page.get_by_role("status")).to_have_text("Connected")


async def test_who_may_not_see_the_dashboard_is_told_so(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(**accounts(tmp_path, "1001")) as site, unopened_softphone(browser) as phone:
        await phone.page.goto(f"{site.app.url}/dashboard")
        await sign_in(phone, "1001")
        await expect(phone.page.get_by_role("alert")).to_contain_text("You may not see everybody's calls.")
        phone.watch.forgive("403")


async def test_a_dashboard_that_stays_open_stays_signed_in_while_the_server_renews_it(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    settings = accounts(tmp_path, "1001", admin="1001")
    async with site_with(**settings) as site, unopened_softphone(browser) as phone:
        page, status = phone.page, phone.page.get_by_role("status")
        await page.goto(f"{site.app.url}/dashboard")
        await sign_in(phone, "1001")
        await expect(status).to_have_text("Connected")
        secret = settings["token_secret_file"].read_text().strip()
        soon = claims_of(await stored_token(page)) | {"exp": int(time.time()) + 50}
        await page.evaluate("([key, value]) => sessionStorage.setItem(key, value)", [KEY, session(soon, secret)])
        await page.reload()
        await expect(status).to_have_text("Connected")
        async with asyncio.timeout(15):
            while claims_of(await stored_token(page))["exp"] <= soon["exp"]:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        site.app.accounts.sessions.max_idle = -1.0  # it is not refreshed any more
        await page.evaluate(
            "([key, value]) => sessionStorage.setItem(key, value)",
            [KEY, session(soon | {"exp": int(time.time()) - 600}, secret)],
        )
        await page.reload()
        await expect(page.get_by_text("The token has expired: sign in again.")).to_be_visible()
        await expect(phone.button("Sign in")).to_be_visible()
        phone.watch.forgive("401")


KEY = "softphone.session"


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def stored_token(page: Page) -> str:
    stored: str = await page.evaluate("(key) => JSON.parse(sessionStorage.getItem(key)).token", KEY)
    return stored


def session(claims: dict[str, Any], secret: str) -> str:
    return json.dumps({"user": "1001", "token": jwt.encode(claims, secret, algorithm="HS256")})
