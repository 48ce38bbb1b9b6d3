"""A browser that plays nothing before somebody has pressed something: said from the load on, and cured by any press.

Playwright presses, in the browser's eyes, with whatever it evaluates in a page. So the page tells of itself, until the
test has pressed something.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage

from tests.e2e.chromium import chromium
from tests.e2e.conftest import PAGE_TONE
from tests.e2e.firefox import firefox
from tests.e2e.sides import CALLEE_TONE, callee
from tests.e2e.softphone import Softphone, unopened_softphone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.sipp import Sipp
from tests.real.tone_file import write_tone

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
GRACE = 20.0
"""Seconds that a page may be away: a crowded machine takes its time for a reload."""
SILENT_SECONDS = 4.0
"""Longer than the pause between two rings."""
MARK = "what stands on the page: "
TELL = """
(() => {
  const taps = new Set();
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (to, ...rest) {
    if (to === this.context.destination && this instanceof GainNode) {
      const tap = this.context.createAnalyser();
      connect.call(this, tap);
      taps.add(tap);
    }
    return connect.call(this, to, ...rest);
  };
  const samples = new Float32Array(2048);
  const loud = (tap) => {
    if (tap.context.state !== "running") return 0;
    tap.getFloatTimeDomainData(samples);
    return Math.max(...samples);
  };
  setInterval(() => {
    const phone = document.querySelector("[data-testid=phone]");
    const told = document.querySelector("[data-testid=message]")?.textContent ?? "";
    const link = document.querySelector("[data-testid=connection]")?.textContent ?? "";
    console.debug("MARK" + JSON.stringify({
      told, link, state: phone?.dataset.state ?? "", loud: Math.max(0, ...[...taps].map(loud)),
      pressed: navigator.userActivation.hasBeenActive,
    }));
  }, 100);
})();
""".replace("MARK", MARK)


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["Chromium", "Firefox"])
async def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    folder = tmp_path_factory.mktemp("browser")
    if request.param == "Chromium":
        write_tone(folder / "tone.wav", PAGE_TONE)
        async with chromium(folder / "tone.wav", "--autoplay-policy=document-user-activation-required") as running:
            yield running
    else:
        # A page that may use the microphone for good may be heard in Firefox at any time.
        blocks: dict[str, str | float | bool] = {"media.autoplay.default": 1, "permissions.default.microphone": 0}
        async with firefox(folder, round(PAGE_TONE), blocks) as running:
            yield running


class Watcher:
    """What the page tells, ten times a second."""

    def __init__(self, phone: Softphone) -> None:
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        phone.page.on("console", self._take)

    def _take(self, message: ConsoleMessage) -> None:
        if message.text.startswith(MARK):
            self._told.put_nowait(json.loads(message.text.removeprefix(MARK)))

    async def sees(self, **wanted: Any) -> dict[str, Any]:
        """Waits until each value is as it is wanted, or has the text in it. Raises AssertionError."""
        last: dict[str, Any] = {}
        try:
            async with asyncio.timeout(10):
                while True:
                    last = await self._told.get()
                    if all(_is(last[name], value) for name, value in wanted.items()):
                        return last
        except TimeoutError:
            raise AssertionError(f"wanted {wanted}, and saw {last}") from None

    async def for_a_while(self) -> list[dict[str, Any]]:
        """All that it tells from now on, for longer than a ring takes."""
        while not self._told.empty():
            self._told.get_nowait()
        await asyncio.sleep(SILENT_SECONDS)
        return [self._told.get_nowait() for _ in range(self._told.qsize())]


def _is(seen: Any, wanted: Any) -> bool:
    return wanted(seen) if callable(wanted) else wanted in seen if isinstance(wanted, str) else seen == wanted


RESTORED = """
if (location.protocol === "http:") sessionStorage.setItem("softphone.session", '{"user": "1001", "token": null}');
"""
"""What a tab has that the browser opens again by itself."""


async def test_ringing(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    """Firefox lets a page be heard that was pressed before it was reloaded; one that it restores it does not."""
    async with unopened_softphone(browser) as phone:
        page = Watcher(phone)
        await phone.page.add_init_script(RESTORED + TELL)
        await phone.page.goto(site.app.url)
        await page.sees(told="Press anywhere on this page.", pressed=False, link="Online")
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await page.sees(state="incoming", told="Press anywhere to hear the call.")
            assert {(seen["loud"], seen["pressed"]) for seen in await page.for_a_while()} == {(0, False)}
            await phone.page.mouse.click(5, 5)  # beside everything
            await page.sees(told="", loud=lambda loud: loud > 0.05)
            await phone.press("Decline")
            await caller.done()


# Without a permission for good, as here, Firefox offers the default route's address alone: no sound on one machine.
@pytest.mark.parametrize("browser", ["Chromium"], indirect=True)
async def test_a_voice(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    """A page that opens its microphone may be heard, and says nothing then; else it says so, and a press helps."""
    async with (
        site_with(disconnect_grace=GRACE) as site,
        unopened_softphone(browser) as phone,
        callee(site.pbx, tmp_path) as side,
    ):
        page = Watcher(phone)
        await phone.page.add_init_script(TELL)
        await phone.start(site.app.url, "1001")
        await phone.call("7012")
        await phone.hears(CALLEE_TONE)
        await phone.page.reload()
        await page.sees(state="accepted", told=lambda told: "Bringing" not in told)
        await phone.page.mouse.click(5, 5)  # the test's own ears may need it, where the page does not
        phone.forget()
        await phone.hears(CALLEE_TONE)
        await page.sees(told=lambda told: "Press" not in told)
        await phone.press("Hang up")
        await side.sipp.done()
