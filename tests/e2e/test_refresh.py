"""A page over the end of several tokens: it refreshes them, alone, beside a copy of itself, and until it signs out."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from frontend.auth import token_signer
from frontend.websocket import token_expiry
from tests.e2e.accounts import accounts, sign_in
from tests.e2e.conftest import both_browsers
from tests.e2e.ears import Ears
from tests.e2e.softphone import Softphone, new_context
from tests.e2e.test_sign_in import claims_of, stored_token
from tests.real.live_system import LiveSystem, LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0
TOKEN_LIFETIME_S = 8


@pytest.fixture
def exact_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without leeway: a token that was not refreshed would be refused within seconds."""
    for module in (token_signer, token_expiry):
        monkeypatch.setattr(module, "CLOCK_LEEWAY_S", 0.0)


async def refreshes(page: Page, count: int) -> None:
    """Until the page has got so many tokens more."""
    seen = {await stored_token(page)}
    async with asyncio.timeout(30 + count * 2 * TOKEN_LIFETIME_S):
        while len(seen) <= count:
            await asyncio.sleep(0.2)
            seen.add(await stored_token(page))
    assert len({claims_of(token)["sid"] for token in seen}) == 1


async def phone_of(site: LiveSystem, page: Page, ears: Ears) -> Softphone:
    phone = Softphone(page, ears)
    await page.goto(site.app.url)
    await sign_in(phone, "1001")
    await phone.online()
    return phone


@both_browsers
async def test_a_call_is_heard_over_the_end_of_several_tokens(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path, exact_clocks: None
) -> None:
    settings = accounts(tmp_path, "1001") | {"token_lifetime": TOKEN_LIFETIME_S}
    async with site_with(**settings) as site, new_context(browser) as context:
        ears = Ears()
        await ears.attach(context)
        phone = await phone_of(site, await context.new_page(), ears)
        await phone.call("601")
        await phone.hears(MILLIWATT)
        [owner] = site.app.calls.live()
        await refreshes(phone.page, 3)
        await site.app.accounts.keys.rotate()
        await refreshes(phone.page, 2)
        phone.forget()
        await phone.hears(MILLIWATT)
        await phone.talks()
        assert [call.id for call in site.app.calls.live()] == [owner.id]
        await phone.page.reload()
        await phone.talks()
        await refreshes(phone.page, 1)
        await phone.press("Hang up")
        await site.require_nothing_left()
        assert await phone.page.evaluate("document.cookie") == "", "a script can read the refresh token"


async def test_a_copied_tab_and_its_original_share_a_session_and_refresh_it_both(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path, exact_clocks: None
) -> None:
    settings = accounts(tmp_path, "1001") | {"token_lifetime": TOKEN_LIFETIME_S}
    async with site_with(**settings) as site, new_context(browser) as context:
        phone = await phone_of(site, await context.new_page(), Ears())
        async with context.expect_page() as opened:
            await phone.page.evaluate("() => void window.open(location.href)")
        copy = Softphone(await opened.value, Ears())
        await copy.online()
        await asyncio.gather(refreshes(phone.page, 3), refreshes(copy.page, 3))
        for page in (phone, copy):
            await page.online()
        sids = {claims_of(await stored_token(page.page))["sid"] for page in (phone, copy)}
        assert len(sids) == 1


async def test_signing_out_in_one_tab_leaves_the_other_signed_in(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with site_with(**accounts(tmp_path, "1001")) as site, new_context(browser) as context:
        one = await phone_of(site, await context.new_page(), Ears())
        other = await phone_of(site, await context.new_page(), Ears())
        ended, kept = [claims_of(await stored_token(page.page))["sid"] for page in (one, other)]
        await one.press("Sign out")
        await expect(one.button("Sign in")).to_be_visible()
        async with asyncio.timeout(10):
            while not site.app.accounts.sessions.is_ended(ended):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert {cookie["name"] for cookie in await context.cookies(f"{site.app.url}/session")} == {
            f"ari-bridge-session-{kept}"
        }
        await other.online()
        await other.page.reload()
        await other.online()
