"""An rtpengine dies: Asterisk offers anew to each SIP client, so that the edge can find it another one."""

from pathlib import Path

import pytest

from tests.real.live_system import live_system
from tests.real.parts import Pbx, both_versions, new_rtpengine
from tests.real.rtp import RtpPeer
from tests.sipp.conftest import FAR_TONE
from tests.sipp.test_direct_out import CLIENT_TONE, OK, phone, sip_client, the_call

pytestmark = [pytest.mark.real, both_versions]


async def test_the_client_gets_a_re_invite_and_hears_on(pbx: Pbx, far: RtpPeer, tmp_path: Path) -> None:
    with new_rtpengine(tmp_path / "rtpengine") as rtpengine:
        async with (
            live_system(pbx, rtpengine) as site,
            phone(site, tmp_path, "phone_answers", far) as callee,
            sip_client(site, tmp_path, "caller_is_reinvited") as client,
        ):
            call = await the_call(site, "accepted")
            await client.sipp.saw(OK)
            client.speak()
            await client.hears(FAR_TONE)
            rtpengine.stop()
            await client.sipp.saw("INVITE sip:1001@", seconds=8)
            client.peer.forget()
            await client.hears(FAR_TONE)
            await (await far.stream()).heard.wait_for_tone(CLIENT_TONE)
            site.app.calls.hangup(call.id)
            await client.sipp.done()
            await callee.done()
