"""Who is talked to is told as Asterisk tells it, beside who was dialled and who has called."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ari_bridge_client import Call, HttpClient, Problem
from ari_bridge_client.audio import Tone
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import both_versions
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.sipp.conftest import FAR_TONE

pytestmark = [pytest.mark.real, both_versions]

DESK, WORKSHOP = ("7001", "Front desk"), ("7002", "Workshop")
WHO: dict[str, Any] = {"first": DESK[0], "first_name": DESK[1], "other": WORKSHOP[0], "other_name": WORKSHOP[1]}


async def talks_to(site: LiveSystem, call: Call, who: tuple[str, str]) -> None:
    """It is told on the line, by the HTTP API, and stands in what the server keeps of the call."""
    await call.wait_until(lambda: (call.connected_number, call.connected_name) == who, f"{who[1]} on the line")
    kept = site.app.calls.get(call.id)
    assert (kept.far_number, kept.far_name) == who
    async with HttpClient(site.app.url) as http:
        shown = await http.get_call(call.id)
    assert (shown.connected_number, shown.connected_name) == who


async def recorded(site: LiveSystem, call: Call) -> tuple[str, str, str, str]:
    """The record of an ended call: who called, who was called, who was talked to."""
    async with HttpClient(site.app.url) as http, asyncio.timeout(15):
        while True:
            try:
                record = await http.get_cdr(call.id)
            except Problem:  # it is written some tenths of a second after the end
                await asyncio.sleep(0.05)
            else:
                break
    return record.caller, record.target, record.connected_number, record.connected_name


@pytest.mark.parametrize("routes", ["7xxx=PJSIP/{target}@trunk", ""], ids=["direct", "dialplan"])
async def test_a_call_out(site_with: LiveSystemWith, tmp_path: Path, routes: str) -> None:
    async with site_with(dial_routes=routes) as site:
        async with Sipp("phone_becomes_another", tmp_path, port=site.pbx.trunk_port, **WHO) as callee:
            async with site.phone("1001") as phone:
                call = await phone.call("7001", source=Tone(440))
                await call.wait_for("accepted")
                await talks_to(site, call, DESK)
                await callee.tell()
                await talks_to(site, call, WORKSHOP)
                await call.renew_media()  # another media leg: it tells of us alone
                await talks_to(site, call, WORKSHOP)
                await call.hangup()
                await callee.done()
                assert await recorded(site, call) == ("1001", "7001", *WORKSHOP)


async def test_a_number_of_the_dialplan_is_answered_by_somebody_with_a_name(site: LiveSystem, tmp_path: Path) -> None:
    site.pbx.asterisk.cli('dialplan add extension 888,1,Dial,"PJSIP/7005@trunk" into from-browser replace')
    async with Sipp("phone_becomes_another", tmp_path, port=site.pbx.trunk_port, **WHO) as callee:
        async with site.phone("1001") as phone:
            call = await phone.call("888", source=Tone(440))
            await call.wait_for("accepted")
            await talks_to(site, call, DESK)
            await callee.tell()
            await talks_to(site, call, WORKSHOP)
            await call.hangup()
            await callee.done()
            assert await recorded(site, call) == ("1001", "888", *WORKSHOP)


async def test_a_call_in(site: LiveSystem, tmp_path: Path) -> None:
    async with site.phone("1001") as phone:
        async with Sipp("caller_becomes_another", tmp_path, to=site.pbx.sip_port, **WHO) as caller:
            call = await (await phone.incoming()).answer(Tone(440))
            await call.wait_for("accepted")
            await caller.tell()
            await talks_to(site, call, WORKSHOP)
            await call.hangup()
            await caller.done()
            assert await recorded(site, call) == ("7001", "1001", *WORKSHOP)


async def test_a_number_that_is_what_was_dialled_changes_nothing(site: LiveSystem) -> None:
    async with site.phone("1001") as phone:
        call = await phone.call("601", source=Tone(440))
        await call.received_audio.wait_for_tone(1004)
        await call.renew_media()
        await call.received_audio.wait_for_tone(1004)
        kept = site.app.calls.get(call.id)
        assert (kept.far_number, kept.far_name, call.connected_number) == ("", "", "")
        await call.hangup()
        assert await recorded(site, call) == ("1001", "601", "", "")


async def test_the_other_side_transfers_to_somebody_with_a_name(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    """1001 talks to 1002, who gives the call to the trunk's workshop: 1001 learns with whom it talks now."""
    who: dict[str, Any] = {**WHO, "first": WORKSHOP[0], "first_name": WORKSHOP[1]}
    async with Sipp("phone_becomes_another", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port, **who) as callee:
        async with site.phone("1001") as one, site.phone("1002") as other:
            call = await one.call("1002", source=Tone(440))
            taken = await (await other.incoming()).answer(Tone(900))
            await call.received_audio.wait_for_tone(900)
            await taken.transfer("7002")
            await call.received_audio.wait_for_tone(FAR_TONE)
            await talks_to(site, call, WORKSHOP)
            await callee.tell()  # that it still is the workshop
            await callee.saw("CSeq: 10 UPDATE")
            await call.hangup()
            await callee.done()
            assert await recorded(site, call) == ("1001", "1002", *WORKSHOP)


async def test_a_party_keeps_its_number_and_gets_its_name(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with Sipp("phone_becomes_another", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port, **WHO) as callee:
        async with site.phone("1001") as phone:
            call = await phone.call("601", source=Tone(440))
            await call.wait_for("accepted")
            await call.add_party("7001")
            await call.wait_until(
                lambda: 2 in call.parties and call.parties[2].display_name == "Front desk", "the party's name"
            )
            assert call.parties[2].number == "7001"
            await callee.tell()
            await call.wait_until(lambda: call.parties[2].display_name == "Workshop", "the party's new name")
            assert (call.connected_number, call.parties[2].number) == ("", "7001")
            await call.hangup()
            await callee.done()
