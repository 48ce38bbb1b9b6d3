"""Calls that come to nothing: each is told by its own plain sentence, and the next call can be made."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.refusing import refusing_phones
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("604", "604 is on another call."),
        ("605", "This number cannot be reached. No line is free"),
        ("5555", "This number cannot be reached. Check the number"),
        ("6&01", "A number has no “&”."),
        ("601@elsewhere", "A number has no “@”."),
    ],
    ids=["busy", "congestion", "unknown-number", "two-numbers", "another-context"],
)
async def test_a_number_that_nobody_answers_at(site: LiveSystem, browser: Browser, number: str, sentence: str) -> None:
    async with softphone(browser, site) as phone:
        await phone.call(number)
        await phone.is_told(sentence)
        await phone.is_free()


async def test_nobody_answers(site_with: LiveSystemWith, browser: Browser) -> None:
    async with site_with(ring_timeout=1) as site, softphone(browser, site) as phone:
        await phone.call("603")
        await phone.is_told("603 did not answer.")


async def test_the_page_gives_up_while_it_rings(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("603")
        await phone.sees("Ringing")
        await phone.press("Hang up")
        await phone.is_told("You cancelled the call.")


async def test_the_sip_phone_declines(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with Sipp("phone_refuses", tmp_path, port=site.pbx.trunk_port, refusal="SIP/2.0 603 Decline") as callee:
        async with softphone(browser, site) as phone:
            await phone.call("7012")
            await phone.is_told("7012 declined the call.")
            await callee.done()


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("7302", "This number cannot be reached. Calls to it go to 7999"),
        ("7403", "You may not call this number. The line refuses it"),
        ("7407", "The line refuses your phone system's sign-in."),
        ("7603", "7603 declined the call."),
    ],
    ids=["moved", "forbidden", "sign-in-of-the-trunk", "declined"],
)
async def test_who_refused_is_named(site: LiveSystem, browser: Browser, number: str, sentence: str) -> None:
    async with refusing_phones(site.pbx.trunk_port), softphone(browser, site) as phone:
        await phone.call(number)
        await phone.is_told(sentence)
        await phone.is_free()


async def test_after_a_failure_one_press_calls_again(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("604")
        await phone.is_told("604 is on another call.")
        await phone.press("Call again")
        await expect(phone.recent).to_contain_text("604 ×2")
        await phone.is_told("604 is on another call.")
        await phone.press("Close")
        await phone.sees("Type a number")


async def test_a_double_click_on_call_does_not_hang_up(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.number.fill("603")
        await phone.button("Call").dblclick()
        await phone.sees("Ringing")
        await phone.button("Hang up").dblclick()
        await phone.is_told("You cancelled the call.")
        await expect(phone.number).to_have_value("")
