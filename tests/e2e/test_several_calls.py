"""Two calls of one page: waiting, swap, reload, another window. Who hears whom is known by each one's tone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import PAGE_TONE
from tests.e2e.ears import Ears
from tests.e2e.sides import CALLEE_TONE, CALLER_TONE, Side, both_hear, callee, caller
from tests.e2e.softphone import Softphone, softphone
from tests.real.live_system import LiveSystem, LiveSystemWith

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
GRACE = 20.0
"""Seconds that a page may be away; a test never waits for its end."""


@asynccontextmanager
async def waiting(site: LiveSystem, browser: Browser, folder: Path) -> AsyncIterator[tuple[Softphone, Side, Side]]:
    """A page that talks to 7012, while Desk phone rings: the page, the one who talks, the one who rings."""
    async with softphone(browser, site) as phone, callee(site.pbx, folder) as talking:
        await phone.call("7012")
        await both_hear(phone, talking, CALLEE_TONE)
        async with caller(site.pbx, folder) as ringing:
            await phone.sees("Desk phone is calling too")
            yield phone, talking, ringing


@asynccontextmanager
async def two_calls(site: LiveSystem, browser: Browser, folder: Path) -> AsyncIterator[tuple[Softphone, Side, Side]]:
    """A page that talks to Desk phone, and holds 7012: the page, the active one, the held one."""
    async with waiting(site, browser, folder) as (phone, held, active):
        await phone.press("Hold and answer")
        await both_hear(phone, active, CALLER_TONE)
        await held.hears_music()
        yield phone, active, held


async def ends_both(phone: Softphone, *sides: Side) -> None:
    """Hangs up what is on the stage, takes the other one back, and hangs up."""
    await phone.press("Hang up")
    await phone.sees("On hold")
    await phone.talks_again()
    await phone.press("Hang up")
    await phone.is_free()
    for side in sides:
        await side.sipp.done()


async def test_a_second_call_holds_the_first_and_they_are_swapped(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with two_calls(site, browser, tmp_path) as (phone, desk, callee):
        await phone.sees("Desk phone")
        await expect(phone.others).to_contain_text("7012")
        await phone.press("Swap")
        await both_hear(phone, callee, CALLEE_TONE)
        await desk.hears_music()
        await phone.keys("s")
        await both_hear(phone, desk, CALLER_TONE)
        await callee.hears_music()
        # The one that is left stays on hold until somebody presses.
        await phone.press("Hang up")
        await desk.sipp.done()
        await phone.sees("7012", "On hold")
        await callee.hears_music()
        await phone.talks_again()
        await both_hear(phone, callee, CALLEE_TONE)
        await phone.press("Hang up")
        await callee.sipp.done()


async def test_each_call_is_muted_for_itself(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with two_calls(site, browser, tmp_path) as (phone, desk, callee):
        await phone.press("Mute")
        await desk.hears()
        await phone.press("Swap")
        await both_hear(phone, callee, CALLEE_TONE)
        await phone.press("Swap")
        await phone.sees("Desk phone", "Muted")
        await phone.hears(CALLER_TONE)
        await desk.hears()
        await phone.press("Unmute")
        await desk.hears(PAGE_TONE)
        await ends_both(phone, desk, callee)


async def test_a_second_call_is_made_beside_the_first(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone, caller(site.pbx, tmp_path) as desk:
        await phone.rings("Desk phone")
        await phone.answer()
        await both_hear(phone, desk, CALLER_TONE)
        async with callee(site.pbx, tmp_path) as second:
            await phone.take("Add", "7012", "New call")
            await both_hear(phone, second, CALLEE_TONE)
            await desk.hears_music()
            await ends_both(phone, second, desk)


async def test_a_waiting_call_is_answered_and_the_first_ended(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with waiting(site, browser, tmp_path) as (phone, first, desk):
        await phone.press("End and answer")
        await first.sipp.done()
        await both_hear(phone, desk, CALLER_TONE)
        await expect(phone.others).to_be_hidden()
        await phone.press("Hang up")
        await desk.sipp.done()


async def test_a_call_ends_while_another_one_waits_which_then_rings(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with waiting(site, browser, tmp_path) as (phone, first, desk):
        await phone.keys("Escape")
        await first.sipp.done()
        await phone.rings("Desk phone")
        await phone.keys("Enter")
        await both_hear(phone, desk, CALLER_TONE)
        await phone.press("Hang up")
        await desk.sipp.done()


async def test_a_waiting_call_is_declined_and_nobody_else_notices(
    site: LiveSystem, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as phone, callee(site.pbx, tmp_path) as first:
        await phone.call("7012")
        await both_hear(phone, first, CALLEE_TONE)
        async with caller(site.pbx, tmp_path, "caller_is_refused") as desk:
            await phone.sees("Desk phone is calling too")
            await phone.press("Decline")
            await desk.sipp.done()
        await phone.sees("In call", "7012")
        await both_hear(phone, first, CALLEE_TONE)
        await phone.press("Hang up")
        await first.sipp.done()


async def test_a_reload_brings_both_calls_back(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with (
        site_with(disconnect_grace=GRACE) as site,
        two_calls(site, browser, tmp_path) as (phone, desk, callee),
    ):
        phone.forget()
        await phone.page.reload()
        await phone.sees("In call", "Desk phone")
        await expect(phone.others).to_contain_text("7012")
        await both_hear(phone, desk, CALLER_TONE)
        await callee.hears_music()
        await phone.press("Swap")
        await both_hear(phone, callee, CALLEE_TONE)
        await desk.hears_music()
        await ends_both(phone, callee, desk)


async def test_another_window_takes_both_calls_over(
    site_with: LiveSystemWith, browser: Browser, tmp_path: Path
) -> None:
    async with (
        site_with(disconnect_grace=GRACE) as site,
        two_calls(site, browser, tmp_path) as (phone, desk, callee),
    ):
        other = Softphone(await phone.page.context.new_page(), Ears())
        await other.start(site.app.url, "1001")
        await other.is_told("These calls go on in another window.")
        phone.forget()
        await other.press("Bring them here")
        await other.sees("In call", "Desk phone")
        await expect(other.others).to_contain_text("7012")
        await phone.is_told("These calls go on in another window.")
        await both_hear(phone, desk, CALLER_TONE)  # the ears of a context hear all of its windows
        await callee.hears_music()
        await ends_both(other, desk, callee)
