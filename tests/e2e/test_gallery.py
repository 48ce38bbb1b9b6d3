"""Each state of the pages with fixed data, on a phone's and a desk's screen, light and dark.

The pictures are for people to look at: `tests/artifacts/gallery`. What a program can see is checked: nothing scrolls or
is cut off, no error stands on the console, and on a desk's screen axe finds nothing that WCAG 2.1 AA forbids.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser

from deploy.demo.install import PROJECT, WEB, node_environment, npm
from tests.e2e.axe import violations
from tests.e2e.softphone import Watch, new_context

pytestmark = pytest.mark.asyncio(loop_scope="session")
PICTURES = PROJECT / "tests" / "artifacts" / "gallery"
FAULTS = Path(__file__).with_name("faults.js").read_text()


@dataclass(frozen=True)
class Screen:
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


Theme = Literal["light", "dark"]
PHONE, DESK, NARROW = Screen(360, 640), Screen(1280, 800), Screen(320, 568)

# The narrowest screen, within somebody's page, is about room alone: one theme tells as much as two.
KINDS: list[tuple[Screen, Theme]] = [
    (PHONE, "light"),
    (PHONE, "dark"),
    (DESK, "light"),
    (DESK, "dark"),
    (NARROW, "light"),
]
everywhere = pytest.mark.parametrize(("screen", "theme"), KINDS, ids=[f"{screen}-{theme}" for screen, theme in KINDS])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of the gallery, built from the sources as they are."""
    folder = tmp_path_factory.mktemp("gallery")
    command = [*npm(), "exec", "--", "vite", "build", "--mode", "gallery", "--outDir", str(folder), "--emptyOutDir"]
    build = await asyncio.create_subprocess_exec(
        *command,
        cwd=WEB / "softphone",
        env={**os.environ, **node_environment()},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await build.communicate()
    assert build.returncode == 0, said.decode()
    app = web.Application()
    app.router.add_static("/", folder)
    async with TestServer(app) as server:
        yield str(server.make_url("/gallery.html"))


class Album:
    """The pictures of one kind of screen, and what is seen to be wrong on them. Use as `async with`."""

    def __init__(self, browser: Browser, screen: Screen, theme: Theme) -> None:
        self.faults: list[str] = []
        size: Any = {"width": screen.width, "height": screen.height}
        self._context = new_context(browser, viewport=size, color_scheme=theme, reduced_motion="reduce")
        self._axe = screen is DESK  # widths differ in room, not in colours and names
        self._folder = PICTURES / f"{screen}-{theme}"

    async def __aenter__(self) -> "Album":
        self._folder.mkdir(parents=True, exist_ok=True)
        self.page = await (await self._context.__aenter__()).new_page()
        self._watch = Watch(self.page)
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._context.__aexit__(*error)

    async def show(self, gallery: str, state: str) -> None:
        await self.page.goto(f"{gallery}#{state}")
        await self.page.locator(f"html[data-shown='{state}']").wait_for()

    async def take(self, name: str, *, may_scroll: bool = False) -> None:
        """A picture of the page as it is. `may_scroll`: downwards."""
        await self.page.screenshot(path=self._folder / f"{name}.png")
        seen: list[str] = await self.page.evaluate(FAULTS, may_scroll)
        if self._axe:
            seen += await violations(self.page)
        self.faults += [f"{name}: {fault}" for fault in seen + self._watch.take()]


@everywhere
async def test_every_state(gallery: str, browser: Browser, screen: Screen, theme: Theme) -> None:
    async with Album(browser, screen, theme) as album:
        await album.page.goto(gallery)
        states = await album.page.get_by_role("link").all_inner_texts()
        assert len(states) > 20
        for state in states:
            await album.show(gallery, state)
            await album.take(state, may_scroll=state.startswith(("dashboard", "admin")) and screen is not DESK)
    assert not album.faults, "\n  ".join(["", *album.faults])


@everywhere
async def test_what_opens_by_a_press(gallery: str, browser: Browser, screen: Screen, theme: Theme) -> None:
    async with Album(browser, screen, theme) as album:
        page = album.page
        await album.show(gallery, "idle")
        if screen is not DESK:  # a desk has room for them beside the phone
            await page.get_by_role("button", name="Recent", exact=True).click()
            await album.take("open-recent")
            await page.get_by_role("button", name="Keypad", exact=True).click()
        await page.get_by_role("button", name="Sound and connection").click()
        await page.get_by_role("button", name="Test my connection").click()
        await page.get_by_text("Calls will be hard to understand.").wait_for()
        await album.take("open-devices")
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Password and sign-in").click()
        await page.get_by_text("On. 9 recovery codes are left.").wait_for()
        await album.take("open-account")
        await page.get_by_role("button", name="Add a security key").click()
        await page.get_by_label("Name of the key").fill("Spare key")
        await page.get_by_label("Your password").fill("right")
        await page.get_by_role("button", name="Continue with a security key").click()
        await page.get_by_text("No key was used").wait_for()
        await album.take("open-account-key")
        await page.get_by_role("button", name="Use a code").click()
        await album.take("open-account-key-code")
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("button", name="Set up an app").click()
        await page.get_by_label("Your password").fill("right")
        await page.get_by_role("button", name="Continue with a security key").click()
        await page.get_by_role("button", name="Turn on").wait_for()
        await album.take("open-account-enrolment")
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("button", name="Change the password").click()
        await page.get_by_label("Old password").fill("wrong")
        for name in ("New password", "New password, again"):
            await page.get_by_label(name, exact=True).fill("long enough to be sent")
        await page.get_by_role("button", name="Change the password").click()
        await page.get_by_text("The old password is wrong.").wait_for()
        await album.take("open-account-password")
        await page.keyboard.press("Escape")
        await page.get_by_label("Number to call").blur()
        await page.keyboard.press("?")
        await album.take("open-keys")
        await album.show(gallery, "enrolment")
        await page.get_by_role("button", name="Use a security key instead").click()
        await album.take("open-enrolment-key")
        await album.show(gallery, "signedOutInCall")
        again = page.get_by_test_id("sign-in-again")
        await again.get_by_label("Password").fill("right")
        await again.get_by_role("button", name="Sign in").click()
        await again.get_by_text("Now the second step.").wait_for()
        await album.take("open-sign-in-again-step")
        await again.get_by_role("button", name="Use your key").click()
        await again.get_by_text("No key was used").wait_for()
        await album.take("open-sign-in-again-refused")
        await again.get_by_role("button", name="Use a code").click()
        await album.take("open-sign-in-again-code")
        for state in ("voicemail", "refusedForward"):
            await album.show(gallery, state)
            await page.get_by_role("button", name="What happens with your calls").click()
            await album.take(f"open-preferences-{state}")
            await page.keyboard.press("Escape")
        if screen is not DESK:
            await page.get_by_role("button", name="Recent", exact=True).click()
        await page.get_by_role("button", name="Recordings: Warehouse").locator("visible=true").click()
        await album.take("open-recordings")
        await page.keyboard.press("Escape")
        await album.show(gallery, "completed")
        await page.get_by_role("button", name="2 of 5").click()
        await page.get_by_role("button", name="Choppy").click()
        await album.take("open-rating")
        await page.keyboard.press("Escape")
        await album.show(gallery, "poor")
        await page.get_by_role("button", name="Call quality").click()
        await album.take("open-quality")
        await album.show(gallery, "recordingPaused")
        await page.get_by_role("button", name="Recording", exact=True).click()
        await album.take("open-recording")
        await page.get_by_role("button", name="Go on recording").click()
        await album.show(gallery, "dashboard")
        await page.get_by_role("button", name="call.started: show all of it").first.click()
        await album.take("open-dashboard-event", may_scroll=screen is not DESK)
    assert not album.faults, "\n  ".join(["", *album.faults])


@everywhere
async def test_what_an_admin_opens(gallery: str, browser: Browser, screen: Screen, theme: Theme) -> None:
    may_scroll = screen is not DESK
    async with Album(browser, screen, theme) as album:
        page = album.page
        await album.show(gallery, "admin-user")
        for button in ("Lock", "Rename", "Remove"):
            await page.get_by_role("button", name=button, exact=True).click()
            await page.get_by_role("dialog").get_by_text("has one call in progress").wait_for()
            await album.take(f"open-admin-{button.lower()}", may_scroll=may_scroll)
            await page.keyboard.press("Escape")
        await page.get_by_role("button", name="New password", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="New password").click()
        await page.get_by_test_id("secret").wait_for()
        await album.take("open-admin-secret", may_scroll=may_scroll)
        await page.get_by_role("button", name="Done").click()
        await page.get_by_role("checkbox", name="supervisor").check()
        await page.get_by_role("button", name="Save").click()
        await page.get_by_text("was changed by somebody else").wait_for()
        await album.take("open-admin-changed", may_scroll=may_scroll)
        await album.show(gallery, "admin-audit")
        await page.get_by_role("button", name="1001 changed the roles of").click()
        await page.get_by_text("agent, supervisor").wait_for()
        await album.take("open-admin-audit-entry", may_scroll=may_scroll)
        await album.show(gallery, "admin-key")
        await page.get_by_role("button", name="New secret", exact=True).click()
        await album.take("open-admin-rotate", may_scroll=may_scroll)
        await page.get_by_role("dialog").get_by_role("button", name="New secret").click()
        await page.get_by_test_id("secret").first.wait_for()
        await album.take("open-admin-key-secret", may_scroll=may_scroll)
        await album.show(gallery, "admin-dial")
        for number in ("0900123456", "0301234567"):
            await page.get_by_role("textbox", name="User").fill("1001")
            await page.get_by_role("textbox", name="Number").fill(number)
            await page.get_by_role("button", name="Check").click()
            await page.get_by_test_id("decision").filter(has_text=number).wait_for()
            await album.take(f"open-admin-dial-{number[:4]}", may_scroll=may_scroll)
    assert not album.faults, "\n  ".join(["", *album.faults])
