"""The phone by keyboard alone, and its pad: dial, answer, decline, hang up, mute, tones."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from ari_bridge_client.audio import ReceivedAudio
from tests.e2e.conftest import FAR_TONE, PAGE_TONE
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
EVENTS = 101  # RTP payload type of telephone-event in the SIPp scenarios


class DigitsHeard(RtpPeer):
    """A phone that takes digits too (RFC 4733)."""

    def __init__(self) -> None:
        super().__init__(FAR_TONE)
        self.digits = ""
        self._arrived_digit = asyncio.Event()
        self._began = b""  # RTP timestamp of the last digit: all packets of one have the same

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        super().datagram_received(data, addr)
        if data[1] & 0x7F == EVENTS and data[4:8] != self._began:
            self._began = data[4:8]
            self.digits += "0123456789*#"[data[12]]
            self._arrived_digit.set()

    async def wait_for_digits(self, digits: str, *, seconds: float = 5.0) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while self.digits != digits:
                self._arrived_digit.clear()
                await self._arrived_digit.wait()


@pytest_asyncio.fixture(loop_scope="session")
async def digits_heard() -> AsyncIterator[DigitsHeard]:
    peer = DigitsHeard()
    async with peer:
        yield peer


async def silence(heard: ReceivedAudio, *, seconds: float = 5.0) -> None:
    """Waits until 0.4 s of silence were heard. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not heard.analyze(0.4).is_silent:  # noqa: ASYNC110  packets come by themselves
            await asyncio.sleep(0.02)


async def test_digits_and_enter_dial_and_escape_hangs_up(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await expect(phone.number).to_be_focused()
        await phone.keys("601", "Enter")
        await phone.talks()
        await phone.hears(1004)
        await phone.keys("Escape")
        await phone.is_told("The call has ended.")


async def test_digits_are_written_wherever_the_focus_is(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.number.blur()
        await phone.keys("60")
        await phone.press("1")  # the key of the pad
        await expect(phone.number).to_have_value("601")
        await phone.press("Delete the last digit")
        await expect(phone.number).to_have_value("60")


async def test_m_mutes_and_the_far_side_hears_it(
    site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
        async with softphone(browser, site) as phone:
            await phone.keys("7012", "Enter")
            heard = (await far.stream()).heard
            await heard.wait_for_tone(PAGE_TONE)
            await phone.keys("m")
            await phone.sees("Muted")
            await silence(heard)
            await phone.hears(FAR_TONE)
            await phone.keys("m")
            await heard.wait_for_tone(PAGE_TONE)
            await expect(phone.button("Mute")).to_be_visible()
            await phone.keys("Escape")
            await callee.done()


async def test_keys_and_pad_send_digits_in_a_call(
    site: LiveSystem, digits_heard: DigitsHeard, browser: Browser, tmp_path: Path
) -> None:
    async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=digits_heard.port) as callee:
        async with softphone(browser, site) as phone:
            await phone.keys("7012", "Enter")
            await phone.talks()
            await digits_heard.stream()
            await phone.press("4")
            await phone.keys("7")
            await phone.press("hash")
            await digits_heard.wait_for_digits("47#")
            await phone.sees("47#")
            await phone.press("Hang up")
            await callee.done()


async def test_enter_answers(site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone:
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            await phone.rings("Desk phone")
            await phone.keys("Enter")
            await phone.talks()
            await phone.hears(FAR_TONE)
            await phone.keys("Escape")
            await caller.done()


async def test_escape_declines(site: LiveSystem, browser: Browser, tmp_path: Path) -> None:
    async with softphone(browser, site) as phone:
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            await phone.rings("Desk phone")
            await phone.keys("Escape")
            await phone.is_told("You declined the call.")
            await caller.done()


async def test_a_question_mark_shows_the_keys_and_a_slash_searches(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.number.blur()
        await phone.keys("?")
        keys = phone.page.get_by_role("dialog", name="Keys")
        await expect(keys).to_contain_text("Hang up, or decline")
        await phone.keys("Escape")
        await expect(keys).to_be_hidden()
        await phone.keys("/", "milli")
        await expect(phone.button("Milliwatt tone 601")).to_be_visible()
        await expect(phone.button("Echo 600")).to_be_hidden()
