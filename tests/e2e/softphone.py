"""A person at the softphone page: sees words and buttons, presses keys, hears. Knows nothing of the page's insides."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Error, Locator, Page, expect

from ari_bridge_client.audio import ReceivedAudio, SoundAnalysis
from tests.e2e.ears import Ears
from tests.real.live_system import LiveSystem

VIEWPORT = {"width": 1100, "height": 760}


class Watch:
    """Collects what goes wrong inside a page: errors on its console, and exceptions that nobody caught."""

    def __init__(self, page: Page) -> None:
        self.faults: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def forgive(self, text: str) -> None:
        """Faults with this text were to be expected."""
        self.faults = [fault for fault in self.faults if text not in fault]

    def take(self) -> list[str]:
        """The faults until now, which are forgotten."""
        taken, self.faults = self.faults, []
        return taken

    def require_none(self) -> None:
        assert not self.faults, "faults in the page:\n  " + "\n  ".join(self.faults)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(message.text)

    def _error(self, error: Error) -> None:
        self.faults.append(str(error))


class Softphone:
    """One page. `stage` is the part that says how the call stands."""

    def __init__(self, page: Page, ears: Ears) -> None:
        self.page = page
        self.watch = Watch(page)
        self.stage = page.get_by_role("region", name="Call", exact=True)
        self.message = page.get_by_test_id("message")
        self.number = page.get_by_role("combobox", name="Number to call")
        self.asked = page.get_by_role("combobox", name=re.compile("^(Transfer to|Add to this call)$"))
        self.others = page.get_by_role("list", name="Other calls")
        self.parties = page.get_by_role("list", name="In this conference")
        self.recent = page.get_by_role("list", name="Recent calls").locator("visible=true")
        self.microphone = page.get_by_role("combobox", name="Microphone")
        self._ears = ears

    # --- what it does --------------------------------------------------------

    async def start(self, url: str, user: str) -> None:
        """Opens the page and says who sits there; where sign-in is off, no password is asked."""
        await self.page.goto(url)
        await self.write(self.page.get_by_label("Your number"), user)
        await self.press("Start")
        await self.online()

    async def press(self, name: str) -> None:
        await self.button(name).click()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    async def write(self, field: Locator, text: str) -> None:
        """Key by key: what Playwright's `fill` puts into a field of Firefox ESR, the page does not notice."""
        await field.clear()
        await field.press_sequentially(text)

    async def call(self, number: str) -> None:
        """Writes the number and presses Call."""
        self._ears.forget()
        await self.write(self.number, number)
        await self.press("Call")

    async def answer(self) -> None:
        self._ears.forget()
        await self.press("Answer")

    async def take(self, tool: str, number: str, how: str) -> None:
        """Presses Transfer or Add, writes the number, and presses what is to be done with it."""
        await self.press(tool)
        await self.write(self.asked, number)
        await self.press(how)

    async def opens_preferences(self) -> Locator:
        """What is to be done with calls, at the user's name."""
        title = "What happens with your calls"
        await self.page.get_by_role("button", name=title).click()
        return self.page.get_by_role("dialog", name=title)

    async def keys(self, *keys: str) -> None:
        """On the keyboard, wherever the focus is. A word is typed key by key, but for names such as `Enter`."""
        self._ears.forget()
        for key in keys:
            if key in ("Enter", "Escape"):
                await self.page.keyboard.press(key)
            else:
                await self.page.keyboard.type(key)

    def forget(self) -> None:
        """What was heard until now does not count."""
        self._ears.forget()

    # --- what it sees and hears ----------------------------------------------

    async def online(self) -> None:
        await self.sees_link("Online")

    async def sees_link(self, word: str) -> None:
        """`Online`, `Offline` or `Connecting…` beside the user's name."""
        await expect(self.page.get_by_test_id("connection")).to_have_text(word)

    async def sees(self, *words: str) -> None:
        """Waits until each stands on the stage, e.g. a state's word or the other side's number."""
        for word in words:
            await expect(self.stage).to_contain_text(word)

    async def is_told(self, sentence: str) -> None:
        """Waits for the sentence that says how the call went, or why it could not."""
        await expect(self.message).to_contain_text(sentence)

    async def rings(self, *words: str) -> None:
        """Waits for an incoming call whose stage has these words too."""
        await self.sees("Incoming call", *words)

    async def talks(self) -> None:
        """Waits until the call stands and its clock runs."""
        await self.sees("In call")
        await expect(self.page.get_by_role("timer")).to_have_text(re.compile(r"^\d+:\d\d$"))

    async def is_free(self) -> None:
        """Waits until a new call can be made."""
        await expect(self.button("Call")).to_be_visible()

    async def sees_level(self, meter: str) -> None:
        """Waits until this meter moves."""
        await expect(self.page.get_by_role("meter", name=meter)).not_to_have_attribute("aria-valuenow", "0")

    async def talks_again(self) -> None:
        """Takes the call back that it held."""
        self._ears.forget()
        await self.press("Take back")
        await expect(self.button("Take back")).to_be_hidden()

    async def hears_nothing(self) -> None:
        """Waits for silence. Raises ToneNotHeard."""
        await self.heard.wait_for_silence()

    async def hears_mix(self, known: set[float], *wanted: float) -> None:
        """Waits until of the `known` tones exactly the `wanted` are heard. Raises MixNotHeard."""
        await self.heard.wait_for_tones(set(wanted), known, timeout=8)

    @property
    def heard(self) -> ReceivedAudio:
        """What came out of the page since the last call began."""
        return self._ears.heard

    async def hears(self, hz: float, *, seconds: float = 10.0) -> SoundAnalysis:
        """Waits for a tone. Raises ToneNotHeard."""
        return await self.heard.wait_for_tone(hz, seconds)


@asynccontextmanager
async def new_context(browser: Browser, **options: object) -> AsyncIterator[BrowserContext]:
    """A person's own browser profile, with the microphone allowed unless `permissions` says otherwise."""
    context = await browser.new_context(**{"permissions": ["microphone"], "viewport": VIEWPORT, **options})  # type: ignore[arg-type]
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def unopened_softphone(browser: Browser, **options: object) -> AsyncIterator[Softphone]:
    """A page that is still empty. In the end, nothing may have gone wrong inside it."""
    async with new_context(browser, **options) as context:
        ears = Ears()
        await ears.attach(context)
        phone = Softphone(await context.new_page(), ears)
        yield phone
        phone.watch.require_none()


@asynccontextmanager
async def softphone(
    browser: Browser, site: LiveSystem, user: str = "1001", **options: object
) -> AsyncIterator[Softphone]:
    """`user`'s page, online."""
    async with unopened_softphone(browser, **options) as phone:
        await phone.start(site.app.url, user)
        yield phone
