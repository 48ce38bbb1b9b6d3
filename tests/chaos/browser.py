"""A real Chromium with the softphone page, which can be killed, and ears for what its pages play over all its lives."""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Error, Page, Playwright, async_playwright, expect

from tests.chaos.far import FAR_TONE, PAGE_TONE
from tests.real.parts import require_installed
from tests.real.tone_file import write_tone
from tests.real.tone_presence import FRAME_SECONDS, Clock, TonePresence

BINDING = "__tone"
SCRIPT = Path(__file__).with_name("ears.js")


class Ears:
    """When the far party's tone came out of any page that was attached, over all reloads and browsers."""

    def __init__(self, hz: float = FAR_TONE) -> None:
        self.presence = TonePresence()
        self.told = 0.0  # the newest frame that was told of, Unix seconds
        self._hz = hz
        self._clocks: dict[str, Clock] = {}

    async def attach(self, context: BrowserContext) -> None:
        """Before the first page of the context is opened."""
        await context.expose_binding(BINDING, self._take)
        await context.add_init_script(
            SCRIPT.read_text().replace("__HZ__", f"{self._hz:g}").replace("__BINDING__", BINDING)
        )

    def _take(self, source: Any, stream: str, frames: list[tuple[float, float, bool]]) -> None:
        clock = self._clocks.setdefault(stream, Clock())
        for position, now, tone in frames:
            self.told = max(self.told, now / 1000)
            at = clock.place(position, now / 1000)
            if tone:
                self.presence.heard(at - FRAME_SECONDS, at)


class SoftphonePage:
    """A person at the page. Waits as long as `seconds` says, by the page's own marks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))

    async def start(self, url: str, user: str) -> None:
        """Opens the page and says who sits there."""
        await self.page.goto(url)
        await self.page.get_by_test_id("user-input").fill(user)
        await self.page.get_by_test_id("sign-in").click()
        await self.online()

    async def online(self, *, seconds: float = 10.0) -> None:
        await expect(self.page.get_by_test_id("connection")).to_have_text("Online", timeout=seconds * 1000)

    async def call(self, number: str) -> None:
        await self.page.get_by_test_id("number").fill(number)
        await self.page.get_by_test_id("call").click()

    async def answer(self) -> None:
        await self.page.get_by_test_id("accept").click()

    async def hang_up(self) -> None:
        await self.page.get_by_test_id("hangup").click()

    async def talks(self, *, seconds: float = 10.0) -> float:
        """Waits until the call stands; when that was seen, Unix seconds."""
        return await self.shows("accepted", seconds=seconds)

    async def shows(self, *states: str, seconds: float = 10.0) -> float:
        """Waits for one of the states (`idle`, `accepted`, `ended` ...); when it was seen, looked at with every frame.

        Raises playwright's TimeoutError.
        """
        seen = await self.page.wait_for_function(
            "(states) => states.includes(document.querySelector('[data-testid=phone]')?.dataset.state) && Date.now()",
            arg=list(states),
            timeout=seconds * 1000,
        )
        return float(await seen.json_value()) / 1000

    async def outcome(self) -> str:
        """How the last call ended, as the page has it."""
        return await self.page.get_by_test_id("phone").get_attribute("data-outcome") or ""

    async def timer(self) -> str:
        """The call's clock, e.g. 0:12."""
        return (await self.page.get_by_test_id("timer").inner_text()).strip()


class Chromium:
    """One browser process; `kill` is kill -9. `enter`: a command prefix, to run it in a network namespace."""

    def __init__(self, browser: Browser, pid_file: Path, ears: Ears) -> None:
        self._browser = browser
        self._pid_file = pid_file
        self._ears = ears

    async def page(self, **options: Any) -> SoftphonePage:
        """A page of a profile of its own, with ears, and with the microphone allowed."""
        context = await self._browser.new_context(
            permissions=["microphone"], bypass_csp=True, viewport={"width": 1100, "height": 760}, **options
        )
        await self._ears.attach(context)
        return SoftphonePage(await context.new_page())

    def kill(self) -> None:
        """The whole browser, at once and without a word to anybody."""
        os.kill(int(self._pid_file.read_text()), signal.SIGKILL)

    async def close(self) -> None:
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(10):
                await self._browser.close()


class Browsers:
    """Starts Chromium, again and again where it is killed. `folder` is for what it needs."""

    def __init__(self, playwright: Playwright, folder: Path) -> None:
        self._playwright = playwright
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._started: list[Chromium] = []

    async def start(self, ears: Ears, *, enter: Sequence[str] = (), localhost: str = "") -> Chromium:
        """`localhost`: the address that this name has in the browser's network.

        A server without sign-in is reached by no other name, and pages of no other http origin get a microphone.
        """
        program = shutil.which("chromium")
        require_installed(program is not None, "Chromium")
        number = len(self._started)
        pid_file, wrapper = self._folder / f"chromium-{number}.pid", self._folder / f"chromium-{number}"
        wrapper.write_text(f'#!/bin/sh\necho $$ >"{pid_file}"\nexec {" ".join(enter)} {program} "$@"\n')
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
        tone = self._folder / "tone.wav"
        if not tone.exists():
            write_tone(tone, PAGE_TONE)
        options = [
            "--no-sandbox",
            "--allow-loopback-in-peer-connection",
            "--autoplay-policy=no-user-gesture-required",
            "--disable-background-networking",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={tone}",
        ]
        if localhost:
            options.append(f"--host-resolver-rules=MAP localhost {localhost}")
        browser = await self._playwright.chromium.launch(executable_path=wrapper, args=options)
        chromium = Chromium(browser, pid_file, ears)
        self._started.append(chromium)
        return chromium

    async def close(self) -> None:
        for chromium in self._started:
            await chromium.close()


@asynccontextmanager
async def browsers(folder: Path) -> AsyncIterator[Browsers]:
    async with async_playwright() as playwright:
        made = Browsers(playwright, folder)
        try:
            yield made
        finally:
            await made.close()
