"""Deadlines over kill -9 and a new start, on the real Asterisk and rtpengine; and calls whose media never comes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client import HttpClient
from ari_bridge_client.audio import Silence
from ari_bridge_client.models import CallInfo
from deploy.demo.rtpengine import Rtpengine
from tests.chaos.front_end import FrontEnd
from tests.real.live_system import LiveSystemWith
from tests.real.offer_only_call import OFFER
from tests.real.parts import Pbx, both_versions
from tests.real.sipp import Sipp

pytestmark = pytest.mark.real
RING_SECONDS = 8.0


@pytest.fixture
async def front_end(pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path) -> AsyncIterator[FrontEnd]:
    environment = {
        "ARI_URL": pbx.asterisk.ari_url,
        "ARI_USER": pbx.asterisk.ari_user,
        "ARI_PASSWORD": pbx.asterisk.ari_password,
        "RTPENGINE_NG": rtpengine.ng_address,
        "ENABLE_AUTHENTICATION": "false",
        "DIAL_ROUTES": "7xxx=PJSIP/{target}@trunk",
        "RING_TIMEOUT": f"{RING_SECONDS:g}",
        "SETUP_TIMEOUT": "2",
        "DISCONNECT_GRACE": "2",
    }
    front_end = FrontEnd(tmp_path, environment)
    await front_end.start()
    yield front_end
    await front_end.close()


async def in_state(http: HttpClient, call_id: str, state: str, *, seconds: float = 30.0) -> CallInfo:
    async with asyncio.timeout(seconds):
        async for call in http.watch_call(call_id):
            if call.state == state:
                return call
    raise AssertionError(f"it ended and was never {state}")


@both_versions
async def test_a_phone_rings_as_long_as_is_set_however_often_we_are_killed(
    front_end: FrontEnd, pbx: Pbx, tmp_path: Path
) -> None:
    async with Sipp("phone_never_answers", tmp_path, port=pbx.trunk_port), HttpClient(front_end.url) as http:
        placed = await http.invite("7001", OFFER)
        for _ in range(5):
            await asyncio.sleep(2)
            await front_end.kill()
            await front_end.start()
        call = await in_state(http, placed.call_id, "ended")
        assert call.outcome is Outcome.NO_ANSWER and call.ended_at is not None
        # Each new life once gave all of it anew: five lives, and the whole time after the last of them.
        assert call.ended_at - call.created_at < 2 * RING_SECONDS


@both_versions
async def test_a_call_whose_media_never_comes_ends_also_over_a_restart(front_end: FrontEnd) -> None:
    async with HttpClient(front_end.url) as http:
        placed = await http.invite("601", OFFER)
        await in_state(http, placed.call_id, "accepted")
        await front_end.kill()
        await front_end.start()
        call = await in_state(http, placed.call_id, "ended")
        assert call.outcome is Outcome.FAILED_MEDIA


async def test_media_that_comes_is_no_reason_to_end_a_call_and_media_that_is_gone_is(site_with: LiveSystemWith) -> None:
    async with site_with(setup_timeout=1.0, disconnect_grace=1.0) as site, site.phone("1001") as phone:
        call = await phone.call("601", source=Silence())
        await call.wait_for("accepted")
        await asyncio.sleep(4)
        assert call.state == "accepted"
        # The page is connected, and its sound is gone: as with a browser whose media no longer gets through.
        assert call.media
        await call.media.close()
        await call.wait_for("failed", 10)
        assert call.outcome is Outcome.FAILED_MEDIA
