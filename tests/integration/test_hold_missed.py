"""The caller holds, or takes the call up again, while the front end is down: the next one knows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ari_bridge_client import Client
from ari_bridge_client.audio import Tone
from deploy.demo.rtpengine import Rtpengine
from tests.chaos.front_end import FrontEnd
from tests.real.parts import Pbx, both_versions
from tests.real.rtp import RtpPeer
from tests.real.sipp import Sipp

pytestmark = pytest.mark.real
FAR_TONE, PAGE_TONE = 700.0, 440.0


@pytest.fixture
async def front_end(pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path) -> AsyncIterator[FrontEnd]:
    environment = {
        "ARI_URL": pbx.asterisk.ari_url,
        "ARI_USER": pbx.asterisk.ari_user,
        "ARI_PASSWORD": pbx.asterisk.ari_password,
        "RTPENGINE_NG": rtpengine.ng_address,
        "ENABLE_AUTHENTICATION": "false",
    }
    front_end = FrontEnd(tmp_path, environment)
    await front_end.start()
    yield front_end
    await front_end.close()


@both_versions
async def test_a_hold_that_nobody_saw_is_learnt(front_end: FrontEnd, pbx: Pbx, tmp_path: Path) -> None:
    async with RtpPeer(FAR_TONE) as far, Client(front_end.ws_url, user="1001") as phone:
        async with Sipp("caller_holds", tmp_path, to=pbx.sip_port, rtp_port=far.port) as caller:
            call = await (await phone.incoming(timeout=5)).answer(Tone(PAGE_TONE))
            await call.received_audio.wait_for_tone(FAR_TONE)
            for lives, held in enumerate((True, False), start=1):
                await front_end.kill()
                await caller.tell()
                await caller.saw(f"CSeq: {lives + 1} ACK")  # the re-INVITE is through
                await front_end.start()
                await phone.wait_connected(15, after=lives)
                await call.wait_until(lambda: call.held_by_far is held, f"held by far: {held}", 5)  # noqa: B023  awaited
            await call.hangup()
