"""The pages behind a proxy, below a path of a name: nobody may notice."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from frontend.auth.proxies import parse_proxies
from tests.e2e.accounts import accounts, sign_in
from tests.e2e.softphone import unopened_softphone
from tests.real.live_system import LiveSystemWith
from tests.real.proxies import Proxy

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_a_phone_below_a_path(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    settings = {
        **accounts(tmp_path, "1001", admin="1001"),
        "cors_origin": "",
        "trusted_proxies": parse_proxies("127.0.0.1"),
    }
    settings["disconnect_grace"] = 30.0
    async with site_with(**settings) as site, unopened_softphone(browser, ignore_https_errors=True) as phone:
        port = urlsplit(site.app.url).port
        assert port
        with Proxy("nginx", tmp_path / "nginx", port) as proxy:
            await phone.page.goto(proxy.url)  # without the slash at its end, as people type it
            await sign_in(phone, "1001")
            await phone.online()
            await phone.call("601")
            await phone.hears(1004)
            await phone.page.reload()
            await phone.hears(1004)
            await phone.press("Hang up")
            await phone.page.goto(f"{proxy.url}/dashboard")
            await expect(phone.page.get_by_role("status")).to_have_text("Connected")
            await phone.page.get_by_role("link", name="Softphone").click()
            await phone.online()
            assert urlsplit(phone.page.url).path == "/phone/"
            await phone.page.screenshot(path=tmp_path / "phone.png")
