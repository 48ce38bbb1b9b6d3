"""A call is answered, and the server is killed some milliseconds later: it is answered all the same, and heard."""

import asyncio
from pathlib import Path

import pytest

from ari_bridge_client import Client
from ari_bridge_client.audio import Tone
from tests.chaos.front_end import FrontEnd
from tests.real.parts import Pbx, both_versions
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

pytestmark = pytest.mark.real
FAR_TONE, PAGE_TONE = 700.0, 440.0


@both_versions
@pytest.mark.parametrize("milliseconds", [0, 8, 14, 20])
async def test_the_caller_is_talked_to(front_end: FrontEnd, pbx: Pbx, tmp_path: Path, milliseconds: int) -> None:
    async with RtpPeer(FAR_TONE) as far, Client(front_end.ws_url, user="1001") as phone:
        async with Sipp("caller_stays", tmp_path, to=pbx.sip_port, rtp_port=far.port):
            ringing = await phone.incoming(timeout=5)
            answering = asyncio.create_task(ringing.answer(Tone(PAGE_TONE)))
            await asyncio.sleep(milliseconds / 1000)
            await front_end.kill()
            await front_end.start()
            call = await answering
            await call.wait_for("accepted", 5)
            assert ringing.stop_reason == "accepted"
            await call.received_audio.wait_for_tone(FAR_TONE)
            await phone.wait_connected(15, after=1)  # where the answer came before the kill, it is made anew only now
            await call.hangup()
