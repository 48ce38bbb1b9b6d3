"""The page calls out, and both sides are heard: tones, echo, a SIP phone behind the PBX."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e.conftest import FAR_TONE, PAGE_TONE
from tests.e2e.ears import codecs_of
from tests.e2e.softphone import softphone
from tests.real.live_system import LiveSystem
from tests.real.parts import both_versions
from tests.real.rtp import PCMU, RtpPeer
from tests.real.sipp import Sipp

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
MILLIWATT = 1004.0


@both_versions
async def test_601_is_heard_in_opus_and_is_pcmu_on_asterisk(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("601")
        await phone.talks()
        await phone.sees("Milliwatt tone", "601")
        await phone.hears(MILLIWATT)
        assert await codecs_of(phone.page) == {"inbound-rtp": "audio/opus", "outbound-rtp": "audio/opus"}
        [leg] = [channel.name for channel in await site.app.ari.channels.list() if channel.id.endswith("-em")]
        described = await asyncio.to_thread(site.pbx.asterisk.cli, f"core show channel {leg}")
        assert "ulaw" in described and "opus" not in described
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")
        await phone.is_free()


async def test_600_gives_back_what_the_microphone_hears(site: LiveSystem, browser: Browser) -> None:
    async with softphone(browser, site) as phone:
        await phone.call("600")
        await phone.talks()
        await phone.hears(PAGE_TONE)
        await phone.press("Hang up")
        await phone.is_told("The call has ended.")


async def test_a_sip_phone_and_the_page_hear_each_other_and_the_page_hangs_up(
    site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
        async with softphone(browser, site) as phone:
            await phone.call("7012")
            await phone.talks()
            await phone.sees("7012")
            stream = await far.stream()
            await stream.heard.wait_for_tone(PAGE_TONE)
            assert stream.payload_types == {PCMU}
            await phone.hears(FAR_TONE)
            await phone.press("Hang up")
            await callee.done()
            await phone.is_told("The call has ended.")


async def test_the_sip_phone_hangs_up(site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path) -> None:
    async with Sipp("phone_hangs_up", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
        async with softphone(browser, site) as phone:
            await phone.call("7012")
            await phone.hears(FAR_TONE)
            await callee.saw("ACK sip:")
            await callee.tell()
            await phone.is_told("The call has ended.")
            await phone.is_free()
            await callee.done()


async def test_what_a_sip_phone_plays_before_it_answers_is_heard(
    site: LiveSystem, far: RtpPeer, browser: Browser, tmp_path: Path
) -> None:
    async with Sipp("phone_plays_first", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
        async with softphone(browser, site) as phone:
            await phone.call("7012")
            await phone.sees("Ringing")
            await phone.hears(FAR_TONE)
            await phone.sees("Not answered yet")
            await callee.tell()
            await phone.talks()
            await phone.press("Hang up")
            await callee.done()
