"""Asterisk or rtpengine is not there, or does not let us in: said by `/health`, and calls fail quickly and cleanly."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.errors import Unavailable
from ari_bridge.outcomes import Outcome
from deploy.demo.rtpengine import Rtpengine
from frontend.app import App
from tests.real.live_system import LiveSystem, connected, settings
from tests.real.offer_only_call import OfferOnlyCall
from tests.real.parts import Pbx, new_pbx, new_rtpengine

pytestmark = pytest.mark.real


async def health(app: App) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(f"{app.url}/health") as response:
        return response.status, await response.json()


async def health_is(app: App, status: int, *, seconds: float = 10.0) -> dict[str, Any]:
    """The health once it has this status. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            seen, body = await health(app)
            if seen == status:
                return body
            await asyncio.sleep(0.05)


async def test_all_there(site: LiveSystem) -> None:
    status, body = await health(site.app)
    assert status == 200
    assert body["checks"]["ari"]["version"].startswith("16.28")


async def test_a_wrong_ari_password_is_named_and_calls_fail(pbx: Pbx, rtpengine: Rtpengine) -> None:
    app = App(settings(pbx, rtpengine, ari_password="wrong"))
    await app.start()
    try:
        async with asyncio.timeout(5):
            while "401" not in app.ari.failure:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        status, body = await health(app)
        assert status == 503
        assert "401" in body["checks"]["ari"]["reason"]
        assert body["checks"]["rtpengine"]["ok"]
        assert "wrong" not in str(body)
        with pytest.raises(Unavailable):
            OfferOnlyCall(app.calls, "601")
    finally:
        await app.close()


async def test_asterisk_comes_later_goes_and_comes_back(rtpengine: Rtpengine, tmp_path: Path) -> None:
    pbx = new_pbx(tmp_path)
    app = App(settings(pbx, rtpengine))
    await app.start()
    try:
        body = await health_is(app, 503)
        assert body["checks"]["ari"]["reason"]
        with pytest.raises(Unavailable):
            OfferOnlyCall(app.calls, "601")
        with pbx.asterisk:
            await health_is(app, 200)
            placed = OfferOnlyCall(app.calls, "603")
            async with asyncio.timeout(5):
                while placed.call.state.value != "ringing":  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            os.kill(pbx.asterisk.pid, signal.SIGKILL)
            await health_is(app, 503)
        with pbx.asterisk:
            await connected(app, seconds=10)
            call = await placed.ended()
            assert call.outcome is Outcome.FAILED_PBX
            site = LiveSystem(pbx, rtpengine, app)
            second = OfferOnlyCall(app.calls, "603")
            async with asyncio.timeout(5):
                while second.call.state.value != "ringing":  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            app.calls.hangup(second.id)
            await second.ended()
            await site.require_nothing_left()
    finally:
        await app.close()


async def test_rtpengine_comes_later(pbx: Pbx, tmp_path: Path) -> None:
    rtpengine = new_rtpengine(tmp_path)
    app = App(settings(pbx, rtpengine, rtpengine_timeout=0.5))
    await app.start()
    try:
        await connected(app)
        status, body = await health(app)
        assert status == 503
        assert body["checks"]["ari"]["ok"] and body["checks"]["rtpengine"]["reason"]
        call = await OfferOnlyCall(app.calls, "601").ended()
        assert call.outcome is Outcome.FAILED_MEDIA
        with rtpengine:
            await health_is(app, 200)
            placed = OfferOnlyCall(app.calls, "601")
            async with asyncio.timeout(5):
                while placed.call.state.value != "accepted":  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            app.calls.hangup(placed.id)
            await placed.ended()
            await LiveSystem(pbx, rtpengine, app).require_nothing_left()
    finally:
        await app.close()
