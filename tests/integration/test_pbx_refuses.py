"""An Asterisk that answers, and does not do as it is asked: told by `/health`, and to who calls."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest

from ari_bridge.errors import Unavailable
from ari_bridge.fsm.notifications import StateChanged
from ari_bridge.ids import leg_number
from ari_bridge.outcomes import Detail
from ari_bridge_client.audio import Silence, Tone
from deploy.demo.rtpengine import Rtpengine
from tests.integration.test_parts_missing import health
from tests.real.live_system import LiveSystem, live_system
from tests.real.offer_only_call import OfferOnlyCall
from tests.real.parts import VERSIONS, Pbx, new_pbx

pytestmark = pytest.mark.real


@pytest.fixture(params=VERSIONS, ids=[f"asterisk-{one}" for one in VERSIONS])
def own_pbx(request: pytest.FixtureRequest, tmp_path: Path) -> Pbx:
    """One that the test may spoil; not started."""
    return new_pbx(tmp_path, request.param)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def cli(pbx: Pbx, command: str) -> str:
    return await asyncio.to_thread(pbx.asterisk.cli, command)


async def media_channels(site: LiveSystem) -> list[str]:
    """The channels through which our pages are heard."""
    found = [channel.id for channel in await site.app.ari.channels.list()]
    return sorted(one for one in found if leg_number(one))


@contextmanager
def another_password(pbx: Pbx) -> Iterator[None]:
    """In its ari.conf: it holds once that is reloaded."""
    path = pbx.asterisk.home / "etc" / "ari.conf"
    text = path.read_text()
    path.write_text(text.replace(pbx.asterisk.ari_password, "another"))
    try:
        yield
    finally:
        path.write_text(text)


async def health_says(site: LiveSystem, status: str, words: str = "") -> None:
    async with asyncio.timeout(15):
        while True:
            _, body = await health(site.app)
            if body["status"] == status and words in str(body["checks"]["pbx"]):
                return
            await asyncio.sleep(0.1)


async def calls_again(site: LiveSystem) -> None:
    async with site.phone() as phone:
        call = await phone.call("601", source=Silence())
        await call.received_audio.wait_for_tone(1004.0)
        await call.hangup()


async def test_a_restart_that_is_pending_is_told_and_taken_back(own_pbx: Pbx, rtpengine: Rtpengine) -> None:
    with own_pbx.asterisk:
        async with live_system(own_pbx, rtpengine, pbx_check_interval=1) as site, site.phone() as phone:
            call = await phone.call("601", source=Silence())
            await call.received_audio.wait_for_tone(1004.0)
            pending = asyncio.create_task(cli(own_pbx, "core restart gracefully"))
            await health_says(site, "degraded", "restart or stop is pending")
            with pytest.raises(Unavailable) as refused:
                OfferOnlyCall(site.app.calls, "601")
            assert refused.value.detail is Detail.PBX_RESTARTS
            call.received_audio.analyze()
            await cli(own_pbx, "core abort shutdown")
            await pending
            await health_says(site, "ok")
            await call.hangup()
            await calls_again(site)


async def test_while_a_restart_is_pending_new_pages_are_heard_by_the_leg_that_stands(
    own_pbx: Pbx, rtpengine: Rtpengine
) -> None:
    """As where a page is reloaded, twice, and each time offers anew: Asterisk makes no channel for it."""
    with own_pbx.asterisk:
        async with AsyncExitStack() as stack:
            site = await stack.enter_async_context(live_system(own_pbx, rtpengine, pbx_check_interval=1))
            pages = [await stack.enter_async_context(site.phone("1001")) for _ in range(4)]
            call = await pages[0].call("600", source=Tone(700))
            await call.wait_for("accepted")
            await call.received_audio.wait_for_tone(700)
            [channel] = await media_channels(site)
            pending = asyncio.create_task(cli(own_pbx, "core restart gracefully"))
            await health_says(site, "degraded", "restart or stop is pending")
            for phone, hz in ((pages[1], 900), (pages[2], 500)):
                page = await phone.take_over(call.id, Tone(hz))
                await page.received_audio.wait_for_tone(hz, 10)  # through the echo: both ways
                assert await media_channels(site) == [channel]
                assert len(await site.media_sessions()) == 1
            await page.hold()
            await page.received_audio.wait_for_silence()
            await page.unhold()
            await page.received_audio.wait_for_tone(500)
            await cli(own_pbx, "core abort shutdown")
            await pending
            await health_says(site, "ok")
            page = await pages[3].take_over(call.id, Tone(1200))  # by a leg of its own again
            await page.received_audio.wait_for_tone(1200, 10)
            assert await media_channels(site) != [channel]
            await page.hangup()
            async with asyncio.timeout(10):
                while await site.media_sessions() or await media_channels(site):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)


async def test_chan_rtp_that_is_missing_is_told_and_loaded(own_pbx: Pbx, rtpengine: Rtpengine) -> None:
    with own_pbx.asterisk:
        async with live_system(own_pbx, rtpengine, pbx_check_interval=1) as site:
            await cli(own_pbx, "module unload chan_rtp.so")
            await health_says(site, "unavailable", "module load chan_rtp")
            with pytest.raises(Unavailable) as refused:
                OfferOnlyCall(site.app.calls, "601")
            assert refused.value.detail is Detail.PBX_REFUSES
            await cli(own_pbx, "module load chan_rtp.so")
            await health_says(site, "ok")
            await calls_again(site)


async def test_a_dial_context_that_is_not_there_is_told(own_pbx: Pbx, rtpengine: Rtpengine) -> None:
    with own_pbx.asterisk:
        async with live_system(own_pbx, rtpengine, dial_context="from-nowhere", pbx_check_interval=1) as site:
            await health_says(site, "degraded", "no context from-nowhere")
            with pytest.raises(Unavailable) as refused:
                OfferOnlyCall(site.app.calls, "601")
            assert refused.value.detail is Detail.NO_ROUTE


async def test_a_password_that_was_changed_lets_nothing_be_told_as_done(own_pbx: Pbx, rtpengine: Rtpengine) -> None:
    with own_pbx.asterisk:
        async with live_system(own_pbx, rtpengine, pbx_check_interval=1) as site:
            placed = OfferOnlyCall(site.app.calls, "601")
            await until(lambda: placed.call.state.value == "accepted")
            told: list[Detail | None] = []
            site.app.calls.watch(
                placed.id,
                lambda call, notification: (
                    told.append(call.cause.detail) if isinstance(notification, StateChanged) and call.cause else None
                ),
            )
            with another_password(own_pbx):
                await cli(own_pbx, "module reload res_ari")
                site.app.calls.control.hold(placed.id, True)
                await until(lambda: not site.app.calls.get(placed.id).held)
                with pytest.raises(Unavailable):
                    OfferOnlyCall(site.app.calls, "601")
                assert (await health(site.app))[0] == 503
                site.app.calls.hangup(placed.id)
                await until(lambda: Detail.STILL_CONNECTED in told)
            await cli(own_pbx, "module reload res_ari")
            await until(lambda: told[-1] is None, 20)
            await until(lambda: site.app.ari.unavailable() is None)
            await calls_again(site)
