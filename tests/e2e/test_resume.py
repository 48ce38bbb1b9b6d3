"""A call outlives its page's reload, its connection, its window and its server: it is shown, heard, and ended once."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute, expect

from deploy.demo.rtpengine import Rtpengine
from frontend.app import App
from tests.e2e.conftest import both_browsers
from tests.e2e.ears import Ears
from tests.e2e.softphone import Softphone, new_context, softphone
from tests.real import free_ports
from tests.real.live_system import LiveSystem, LiveSystemWith, connected, live_system, settings
from tests.real.parts import Pbx
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0
GRACE = 20.0
"""Seconds that a page may be away; a test never waits for its end."""
ELSEWHERE = "This call goes on in another window."
COUNT_OSCILLATORS = """
window.__oscillators = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...times) {
  window.__oscillators++;
  return start.apply(this, times);
};
"""


@asynccontextmanager
async def calling(site_with: LiveSystemWith, browser: Browser) -> AsyncIterator[tuple[LiveSystem, Softphone]]:
    """A page that hears the tone of 601. The test hangs up."""
    async with site_with(disconnect_grace=GRACE) as site, softphone(browser, site) as phone:
        await phone.call("601")
        await phone.hears(MILLIWATT)
        await phone.talks()
        yield site, phone


async def another_window(phone: Softphone, url: str) -> Softphone:
    """Of the same browser and the same user, without a session."""
    other = Softphone(await phone.page.context.new_page(), Ears())
    await other.start(url, "1001")
    return other


async def ends_once(phone: Softphone) -> None:
    """Hangs up; the call is listed once."""
    await phone.press("Hang up")
    await phone.is_told("The call has ended.")
    await expect(phone.recent.get_by_role("listitem")).to_have_count(1)
    await expect(phone.recent).not_to_contain_text("×")


@both_browsers
async def test_a_reload_brings_the_call_back(site_with: LiveSystemWith, browser: Browser) -> None:
    async with calling(site_with, browser) as (_, phone):
        await asyncio.sleep(1.1)
        phone.forget()
        await phone.page.reload()
        await phone.sees("In call", "Milliwatt tone")
        await expect(phone.page.get_by_role("timer")).not_to_have_text("0:00")  # it goes on, and does not begin anew
        await phone.hears(MILLIWATT)
        await expect(phone.message).to_be_hidden()
        await ends_once(phone)


async def test_a_reload_keeps_the_microphone_muted(site_with: LiveSystemWith, browser: Browser) -> None:
    async with calling(site_with, browser) as (_, phone):
        await phone.press("Mute")
        phone.forget()
        await phone.page.reload()
        await expect(phone.button("Unmute")).to_have_attribute("aria-pressed", "true")
        await phone.hears(MILLIWATT)
        await ends_once(phone)


async def test_the_call_ends_while_the_page_is_away(site_with: LiveSystemWith, browser: Browser) -> None:
    async with calling(site_with, browser) as (site, phone):
        url = phone.page.url
        await phone.page.goto("about:blank")
        [call] = site.app.calls.live()
        site.app.calls.hangup(call.id)
        await site.require_nothing_left()
        await phone.page.goto(url)
        await phone.is_told("The call has ended.")
        await expect(phone.recent.get_by_role("listitem")).to_have_count(1)


@both_browsers
async def test_a_lost_connection_leaves_the_sound(site_with: LiveSystemWith, browser: Browser) -> None:
    async with site_with(disconnect_grace=GRACE) as site, new_context(browser) as context:
        ears = Ears()
        await ears.attach(context)
        phone = Softphone(await context.new_page(), ears)
        cable = Cable()
        await phone.page.route_web_socket(re.compile("/ws$"), cable.connect)
        await phone.start(site.app.url, "1001")
        await phone.call("601")
        await phone.hears(MILLIWATT)
        await cable.pull()
        await phone.sees("In call", "Reconnecting… the sound goes on.")
        phone.forget()
        await phone.hears(MILLIWATT)
        connection = await phone.page.evaluate_handle("window.__phone.peer()")
        cable.plug_in()
        await phone.online()
        # Nothing was negotiated anew.
        assert await phone.page.evaluate("(before) => window.__phone.peer() === before", connection)
        await ends_once(phone)


async def test_a_hang_up_is_said_again_where_nobody_heard_it(site_with: LiveSystemWith, browser: Browser) -> None:
    async with site_with(disconnect_grace=GRACE) as site, new_context(browser) as context:
        phone = Softphone(await context.new_page(), Ears())
        cable = Cable()
        await phone.page.route_web_socket(re.compile("/ws$"), cable.connect)
        await phone.start(site.app.url, "1001")
        await phone.call("601")
        await phone.talks()
        await cable.pull()
        await phone.sees("Reconnecting…")
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        assert site.app.calls.live()
        cable.plug_in()
        await phone.online()
        await site.require_nothing_left()


async def test_a_new_server_finds_the_page_and_its_call(
    pbx: Pbx, rtpengine: Rtpengine, browser: Browser, tmp_path: Path
) -> None:
    [port] = free_ports.ports(1)
    same = {"http_port": port, "state_dir": tmp_path, "disconnect_grace": GRACE}
    first = App(settings(pbx, rtpengine, **same))
    await first.start()
    await connected(first)
    async with new_context(browser) as context:
        ears = Ears()
        await ears.attach(context)
        phone = Softphone(await context.new_page(), ears)
        await phone.start(first.url, "1001")
        await phone.call("601")
        await phone.hears(MILLIWATT)
        await first.close()
        await phone.sees("In call", "Reconnecting… the sound goes on.")
        async with live_system(pbx, rtpengine, **same):
            await phone.online()
            phone.forget()
            await phone.hears(MILLIWATT)
            await ends_once(phone)


async def test_another_window_takes_the_call_over(site_with: LiveSystemWith, browser: Browser) -> None:
    async with calling(site_with, browser) as (site, phone):
        other = await another_window(phone, site.app.url)
        await other.is_told(ELSEWHERE)
        await other.sees("Milliwatt tone")
        phone.forget()
        await other.press("Bring it here")
        await other.talks()
        await phone.is_told(ELSEWHERE)
        assert await phone.page.evaluate("window.__phone.peer()") is None
        phone.forget()
        await phone.hears(MILLIWATT)  # the ears of a context hear all of its windows
        await phone.press("Bring it here")
        await other.is_told(ELSEWHERE)
        await phone.talks()
        await ends_once(phone)
        await other.sees("Type a number")


async def test_of_two_windows_that_ring_one_is_heard(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with new_context(browser) as context:
        await context.add_init_script(COUNT_OSCILLATORS)
        one, other = [Softphone(await context.new_page(), Ears()) for _ in range(2)]
        await one.start(site.app.url, "1001")
        await other.start(site.app.url, "1001")
        async with Sipp("caller_cancels", tmp_path, to=site.pbx.sip_port) as caller:
            await one.rings("Desk phone")
            await other.rings("Desk phone")
            heard = [await phone.page.evaluate("window.__oscillators") for phone in (one, other)]
            assert sorted(bool(count) for count in heard) == [False, True]
            await caller.saw("180 Ringing")
            await caller.tell()
            await one.is_told("You missed a call from Desk phone.")
            await other.is_told("You missed a call from Desk phone.")
            await expect(one.recent.get_by_role("listitem")).to_have_count(1)
            await expect(one.recent).not_to_contain_text("×")
            await caller.done()


async def test_a_copied_tab_leaves_the_call_where_it_is(site_with: LiveSystemWith, browser: Browser) -> None:
    async with calling(site_with, browser) as (site, phone):
        connections = site.app.calls.live()
        async with phone.page.context.expect_page() as opened:
            await phone.page.evaluate("() => void window.open(location.href)")  # copies what a tab keeps
        copy = Softphone(await opened.value, Ears())
        await copy.is_told(ELSEWHERE)
        await phone.talks()
        assert await session_of(phone.page) != await session_of(copy.page)
        assert [call.id for call in site.app.calls.live()] == [call.id for call in connections]
        await ends_once(phone)


async def test_a_new_browser_takes_the_call_that_nobody_holds(site_with: LiveSystemWith, browser: Browser) -> None:
    async with site_with(disconnect_grace=GRACE) as site:
        async with softphone(browser, site) as phone:
            await phone.call("601")
            await phone.hears(MILLIWATT)
        async with softphone(browser, site) as phone:
            await phone.talks()
            await phone.hears(MILLIWATT)
            await ends_once(phone)


async def test_leaving_is_asked_about_only_in_a_call(site_with: LiveSystemWith, browser: Browser) -> None:
    async with calling(site_with, browser) as (_, phone):
        asked: list[str] = []

        async def stay(dialog: object) -> None:
            asked.append(dialog.type)  # type: ignore[attr-defined]
            await dialog.dismiss()  # type: ignore[attr-defined]

        phone.page.on("dialog", stay)
        await phone.page.close(run_before_unload=True)
        await phone.talks()
        for _ in range(100):
            if asked:
                break
            await asyncio.sleep(0.02)
        assert asked == ["beforeunload"]
        await ends_once(phone)
        phone.page.remove_listener("dialog", stay)


class Cable:
    """Between a page and its server, for its WebSocket only."""

    def __init__(self) -> None:
        self._out = False
        self._sockets: list[WebSocketRoute] = []

    async def connect(self, socket: WebSocketRoute) -> None:
        if self._out:
            await socket.close()
            return
        self._sockets.append(socket)
        socket.connect_to_server()

    async def pull(self) -> None:
        """Both sides see their connection closed, and no new one is made."""
        self._out = True
        for socket in self._sockets:
            await socket.close()
        self._sockets = []

    def plug_in(self) -> None:
        self._out = False


async def session_of(page: Page) -> str:
    script = """() => {
      const key = Object.keys(sessionStorage).find((one) => one.startsWith("sip-proxy.page."));
      return JSON.parse(sessionStorage[key]).token;
    }"""
    return str(await page.evaluate(script))
