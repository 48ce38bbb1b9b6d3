"""The page gives a call to somebody else. Who hears whom is known by each one's tone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from deploy.demo.rtpengine import Rtpengine
from tests.e2e.conftest import PAGE_TONE, both_browsers
from tests.e2e.sides import CALLEE_TONE, CALLER_TONE, Side, both_hear, callee, caller, killable, others_talk
from tests.e2e.softphone import Softphone, softphone
from tests.hang_up import hang_up_all
from tests.real.live_system import LiveSystem
from tests.real.parts import Pbx, both_versions

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


@asynccontextmanager
async def talking(site: LiveSystem, browser: Browser, folder: Path) -> AsyncIterator[tuple[Softphone, Side]]:
    """A page that was called by Desk phone."""
    async with softphone(browser, site) as phone, caller(site.pbx, folder) as desk:
        await phone.rings("Desk phone")
        await phone.answer()
        await both_hear(phone, desk, CALLER_TONE)
        yield phone, desk


@both_browsers
@both_versions
async def test_a_blind_transfer_connects_the_others(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk), callee(site.pbx, tmp_path, "phone_hangs_up") as other:
        await phone.take("Transfer", "7012", "Transfer")
        await phone.is_told("Transferred to 7012.")
        await phone.is_free()
        await others_talk(desk, other)


async def test_by_keyboard(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk), callee(site.pbx, tmp_path, "phone_hangs_up") as other:
        await phone.keys("t", "7012", "Enter")
        await phone.is_told("Transferred to 7012.")
        await others_talk(desk, other)


@both_versions
@pytest.mark.parametrize(
    ("target", "sentence"),
    [("604", "604 is on another call."), ("5555", "This number cannot be reached.")],
    ids=["busy", "nowhere"],
)
async def test_a_transfer_that_fails_brings_the_call_back(
    site: LiveSystem, browser: Browser, tmp_path: Path, target: str, sentence: str
) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk):
        await phone.take("Transfer", target, "Transfer")
        await phone.is_told(sentence)
        await phone.sees("In call", "Desk phone", "Try again")
        await both_hear(phone, desk, CALLER_TONE)
        await phone.press("Hang up")
        await desk.sipp.done()


async def test_a_transfer_is_taken_back(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk):
        await phone.take("Transfer", "603", "Transfer")
        await phone.sees("Transferring to 603…")
        await desk.hears_music()
        await phone.press("Cancel")
        await phone.sees("In call", "Desk phone")
        await both_hear(phone, desk, CALLER_TONE)
        await phone.press("Hang up")
        await desk.sipp.done()


async def test_a_transfer_goes_on_without_the_page(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with (
        talking(site, browser, tmp_path) as (phone, desk),
        callee(site.pbx, tmp_path, "phone_plays_first") as other,
    ):
        await phone.take("Transfer", "7012", "Transfer")
        await phone.sees("Transferring to 7012…")
        await other.sipp.saw("INVITE")
        await phone.press("Leave")
        await phone.is_told("Transferred to 7012.")
        await phone.is_free()
        await other.sipp.tell()
        await desk.hears(CALLEE_TONE)
        await other.hears(CALLER_TONE)
        await hang_up_all(site.app.calls)


@both_versions
async def test_somebody_is_asked_first_and_then_connected(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk), callee(site.pbx, tmp_path, "phone_hangs_up") as other:
        await phone.take("Transfer", "7012", "Ask first")
        await both_hear(phone, other, CALLEE_TONE)
        await desk.hears_music()
        await phone.press("Connect")
        await phone.is_told("Transferred to")
        await phone.is_free()
        await others_talk(desk, other)


async def test_who_is_asked_first_is_busy_and_the_first_call_is_taken_back(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk):
        await phone.take("Transfer", "604", "Ask first")
        await phone.is_told("604 is on another call.")
        await phone.sees("On hold", "Desk phone")
        await desk.hears_music()
        await phone.talks_again()
        await both_hear(phone, desk, CALLER_TONE)
        await phone.press("Hang up")
        await desk.sipp.done()


async def test_of_two_calls_the_others_are_connected(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk), callee(site.pbx, tmp_path, "phone_hangs_up") as other:
        await phone.take("Add", "7012", "New call")
        await both_hear(phone, other, CALLEE_TONE)
        await phone.press("Transfer")
        await phone.press("Connect 7012 with Desk phone")
        await phone.is_told("Transferred to")
        await others_talk(desk, other)


async def test_a_call_that_is_given_to_its_own_page_rings_there(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk):
        await phone.take("Transfer", "1001", "Transfer")
        await phone.sees("is calling too")
        phone.forget()
        await phone.press("Answer")
        await phone.sees("In call")
        await expect(phone.others).to_be_hidden()
        await both_hear(phone, desk, CALLER_TONE)
        await phone.press("Hang up")
        await desk.sipp.done()


async def test_a_transfer_outlives_a_kill_of_the_server_and_a_reload(
    pbx: Pbx, rtpengine: Rtpengine, browser: Browser, tmp_path: Path
) -> None:
    async with killable(pbx, rtpengine, browser, tmp_path) as (server, phone), caller(pbx, tmp_path) as desk:
        await phone.rings("Desk phone")
        await phone.answer()
        await both_hear(phone, desk, CALLER_TONE)
        async with callee(pbx, tmp_path, "phone_plays_first") as other:
            await phone.take("Transfer", "7012", "Transfer")
            await other.sipp.saw("INVITE")
            await server.kill()
            await desk.hears_music()
            await server.start()
            await phone.online()
            await phone.sees("Transferring to 7012…")
            await phone.page.reload()
            await phone.sees("Transferring to 7012…")
            await other.sipp.tell()
            await phone.is_told("Transferred to 7012.")
            await desk.hears(CALLEE_TONE)
            await other.hears(CALLER_TONE)


async def test_nobody_is_given_to_a_number_that_cannot_be(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with talking(site, browser, tmp_path) as (phone, desk):
        await phone.take("Transfer", "no number at all!", "Transfer")
        await phone.is_told("A number has no “!”.")
        await phone.page.keyboard.press("Escape")
        await phone.sees("In call")
        await desk.hears(PAGE_TONE)
        await phone.press("Hang up")
        await desk.sipp.done()
