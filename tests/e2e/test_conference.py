"""Three in one call: who hears whom, by the tone that each sends; who joins, is dropped, and stays without the page."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from deploy.demo.rtpengine import Rtpengine
from tests.e2e.conftest import PAGE_TONE
from tests.e2e.sides import CALLEE_TONE, CALLER_TONE, TONES, Side, both_hear, callee, caller, killable
from tests.e2e.softphone import Softphone, softphone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import Pbx, both_versions

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0


@asynccontextmanager
async def three(site: LiveSystem, browser: Browser, folder: Path) -> AsyncIterator[tuple[Softphone, Side, Side]]:
    """The page, Desk phone that called it, and 7012 that was added."""
    async with softphone(browser, site) as phone, caller(site.pbx, folder) as desk:
        await phone.rings("Desk phone")
        await phone.answer()
        await both_hear(phone, desk, CALLER_TONE)
        async with callee(site.pbx, folder, "phone_hangs_up") as other:
            await phone.take("Add", "7012", "Add")
            await phone.sees("Conference of 3", "Desk phone", "7012")
            await all_hear_all(phone, desk, other)
            yield phone, desk, other


async def all_hear_all(phone: Softphone, desk: Side, other: Side) -> None:
    await asyncio.gather(
        phone.hears_mix(TONES, CALLER_TONE, CALLEE_TONE),
        desk.hears(PAGE_TONE, CALLEE_TONE),
        other.hears(PAGE_TONE, CALLER_TONE),
    )


@both_versions
async def test_somebody_is_added_and_leaves(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with three(site, browser, tmp_path) as (phone, desk, other):
        await other.sipp.tell()
        await other.sipp.done()
        await phone.sees("In call", "Desk phone")
        await expect(phone.parties).to_be_hidden()
        await both_hear(phone, desk, CALLER_TONE)
        await phone.press("Hang up")
        await desk.sipp.done()


async def test_one_is_dropped_and_the_other_stays(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with three(site, browser, tmp_path) as (phone, desk, other):
        await phone.press("Drop Desk phone")
        await desk.sipp.done()
        await phone.sees("In call", "7012")
        await both_hear(phone, other, CALLEE_TONE)
        await other.sipp.tell()
        await phone.is_told("The call has ended.")
        await other.sipp.done()


async def test_the_page_leaves_and_the_others_talk_on(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with three(site, browser, tmp_path) as (phone, desk, other):
        await phone.press("Leave")
        await phone.is_told("The call has ended.")
        await asyncio.gather(desk.hears(CALLEE_TONE), other.hears(CALLER_TONE))
        await other.sipp.tell()
        await other.sipp.done()
        await desk.sipp.done()


async def test_the_page_holds_the_conference(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with three(site, browser, tmp_path) as (phone, desk, other):
        await phone.press("Hold")
        await phone.hears_nothing()
        await phone.sees("On hold")
        await phone.talks_again()
        await all_hear_all(phone, desk, other)
        await phone.press("Leave")
        await other.sipp.tell()
        await other.sipp.done()
        await desk.sipp.done()


async def test_a_reload_keeps_all_parties(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(disconnect_grace=20.0) as site, three(site, browser, tmp_path) as (phone, desk, other):
        phone.forget()
        await phone.page.reload()
        await phone.sees("Conference of 3", "Desk phone", "7012")
        await all_hear_all(phone, desk, other)
        await phone.press("Leave")
        await other.sipp.tell()
        await other.sipp.done()
        await desk.sipp.done()


async def test_a_kill_of_the_server_leaves_all_parties_and_the_held_call(
    pbx: Pbx, rtpengine: Rtpengine, browser: Browser, tmp_path: Path
) -> None:
    async with killable(pbx, rtpengine, browser, tmp_path) as (server, phone), caller(pbx, tmp_path) as desk:
        await phone.rings("Desk phone")
        await phone.answer()
        await both_hear(phone, desk, CALLER_TONE)
        async with callee(pbx, tmp_path, "phone_hangs_up") as other:
            await phone.take("Add", "7012", "Add")
            await all_hear_all(phone, desk, other)
            await phone.take("Add", "601", "New call")
            await phone.hears(MILLIWATT)
            await server.kill()
            await phone.sees("Reconnecting… the sound goes on.")
            await server.start()
            await phone.online()
            await phone.sees("In call", "601")
            phone.forget()
            await phone.hears(MILLIWATT)
            await asyncio.gather(desk.hears(CALLEE_TONE), other.hears(CALLER_TONE))
            await phone.press("Swap")
            await phone.sees("Conference of 3", "Desk phone", "7012")
            await all_hear_all(phone, desk, other)
            await phone.press("End for all")
            await phone.press("Hang up")
            await phone.is_free()
            await desk.sipp.done()


async def test_two_calls_become_one(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, caller(site.pbx, tmp_path) as desk:
        await phone.rings("Desk phone")
        await phone.answer()
        async with callee(site.pbx, tmp_path, "phone_answers") as other:
            await phone.take("Add", "7012", "New call")
            await both_hear(phone, other, CALLEE_TONE)
            await phone.press("Add")
            await phone.press("Bring Desk phone in")
            await phone.sees("Conference of 3")
            await expect(phone.others).to_be_hidden()
            await all_hear_all(phone, desk, other)
            await phone.press("End for all")
            await other.sipp.done()
            await desk.sipp.done()


async def test_who_is_added_does_not_come(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, caller(site.pbx, tmp_path) as desk:
        await phone.rings("Desk phone")
        await phone.answer()
        await both_hear(phone, desk, CALLER_TONE)
        await phone.take("Add", "604", "Add")
        await phone.is_told("604 is on another call.")
        await phone.sees("In call", "Desk phone")
        await both_hear(phone, desk, CALLER_TONE)
        await phone.press("Hang up")
        await desk.sipp.done()


async def test_a_call_is_recorded_by_button(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as side:
        await phone.call("7012")
        await both_hear(phone, side, CALLEE_TONE)
        mark = phone.page.get_by_test_id("recording")
        await phone.press("Record")
        await expect(mark).to_have_text("Recording")
        await phone.press("Recording")
        await phone.press("Pause recording")
        await expect(mark).to_have_text("Recording paused")
        await phone.press("Recording")
        await phone.press("Go on recording")
        await expect(mark).to_have_text("Recording")
        await phone.press("Recording")
        await phone.press("Stop recording")
        await expect(mark).to_be_hidden()
        await both_hear(phone, side, CALLEE_TONE)
        await phone.press("Hang up")
        await side.sipp.done()
