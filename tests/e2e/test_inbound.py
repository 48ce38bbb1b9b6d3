"""A SIP caller of the PBX rings the page."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e.conftest import FAR_TONE, PAGE_TONE
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.rtp import PCMU, RtpPeer
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


async def test_the_page_answers_both_are_heard_and_the_page_hangs_up(
    site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as phone:
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            await phone.rings("Desk phone", "7001")
            assert await phone.page.title() == "Incoming call: Desk phone"
            await phone.answer()
            await phone.talks()
            stream = await far.stream()
            await stream.heard.wait_for_tone(PAGE_TONE)
            assert stream.payload_types == {PCMU}
            await phone.hears(FAR_TONE)
            await phone.press("Hang up")
            await phone.is_told("The call has ended.")
            await caller.done()


async def test_the_caller_hangs_up(site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone:
        async with Sipp("caller_hangs_up", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            await phone.rings("Desk phone")
            await phone.answer()
            await phone.hears(FAR_TONE)
            await caller.saw("ACK sip:")
            await caller.tell()
            await phone.is_told("The call has ended.")
            await phone.is_free()
            await caller.done()


async def test_the_page_declines(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone:
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await phone.rings("Desk phone")
            await phone.press("Decline")
            await phone.is_told("You declined the call.")
            await caller.done()
            assert "SIP/2.0 486" in caller.messages


async def test_the_caller_gives_up(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone:
        async with Sipp("caller_cancels", tmp_path, to=site.pbx.sip_port) as caller:
            await phone.rings("Desk phone")
            await caller.saw("180 Ringing")
            await caller.tell()
            await phone.is_told("You missed a call from Desk phone.")
            await caller.done()


async def test_nobody_answers_in_time(site_with: LiveSystemWith, browser: Browser, tmp_path: Path) -> None:
    async with site_with(ring_timeout=1) as site, softphone(browser, site) as phone:
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await phone.is_told("You missed a call from Desk phone.")
            await caller.done()


async def test_two_pages_of_one_user_ring_and_one_of_them_answers(
    site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    async with softphone(browser, site) as desk, softphone(browser, site) as sofa:
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            await desk.rings("Desk phone")
            await sofa.rings("Desk phone")
            await sofa.answer()
            await desk.is_told("This call was taken in another window.")
            await desk.is_free()
            await sofa.hears(FAR_TONE)
            await (await far.stream()).heard.wait_for_tone(PAGE_TONE)
            await sofa.press("Hang up")
            await caller.done()


async def test_page_calls_page(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site, "1001") as one, softphone(browser, site, "1002") as other:
        await one.call("1002")
        await other.rings("1001")
        await one.sees("Ringing")
        await other.answer()
        await one.talks()
        await one.hears(PAGE_TONE)
        await other.hears(PAGE_TONE)
        await one.press("Hang up")
        await other.is_told("The call has ended.")
