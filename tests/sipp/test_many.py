"""Many calls: one after the other, and all at once. The `site` fixture then proves that nothing is left."""

import asyncio
from pathlib import Path

import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client import Client
from ari_bridge_client.audio import Tone
from tests.real.live_system import LiveSystem
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.sipp.conftest import FAR_TONE

pytestmark = pytest.mark.real
PAGE_TONE = 440.0


async def test_twenty_calls_out_one_after_the_other(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with Sipp("phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port, calls=20) as callee:
        async with site.phone() as phone:
            for number in range(20):
                far.forget()
                call = await phone.call(f"7{number:03}", source=Tone(PAGE_TONE))
                await call.wait_for("accepted", timeout=5)
                await (await far.stream()).heard.wait_for_tone(PAGE_TONE)
                await call.received_audio.wait_for_tone(FAR_TONE)
                await call.hangup()
                await call.wait_for("ended", timeout=5)
                assert call.outcome is Outcome.COMPLETED
        await callee.done()
    await site.require_nothing_left()


async def test_ten_calls_out_at_once(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with Sipp(
        "phone_answers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port, calls=10, at_once=10, seconds=60
    ) as callee:
        async with site.phone() as phone:
            calls = await asyncio.gather(*(phone.call(f"70{n:02}", source=Tone(PAGE_TONE)) for n in range(10)))
            await asyncio.gather(*(call.wait_for("accepted", timeout=15) for call in calls))
            await far.stream(9, seconds=15)
            await asyncio.gather(
                *(call.received_audio.wait_for_tone(FAR_TONE, timeout=15) for call in calls),
                *(stream.heard.wait_for_tone(PAGE_TONE, timeout=15) for stream in far.streams.values()),
            )
            await asyncio.gather(*(call.hangup() for call in calls))
            await asyncio.gather(*(call.wait_for("ended", timeout=10) for call in calls))
            assert {call.outcome for call in calls} == {Outcome.COMPLETED}
        await callee.done()
    await site.require_nothing_left()


async def _take(phone: Client) -> None:
    call = await (await phone.incoming(timeout=15)).answer(Tone(PAGE_TONE))
    await call.wait_for("accepted", timeout=15)
    await call.received_audio.wait_for_tone(FAR_TONE, timeout=15)
    await call.hangup()
    await call.wait_for("ended", timeout=10)


async def test_twenty_calls_in_one_after_the_other(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with site.phone("1001") as phone:
        async with Sipp(
            "caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port, calls=20, seconds=60
        ) as caller:
            for _ in range(20):
                await _take(phone)
            await caller.done()
    await site.require_nothing_left()


async def test_ten_calls_in_at_once(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with site.phone("1001") as phone:
        async with Sipp(
            "caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port, calls=10, at_once=10, seconds=60
        ) as caller:
            await asyncio.gather(*(_take(phone) for _ in range(10)))
            await caller.done()
    await site.require_nothing_left()
