"""SIP callers of the legacy PBX ring a browser's page: every way that such a call can go."""

from pathlib import Path

import pytest

from ari_bridge.fsm.call import Call
from ari_bridge.fsm.notifications import HoldChanged, Notification
from ari_bridge.outcomes import Outcome
from ari_bridge_client.audio import Tone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.rtp import PCMU, RtpPeer
from tests.real.sipp import Sipp
from tests.sipp.conftest import FAR_TONE

pytestmark = pytest.mark.real
PAGE_TONE = 440.0


async def only_call(site: LiveSystem) -> Call:
    [call] = site.app.calls.live()
    return call


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_inbound_call_is_heard_both_ways_and_ended_by_the_page(
    site: LiveSystem, far: RtpPeer, tmp_path: Path, transport: str
) -> None:
    tcp = transport == "tcp"
    async with site.phone("1001") as phone:
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port, tcp=tcp) as caller:
            incoming = await phone.incoming(timeout=5)
            assert incoming.caller == "7001"
            assert incoming.caller_name == "Desk phone"
            call = await incoming.answer(Tone(PAGE_TONE))
            await call.wait_for("accepted", timeout=5)
            stream = await far.stream()
            await stream.heard.wait_for_tone(PAGE_TONE)
            await call.received_audio.wait_for_tone(FAR_TONE)
            assert stream.payload_types == {PCMU}
            await call.hangup()
            await call.wait_for("ended", timeout=5)
            assert call.outcome is Outcome.COMPLETED
            await caller.done()


async def test_bye_from_the_caller_ends_the_page_s_call(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with site.phone("1001") as phone:
        async with Sipp("caller_hangs_up", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            call = await (await phone.incoming(timeout=5)).answer(Tone(PAGE_TONE))
            await call.received_audio.wait_for_tone(FAR_TONE)
            await caller.tell()
            await call.wait_for("ended", timeout=5)
            assert call.outcome is Outcome.COMPLETED
            await caller.done()


async def test_cancel_before_answer_stops_the_ringing(site: LiveSystem, tmp_path: Path) -> None:
    async with site.phone("1001") as phone:
        async with Sipp("caller_cancels", tmp_path, to=site.pbx.sip_port) as caller:
            incoming = await phone.incoming(timeout=5)
            await caller.saw("180 Ringing")
            await caller.tell()
            assert await incoming.wait_until_stopped(timeout=5) == "cancelled"
            await caller.done()
        assert site.app.calls.get(incoming.id).outcome is Outcome.CANCELLED


async def test_declined_call_goes_on_in_the_dialplan_with_486(site: LiveSystem, tmp_path: Path) -> None:
    async with site.phone("1001") as phone:
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            incoming = await phone.incoming(timeout=5)
            await incoming.reject()
            await caller.done()
            assert "SIP/2.0 486" in caller.messages
        assert site.app.calls.get(incoming.id).outcome is Outcome.REJECTED
        assert "no page took the call: DECLINED" in site.pbx.asterisk.log.read_text()


async def test_no_page_open_goes_on_in_the_dialplan_with_480(site: LiveSystem, tmp_path: Path) -> None:
    async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port, number="1005") as caller:
        await caller.done()
        assert "SIP/2.0 480" in caller.messages
    assert "1005: no page took the call: UNAVAILABLE" in site.pbx.asterisk.log.read_text()


async def test_nobody_accepts_in_time_goes_on_in_the_dialplan_with_480(
    site_with: LiveSystemWith, tmp_path: Path
) -> None:
    async with site_with(ring_timeout=0.5) as site, site.phone("1001") as phone:
        async with Sipp("caller_is_refused", tmp_path, to=site.pbx.sip_port) as caller:
            incoming = await phone.incoming(timeout=5)
            assert await incoming.wait_until_stopped(timeout=5) == "no_answer"
            await caller.done()
            assert "SIP/2.0 480" in caller.messages
        assert "no page took the call: NOANSWER" in site.pbx.asterisk.log.read_text()


async def test_hold_by_the_caller_and_resume_are_told(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    told: list[bool] = []

    def listener(call: Call, notification: Notification) -> None:
        if isinstance(notification, HoldChanged):
            told.append(call.held_by_far)

    async with site.phone("1001") as phone:
        async with Sipp("caller_holds", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            call = await (await phone.incoming(timeout=5)).answer(Tone(PAGE_TONE))
            await call.wait_for("accepted", timeout=5)
            site.app.calls.watch(call.id, listener)
            await call.received_audio.wait_for_tone(FAR_TONE)
            await caller.tell()
            await caller.saw("CSeq: 2 ACK")
            await caller.tell()
            await caller.saw("CSeq: 3 ACK")
            far.forget()
            await (await far.stream()).heard.wait_for_tone(PAGE_TONE)
            await call.received_audio.wait_for_tone(FAR_TONE)
            assert told == [True, False]
            await call.hangup()
            await caller.done()


async def test_options_is_answered(site: LiveSystem, tmp_path: Path) -> None:
    async with Sipp("options", tmp_path, to=site.pbx.sip_port) as caller:
        await caller.done()


async def test_two_pages_ring_and_the_first_to_accept_has_the_call(
    site: LiveSystem, far: RtpPeer, tmp_path: Path
) -> None:
    async with site.phone("1001") as first, site.phone("1001") as second:
        async with Sipp("caller_stays", tmp_path, to=site.pbx.sip_port, rtp_port=far.port) as caller:
            here, there = await first.incoming(timeout=5), await second.incoming(timeout=5)
            call = await here.answer(Tone(PAGE_TONE))
            assert await there.wait_until_stopped(timeout=5) == "accepted_elsewhere"
            await call.received_audio.wait_for_tone(FAR_TONE)
            await call.hangup()
            await caller.done()
