"""Which microphone is used: none before a call needs it; the chosen one, over a reload and over being unplugged.

The devices are a sound server's, and each microphone hears a tone of its own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.chromium import chromium
from tests.e2e.firefox import firefox
from tests.e2e.loudspeaker import Environment, loudspeaker, plug_in, unplug, use_by_default
from tests.e2e.softphone import unopened_softphone
from tests.real.live_system import LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
GRACE = 20.0
"""Seconds that a page may be away: a crowded machine takes its time for a reload."""
DESK, HEADSET = 500, 800
"""Hz that each microphone hears."""
ECHO = "600"
PLUGS = """
(() => {
  const gone = new Set();
  const { enumerateDevices, getUserMedia } = MediaDevices.prototype;
  const tracks = new Set();
  MediaDevices.prototype.enumerateDevices = async function () {
    return (await enumerateDevices.call(this)).filter(({ label }) => !gone.has(label));
  };
  MediaDevices.prototype.getUserMedia = async function (wanted) {
    const stream = await getUserMedia.call(this, wanted);
    const [track] = stream.getAudioTracks();
    if (gone.has(track.label)) {
      track.stop();
      throw new OverconstrainedError("deviceId", "it is unplugged");
    }
    tracks.add(track);
    return stream;
  };
  window.__plugged = (label, there) => {
    gone[there ? "delete" : "add"](label);
    for (const track of tracks) {
      if (there || track.label !== label || track.readyState !== "live") continue;
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }
    navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
  };
})();
"""
"""Chromium asks udev what is plugged in: it hears nothing of devices that are only the sound server's."""


@asynccontextmanager
async def browser_with_devices(name: str, folder: Path) -> AsyncIterator[tuple[Browser, Environment]]:
    if name == "Firefox":
        async with firefox(folder, None) as running:
            yield running, {"XDG_RUNTIME_DIR": str(folder), "HOME": str(folder)}
    else:
        async with loudspeaker(folder) as server, chromium(None, sound=server) as running:
            yield running, server


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["Chromium", "Firefox"])
async def machine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Browser, Environment]]:
    async with browser_with_devices(request.param, tmp_path_factory.mktemp("machine")) as (browser, server):
        await plug_in(server, "Desk", DESK)
        await use_by_default(server, "Desk")
        yield browser, server


async def test_the_chosen_one_is_kept(site_with: LiveSystemWith, machine: tuple[Browser, Environment]) -> None:
    browser, server = machine
    headset = await plug_in(server, "Headset", HEADSET)
    is_chromium = browser.browser_type.name == "chromium"

    async def plugged(there: bool) -> None:
        if is_chromium:
            await phone.page.evaluate("(there) => window.__plugged('Headset', there)", there)

    async with site_with(disconnect_grace=GRACE) as site, unopened_softphone(browser) as phone:
        if is_chromium:
            await phone.page.add_init_script(PLUGS)
        await phone.start(site.app.url, "1001")
        off = phone.page.get_by_role("button", name="Test the microphone")
        await expect(off).to_be_visible()
        await phone.call(ECHO)
        await phone.hears(DESK)
        await phone.microphone.select_option(label="Headset")
        phone.forget()
        await phone.hears(HEADSET)

        phone.forget()
        await phone.page.reload()
        await phone.hears(HEADSET)
        await expect(phone.microphone.locator("option:checked")).to_have_text("Headset")

        phone.forget()
        await unplug(server, headset)
        await plugged(False)
        await phone.is_told("“Headset” is away: another microphone is used until it is back.")
        await phone.hears(DESK)
        await expect(phone.microphone.locator("option:checked")).to_have_text("Headset (not there)")

        phone.forget()
        await plug_in(server, "Headset", HEADSET)
        await plugged(True)
        await phone.hears(HEADSET)
        await expect(phone.page.get_by_text("is away")).to_be_hidden()
        await phone.press("Hang up")
        await expect(off).to_be_visible(timeout=8000)  # it is closed some seconds after the call
        await phone.page.reload()
        await phone.online()
        await expect(off).to_be_visible()
