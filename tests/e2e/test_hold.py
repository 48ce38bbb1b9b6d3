"""A call on hold: who hears whom, by the tone that each sends; how it looks, and what it outlives."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from deploy.demo.rtpengine import Rtpengine
from tests.e2e.conftest import PAGE_TONE, both_browsers
from tests.e2e.sides import CALLEE_TONE, CALLER_TONE, TONES, both_hear, callee, caller, killable
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem
from tests.real.parts import Pbx, both_versions

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
LONG_SECONDS = 12.0
"""Longer than a page waits for packets before it takes a call's media for dead."""


@both_browsers
@both_versions
async def test_the_other_side_hears_music_and_the_page_nothing(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as side:
        await phone.call("7012")
        await both_hear(phone, side, CALLEE_TONE)
        await phone.press("Hold")
        await phone.sees("On hold", "They hear music.")
        await side.hears_music()
        await phone.hears_nothing()
        await phone.talks_again()
        await both_hear(phone, side, CALLEE_TONE)
        await phone.press("Hang up")
        await side.sipp.done()


async def test_h_holds_and_the_microphone_stays_muted(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as side:
        await phone.call("7012")
        await both_hear(phone, side, CALLEE_TONE)
        await phone.keys("m")
        await phone.sees("Muted")
        await phone.keys("h")
        await phone.sees("On hold")
        await side.hears_music()
        await phone.keys("h")
        await phone.sees("In call", "Muted")
        await phone.hears_mix(TONES, CALLEE_TONE)
        await side.hears()
        await phone.keys("m")
        await side.hears(PAGE_TONE)
        await phone.keys("Escape")
        await side.sipp.done()


@both_browsers
async def test_the_caller_holds(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, caller(site.pbx, tmp_path, "caller_holds") as side:
        await phone.rings("Desk phone")
        await phone.answer()
        await both_hear(phone, side, CALLER_TONE)
        await side.sipp.tell()
        await phone.sees("Held by them", "The other side put you on hold.")
        await side.sipp.tell()
        await phone.sees("In call")
        await phone.hears_mix(TONES, CALLER_TONE)
        await phone.press("Hang up")
        await side.sipp.done()


@both_browsers
async def test_a_long_hold_is_not_taken_for_a_dead_connection(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as side:
        await phone.call("7012")
        await both_hear(phone, side, CALLEE_TONE)
        connection = await phone.page.evaluate_handle("window.__phone.peer()")
        await phone.press("Hold")
        await phone.hears_nothing()
        await asyncio.sleep(LONG_SECONDS)
        await expect(phone.message).to_have_text("They hear music.")
        await phone.talks_again()
        await both_hear(phone, side, CALLEE_TONE)
        # Nothing was negotiated anew.
        assert await phone.page.evaluate("(before) => window.__phone.peer() === before", connection)
        await phone.press("Hang up")
        await side.sipp.done()


@both_browsers
async def test_a_long_silence_is_not_taken_for_a_dead_connection(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    """As a menu that waits for a key, or voicemail that records."""
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as side:
        await phone.call("7012")
        await both_hear(phone, side, CALLEE_TONE)
        connection = await phone.page.evaluate_handle("window.__phone.peer()")
        side.peer.silent = True
        await phone.hears_nothing()
        await asyncio.sleep(LONG_SECONDS)
        await expect(phone.message).to_be_hidden()
        side.peer.silent = False
        await both_hear(phone, side, CALLEE_TONE)
        assert await phone.page.evaluate("(before) => window.__phone.peer() === before", connection)
        await phone.press("Hang up")
        await side.sipp.done()


async def test_a_held_call_is_still_held_after_a_kill_of_the_server(
    pbx: Pbx, rtpengine: Rtpengine, browser: Browser, tmp_path: Path
) -> None:
    async with killable(pbx, rtpengine, browser, tmp_path) as (server, phone), callee(pbx, tmp_path) as side:
        await phone.call("7012")
        await both_hear(phone, side, CALLEE_TONE)
        await phone.press("Hold")
        await side.hears_music()
        await server.kill()
        await phone.sees("Reconnecting… the other side hears music.")
        await side.hears_music()
        await server.start()
        await phone.online()
        await phone.sees("On hold")
        await side.hears_music()
        await phone.hears_nothing()
        await phone.talks_again()
        await both_hear(phone, side, CALLEE_TONE)
        await phone.press("Hang up")
        await side.sipp.done()
