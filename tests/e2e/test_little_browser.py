"""What a browser refuses, lacks or breaks takes no page down, and no call."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.chromium import chromium
from tests.e2e.conftest import PAGE_TONE
from tests.e2e.firefox import firefox
from tests.e2e.softphone import softphone, unopened_softphone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.sipp import Sipp
from tests.real.tone_file import write_tone

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
GRACE = 20.0
"""Seconds that a page may be away: a crowded machine takes its time for a reload."""
MILLIWATT = 1004.0

NOTIFICATIONS = """
window.__shown = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() {
    window.__pressed = navigator.userActivation.isActive;
    return (this.permission = "granted");
  }
  constructor(title) { if (this.constructor.permission === "granted") window.__shown.push(title); }
  close() { if (this.constructor.permission === "granted") window.__shown.push("closed"); }
};
Object.defineProperty(document, "hidden", { get: () => true });
"""
"""A browser that has not been asked, and a page that is out of sight."""
THROWS = """
window.Notification = class {
  static permission = "granted";
  constructor() { throw new TypeError("Illegal constructor"); }
};
Object.defineProperty(document, "hidden", { get: () => true });
"""
"""As in Android's Chrome."""
LITTLE = """
const refuse = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { get: refuse });
for (const name of ["Notification", "matchMedia"]) delete window[name];
for (const name of ["wakeLock", "mediaSession", "permissions", "userActivation"])
  Object.defineProperty(Navigator.prototype, name, { value: undefined });
if (window.LockManager) LockManager.prototype.request = async () => refuse();
delete HTMLMediaElement.prototype.setSinkId;
delete AudioContext.prototype.setSinkId;
RTCPeerConnection.generateCertificate = undefined;
"""
"""A sandboxed page, without cookies, in a browser that has only what a call cannot do without."""


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["Chromium", "Firefox"])
async def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    folder = tmp_path_factory.mktemp("browser")
    if request.param == "Firefox":
        async with firefox(folder, round(PAGE_TONE)) as running:
            yield running
    else:
        write_tone(folder / "tone.wav", PAGE_TONE)
        async with chromium(folder / "tone.wav") as running:
            yield running


async def test_it_is_asked_for_notifications_by_a_press_and_shows_them(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with unopened_softphone(browser) as phone:
        await phone.page.add_init_script(NOTIFICATIONS)
        await phone.start(site.app.url, "1001")
        await phone.press("Show it")
        await expect(phone.page.get_by_test_id("notifications")).to_be_hidden()
        assert await phone.page.evaluate("window.__pressed")
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await phone.rings("Desk phone")
            await phone.page.wait_for_function("window.__shown.includes('Desk phone is calling')")
            await phone.press("Decline")
            await caller.done()
        await phone.page.wait_for_function("window.__shown.at(-1) === 'closed'")


async def test_a_notification_that_throws_takes_no_page_down(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with unopened_softphone(browser) as phone:
        await phone.page.add_init_script(THROWS)
        await phone.start(site.app.url, "1001")
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await phone.rings("Desk phone")
            await phone.press("Decline")
            await phone.is_told("You declined the call.")
            await caller.done()


async def test_a_browser_that_has_little_calls(site: LiveSystem, browser: Browser) -> None:
    async with unopened_softphone(browser) as phone:
        await phone.page.add_init_script(LITTLE)
        await phone.start(site.app.url, "1001")
        await phone.call("601")
        await phone.talks()
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        await phone.press("Sign out")
        await expect(phone.button("Start")).to_be_visible()


async def test_what_breaks_on_the_screen_leaves_the_call(site_with: LiveSystemWith, browser: Browser) -> None:
    async with site_with(disconnect_grace=GRACE) as site, softphone(browser, site) as phone:
        await phone.page.evaluate("void (window.requestAnimationFrame = () => { throw new Error('no frames'); })")
        await phone.call("601")
        await phone.is_told("Your call goes on")
        await expect(phone.page.get_by_role("status")).to_have_text("In call Milliwatt tone")
        await phone.hears(MILLIWATT)
        phone.watch.take()  # the error, as each browser words it
        phone.forget()
        await phone.press("Reload the page")
        await phone.talks()
        await phone.hears(MILLIWATT)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
