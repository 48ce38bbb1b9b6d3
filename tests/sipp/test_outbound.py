"""A page calls out over the PJSIP trunk: every way that a SIP phone can take it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client.audio import Silence, Tone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import both_versions
from tests.real.rtp import PCMU, RtpPeer
from tests.real.sipp import Sipp
from tests.sipp.conftest import FAR_TONE

pytestmark = pytest.mark.real
PAGE_TONE = 440.0
DTMF = 101  # RTP payload type of telephone-event in the scenarios


async def test_a_phone_that_answers_is_heard_both_ways_and_ended_by_the_page(
    site: LiveSystem, far: RtpPeer, tmp_path: Path
) -> None:
    async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
        async with site.phone() as phone:
            call = await phone.call("7001", source=Tone(PAGE_TONE))
            await call.wait_for("accepted", timeout=5)
            # Whether it was told that it rings: not where the phone answers before our media does.
            assert call.state_history[-1] == "accepted" and set(call.state_history) <= {"trying", "ringing", "accepted"}
            stream = await far.stream()
            await stream.heard.wait_for_tone(PAGE_TONE)
            await call.received_audio.wait_for_tone(FAR_TONE)
            assert stream.payload_types == {PCMU}
            await call.hangup()
            await call.wait_for("ended", timeout=5)
            assert call.outcome is Outcome.COMPLETED
            await callee.done()


async def test_bye_from_the_phone_ends_the_page_s_call(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with Sipp("phone_hangs_up", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
        async with site.phone() as phone:
            call = await phone.call("7001", source=Tone(PAGE_TONE))
            await call.received_audio.wait_for_tone(FAR_TONE, timeout=8)
            await callee.tell()
            await call.wait_for("ended", timeout=5)
            assert call.outcome is Outcome.COMPLETED
            await callee.done()


async def test_audio_before_the_answer_is_heard(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with Sipp("phone_plays_first", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
        async with site.phone() as phone:
            call = await phone.call("7001", source=Tone(PAGE_TONE))
            await call.wait_for("early", timeout=5)
            await call.received_audio.wait_for_tone(FAR_TONE, timeout=8)
            assert "accepted" not in call.state_history
            await callee.tell()
            await call.wait_for("accepted", timeout=5)
            await call.hangup()
            await callee.done()


PROGRESS, RINGS = "SIP/2.0 183 Session Progress", "SIP/2.0 180 Ringing"


@both_versions
@pytest.mark.parametrize(
    ("scenario", "keys"),
    [
        ("phone_progresses", {"first": PROGRESS, "second": PROGRESS}),
        ("phone_progresses", {"first": RINGS, "second": PROGRESS}),
        ("phone_progresses", {"first": PROGRESS, "second": RINGS}),
        ("phone_progresses_reliably", {}),
        ("phone_plays_first", {"rtp_port": 9}),  # a path for sound, and none comes
    ],
    ids=["183", "180-183", "183-180", "183-PRACK", "183-SDP-silence"],
)
async def test_it_rings_until_the_phone_is_heard(
    site: LiveSystem, far: RtpPeer, tmp_path: Path, scenario: str, keys: dict[str, str | int]
) -> None:
    options: dict[str, Any] = {"rtp_port": far.port, **keys}
    async with Sipp(scenario, tmp_path, port=site.pbx.trunk_port, **options) as callee, site.phone() as phone:
        call = await phone.call("7001", source=Tone(PAGE_TONE))
        await call.wait_for("ringing", timeout=5)
        await callee.saw("200 OK" if scenario == "phone_progresses_reliably" else str(keys.get("second", PROGRESS)))
        await asyncio.sleep(0.5)  # in which nothing is to come
        assert call.state_history[-1] == "ringing" and call.received_audio.analyze().is_silent
        await callee.tell()
        await call.wait_for("accepted", timeout=5)
        assert "early" not in call.state_history
        await call.hangup()
        await callee.done()


@both_versions
async def test_a_phone_that_is_heard_and_rings_then_is_heard_on(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    callee = Sipp("phone_plays_then_rings", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port)
    async with callee, site.phone() as phone:
        call = await phone.call("7001", source=Tone(PAGE_TONE))
        await call.wait_for("early", timeout=5)
        await callee.saw(RINGS)
        await call.received_audio.wait_for_tone(FAR_TONE, timeout=8)
        assert call.state_history[-1] == "early"
        await callee.tell()
        await call.wait_for("accepted", timeout=5)
        await call.hangup()
        await callee.done()


@pytest.mark.parametrize(
    ("status", "outcome", "q850"),
    [
        (486, Outcome.BUSY, 17),
        (603, Outcome.REJECTED, 21),
        (404, Outcome.UNREACHABLE, 1),
        (480, Outcome.NO_ANSWER, 19),
        (503, Outcome.UNREACHABLE, 34),
    ],
    ids=["486-busy", "603-rejected", "404-unreachable", "480-no_answer", "503-unreachable"],
)
async def test_a_phone_that_refuses(site: LiveSystem, tmp_path: Path, status: int, outcome: Outcome, q850: int) -> None:
    refusal = f"SIP/2.0 {status} Refused"
    async with Sipp("phone_refuses", tmp_path, port=site.pbx.trunk_port, refusal=refusal) as callee:
        async with site.phone() as phone:
            call = await phone.call("7001", source=Silence())
            await call.wait_for("ended", timeout=5)
            await callee.done()
            assert call.outcome is outcome
            cause = site.app.calls.get(call.id).cause
            assert cause is not None and cause.q850 == q850
            assert "accepted" not in call.state_history


async def test_a_phone_that_never_answers_ends_as_no_answer(site_with: LiveSystemWith, tmp_path: Path) -> None:
    async with site_with(ring_timeout=1) as site:
        async with Sipp("phone_never_answers", tmp_path, port=site.pbx.trunk_port) as callee, site.phone() as phone:
            call = await phone.call("7001", source=Silence())
            await call.wait_for("ended", timeout=10)
            await callee.done()
            assert call.outcome is Outcome.NO_ANSWER


async def test_a_page_that_gives_up_while_it_rings_cancels(site: LiveSystem, tmp_path: Path) -> None:
    async with Sipp("phone_never_answers", tmp_path, port=site.pbx.trunk_port) as callee, site.phone() as phone:
        call = await phone.call("7001", source=Silence())
        await call.wait_for("ringing", timeout=5)
        await call.hangup()
        await call.wait_for("ended", timeout=5)
        await callee.done()
        assert call.outcome is Outcome.CANCELLED


async def test_digits_arrive_as_telephone_events(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
        async with site.phone() as phone:
            call = await phone.call("7001", source=Tone(PAGE_TONE))
            await call.wait_for("accepted", timeout=5)
            stream = await far.stream()
            await call.send_dtmf("1")
            async with asyncio.timeout(5):
                while DTMF not in stream.payload_types:  # noqa: ASYNC110  the packets come by themselves
                    await asyncio.sleep(0.02)
            await call.hangup()
            await callee.done()


async def test_a_caller_number_of_the_page_s_choice_is_shown(site: LiveSystem, tmp_path: Path) -> None:
    async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port) as callee:
        async with site.phone("1003") as phone:
            call = await phone.call("7001", source=Silence())
            await call.wait_for("accepted", timeout=5)
            assert "<sip:1003@" in callee.messages
            await call.hangup()
            await callee.done()


@both_versions
async def test_a_number_of_its_own_rings_the_one_phone_that_its_route_names(
    site_with: LiveSystemWith, far: RtpPeer, tmp_path: Path
) -> None:
    async with site_with(dial_routes="100=PJSIP/trunk; 7xxx=PJSIP/{target}@trunk") as site:
        async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port) as callee:
            async with site.phone() as phone:
                call = await phone.call("100", source=Tone(PAGE_TONE))
                await call.wait_for("accepted", timeout=5)
                await call.received_audio.wait_for_tone(FAR_TONE)
                assert site.app.calls.get(call.id).target == "100"
                await call.hangup()
                await callee.done()


@both_versions
async def test_a_key_pressed_by_sip_info_is_told_to_the_page(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with Sipp("phone_sends_info", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port, key="5") as callee:
        async with site.phone() as phone:
            call = await phone.call("7001", source=Tone(PAGE_TONE))
            await call.wait_for("accepted", timeout=5)
            await callee.tell()
            await call.wait_until(lambda: call.received_digits == "5", "digit")
            await call.hangup()
            await callee.done()
