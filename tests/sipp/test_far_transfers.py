"""A desk phone transfers the caller by its own means (REFER): the page's call goes on with whoever is there then."""

from pathlib import Path

import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client.audio import Tone
from tests.real.live_system import LiveSystem
from tests.real.parts import both_versions
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp
from tests.sipp.conftest import FAR_TONE

pytestmark = pytest.mark.real


@both_versions
async def test_the_phone_gives_its_place_to_another(site: LiveSystem, far: RtpPeer, tmp_path: Path) -> None:
    async with Sipp("phone_refers", tmp_path, port=site.pbx.trunk_port, rtp_port=far.port, refer_to="1002") as callee:
        async with site.phone("1001") as phone, site.phone("1002") as other:
            call = await phone.call("7001", source=Tone(440))
            await call.received_audio.wait_for_tone(FAR_TONE)
            await callee.tell()
            incoming = await other.incoming(timeout=5)
            taken = await incoming.answer(Tone(900))
            await call.received_audio.wait_for_tone(900)
            await taken.received_audio.wait_for_tone(440)
            await callee.done()
            assert not call.ended
            assert call.parties[1].number == "1002"
            await call.hold()  # and all that a call can do
            await taken.received_audio.wait_for_tones(set(), {440, 900})
            await call.unhold()
            await taken.received_audio.wait_for_tone(440)
            await taken.hangup()
            await call.wait_for("ended")
            assert call.outcome is Outcome.COMPLETED
