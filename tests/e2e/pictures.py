"""Takes the pictures in `docs/images` from the real pages in real calls: `python -m tests.e2e.pictures`."""

import asyncio
import fractions
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import av
import av.filter
from playwright.async_api import Browser, Page, expect

from ari_bridge.accounts.users_file import UsersFile
from ari_bridge_client.audio import Tone
from deploy.demo.install import PROJECT
from deploy.demo.rtpengine import Rtpengine
from tests.e2e.accounts import PASSWORD, signed_in
from tests.e2e.chromium import chromium
from tests.e2e.softphone import Softphone, new_context, softphone
from tests.real.live_system import LiveSystem, live_system
from tests.real.parts import Pbx, new_pbx, new_rtpengine
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.real.tone_file import write_tone

PICTURES = PROJECT / "docs" / "images"
PHONE_BOOK = "600=Echo,602=Music,7012=Warehouse,7020=Reception,1002=Workshop,1003=Accounts,1005=Purchasing"
DESK = {"width": 880, "height": 700}
HAND = {"width": 360, "height": 640}
WALL = {"width": 1280, "height": 720}
RECEPTION: dict[str, Any] = {"caller": "7020", "caller_name": "Reception"}
BUSY_HOUR = [("1002", "602"), ("1003", "601"), ("1005", "602"), ("1006", "603")]  # who calls whom
USERS = {
    "1001": ("user", "admin"),
    "1002": ("user",),
    "1003": ("user",),
    "1004": ("agent", "supervisor"),
    "1005": ("user",),
}
ONCE = fractions.Fraction(1)  # a picture's time base


async def take(page: Page, name: str) -> None:
    """A picture in at most 256 colours, which is a third of the size and looks the same."""
    path = PICTURES / f"{name}.png"
    await page.screenshot(path=path)
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
    graph = av.filter.Graph()
    source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=ONCE)
    both, sink = graph.add("split"), graph.add("buffersink")
    palette, applied = graph.add("palettegen", "reserve_transparent=0"), graph.add("paletteuse", "dither=none")
    source.link_to(both)
    both.link_to(palette, 0, 0)
    both.link_to(applied, 1, 0)
    palette.link_to(applied, 0, 1)
    applied.link_to(sink)
    graph.configure()
    frame.pts, frame.time_base = 0, ONCE
    graph.push(frame)
    graph.push(None)
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = frame.width, frame.height, "pal8", ONCE
    encoder.options = {"compression_level": "9", "pred": "none"}
    small = graph.pull()
    assert isinstance(small, av.VideoFrame)
    packets = [*encoder.encode(small), *encoder.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


async def talk(phone: Softphone, clock: str) -> None:
    """Waits until the call has lasted so long."""
    await expect(phone.page.get_by_role("timer")).to_have_text(clock, timeout=20_000)


async def have_history(phone: Softphone, site: LiveSystem, folder: Path) -> None:
    """A few calls that the page can list."""
    await phone.call("604")
    await phone.is_told("604 is on another call.")
    await phone.call("600")
    await talk(phone, "0:03")
    await phone.press("Hang up")
    async with Sipp("caller_cancels", folder, to=site.pbx.sip_port, **RECEPTION) as caller:
        await phone.rings("Reception")
        await caller.saw("180 Ringing")
        await caller.tell()
        await phone.is_told("You missed a call")
        await caller.done()


async def take_softphone(browser: Browser, site: LiveSystem, folder: Path) -> None:
    """In a call, light and dark."""
    async with RtpPeer(700.0) as far:
        async with Sipp("phone_answers", folder, port=site.pbx.trunk_port, rtp_port=far.port):
            async with softphone(browser, site, viewport=DESK, device_scale_factor=2) as phone:
                await have_history(phone, site, folder)
                await phone.call("7012")
                await expect(phone.page.get_by_role("button", name="Call quality: Excellent")).to_be_visible()
                await talk(phone, "0:12")
                for theme in ("light", "dark"):
                    await phone.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                    await take(phone.page, f"softphone-{theme}")
                await phone.press("Hang up")


async def take_incoming(browser: Browser, site: LiveSystem, folder: Path) -> None:
    """Somebody calls, on a phone's screen."""
    async with softphone(browser, site, viewport=HAND, device_scale_factor=2) as phone:
        await phone.page.emulate_media(reduced_motion="reduce")
        async with Sipp("caller_is_refused", folder, to=site.pbx.sip_port, **RECEPTION) as caller:
            await phone.rings("Reception")
            await take(phone.page, "incoming")
            await phone.press("Decline")
            await caller.done()


async def take_features(browser: Browser, site: LiveSystem, folder: Path) -> None:
    """What one can do with a call, for the guide."""
    async with RtpPeer(700.0) as far, AsyncExitStack() as stack:
        await stack.enter_async_context(Sipp("phone_answers", folder, port=site.pbx.trunk_port, rtp_port=far.port))
        phone = await stack.enter_async_context(softphone(browser, site, viewport=HAND, device_scale_factor=2))
        await phone.page.emulate_media(reduced_motion="reduce")
        await phone.call("7012")
        await talk(phone, "0:05")
        async with Sipp("caller_is_refused", folder, to=site.pbx.sip_port, **RECEPTION) as caller:
            await expect(phone.page.get_by_text("Hold and answer")).to_be_visible()
            await take(phone.page, "waiting")
            await phone.press("Decline")
            await caller.done()
        await phone.press("Hold")
        await expect(phone.button("Take back")).to_be_visible()
        await take(phone.page, "held")
        await phone.talks_again()
        await phone.press("Transfer")
        await phone.asked.fill("1002")
        await take(phone.page, "transfer")
        await phone.page.keyboard.press("Escape")
        await phone.take("Add", "602", "Add")
        await expect(phone.button("End for all")).to_be_visible()
        await take(phone.page, "conference")
        await phone.press("End for all")


async def take_people(browser: Browser, site: LiveSystem) -> None:
    """Who is there, and what one can have done with calls."""
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(softphone(browser, site, "1002"))
        await ada.call("602")
        await ada.talks()
        grace = await stack.enter_async_context(softphone(browser, site, "1003"))
        await (await grace.opens_preferences()).get_by_role("switch", name="Do not disturb").check()
        await stack.enter_async_context(softphone(browser, site, "1005"))
        phone = await stack.enter_async_context(softphone(browser, site, viewport=DESK, device_scale_factor=2))
        await phone.page.emulate_media(reduced_motion="reduce")
        await phone.page.mouse.move(0, 0)  # off the keys
        people = phone.page.get_by_role("list", name="People")
        await expect(people).to_contain_text("In a call")
        await expect(people).to_contain_text("Do not disturb")
        await take(phone.page, "people")
        await ada.press("Hang up")
    async with softphone(browser, site, viewport=HAND, device_scale_factor=2) as phone:
        await phone.page.emulate_media(reduced_motion="reduce")
        preferences = await phone.opens_preferences()
        await preferences.get_by_role("combobox", name="When I do not answer: forward to").select_option("Number")
        await preferences.get_by_role("textbox").fill("7012")
        await preferences.get_by_role("textbox").press("Enter")
        await take(phone.page, "call-preferences")
        await preferences.get_by_role("combobox", name="When I do not answer: forward to").select_option("No")
        await phone.page.keyboard.press("Escape")
        await phone.call("600")
        await talk(phone, "0:12")
        await phone.press("Hang up")
        await phone.press("2 of 5")
        await phone.press("Choppy")
        await take(phone.page, "rating")


async def take_dashboard(browser: Browser, site: LiveSystem, folder: Path) -> None:
    """Some calls at once."""
    async with AsyncExitStack() as stack:
        for user, number in [("1002", "600")] * 5 + [("1003", "604"), *BUSY_HOUR]:
            phone = await stack.enter_async_context(site.phone(user))
            call = await phone.call(number, source=Tone(440))
            await call.wait_for({"603": "ringing", "604": "ended"}.get(number, "accepted"))
            if number == "600":
                await call.hangup()
        watcher = await stack.enter_async_context(softphone(browser, site, viewport=WALL, device_scale_factor=2))
        await watcher.page.goto(f"{site.app.url}/dashboard")
        calls = watcher.page.get_by_role("list", name="Live calls").get_by_role("listitem")
        await expect(calls).to_have_count(len(BUSY_HOUR))
        await expect(calls.first).to_contain_text("0:09", timeout=20_000)
        await take(watcher.page, "dashboard")


async def take_admin(browser: Browser, pbx: Pbx, rtpengine: Rtpengine, folder: Path) -> None:
    """Users, and one of them who is in a call."""
    file = UsersFile(folder / "users")
    for name, roles in USERS.items():
        file.add(name, PASSWORD, *roles)
    signed = {"enable_authentication": True, "users_file": file.path, "token_secret_file": folder / "secret"}
    async with live_system(pbx, rtpengine, country="DE", **signed) as site:
        for name, display_name in (
            ("1001", "Reception"),
            ("1002", "Workshop"),
            ("1003", "Accounts"),
            ("1005", "Purchasing"),
        ):
            await site.app.accounts.update(name, display_name=display_name)
        await site.app.accounts.set_class_of_service("1002", "national")
        await site.app.accounts.set_locked("1003", True)
        async with (
            signed_in(browser, site, "1002") as phone,
            new_context(browser, viewport=WALL, device_scale_factor=2) as context,
        ):
            await phone.call("602")
            await phone.talks()
            page = await context.new_page()
            await page.goto(f"{site.app.url}/admin")
            await page.get_by_label("User").fill("1001")
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in").click()
            await page.get_by_role("list", name="Users").get_by_role("button", name="1002").click()
            await expect(page.get_by_test_id("user")).to_contain_text("one call in progress")
            await page.evaluate("document.activeElement.blur()")
            await take(page, "admin")
            await phone.press("Hang up")


@asynccontextmanager
async def everything(folder: Path) -> AsyncIterator[tuple[Browser, Pbx, Rtpengine]]:
    pbx: Pbx = new_pbx(folder)
    write_tone(folder / "tone.wav", 440.0)
    with pbx.asterisk, new_rtpengine(folder) as rtpengine:
        async with chromium(folder / "tone.wav") as browser:
            yield browser, pbx, rtpengine


async def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with everything(folder) as (browser, pbx, rtpengine):
            async with live_system(pbx, rtpengine, phone_book=PHONE_BOOK) as site:
                await take_softphone(browser, site, folder)
                await take_incoming(browser, site, folder)
                await take_features(browser, site, folder)
                await take_people(browser, site)
                await take_dashboard(browser, site, folder)
            await take_admin(browser, pbx, rtpengine, folder)  # with another server for the same Asterisk


if __name__ == "__main__":
    asyncio.run(main())
