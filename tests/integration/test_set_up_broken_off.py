"""Whatever breaks a set-up off, nothing of the call is left: the `site` fixture looks, at the end of each test."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from ari_bridge.ari.events import AriEvent, StasisStart
from ari_bridge.outcomes import Outcome
from tests.real.live_system import LiveSystem, LiveSystemWith, live_system
from tests.real.offer_only_call import OfferOnlyCall
from tests.real.parts import Pbx, new_rtpengine

pytestmark = pytest.mark.real


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 4, 8, 16, 32, 64, 250])
@pytest.mark.parametrize("target", ["601", "603"])
async def test_hang_up_in_the_middle(site: LiveSystem, target: str, milliseconds: int) -> None:
    placed = OfferOnlyCall(site.app.calls, target)
    await asyncio.sleep(milliseconds / 1000)
    site.app.calls.hangup(placed.id)
    call = await placed.ended()
    assert call.outcome is not None and call.outcome.value in ("cancelled", "completed")
    assert placed.states.count("ending") == 1


async def test_hang_up_of_twenty_at_once_each_at_another_moment(site: LiveSystem) -> None:
    async def one(milliseconds: int) -> None:
        placed = OfferOnlyCall(site.app.calls, "601")
        await asyncio.sleep(milliseconds / 1000)
        site.app.calls.hangup(placed.id)
        await placed.ended()

    await asyncio.gather(*(one(milliseconds) for milliseconds in range(20)))


@pytest.mark.parametrize("kind", ["em", "far"])
async def test_a_channel_that_dies_in_the_middle(site: LiveSystem, kind: str) -> None:
    """It is hung up by another the moment it comes."""
    hangups: list[asyncio.Task[bool]] = []

    def listener(event: AriEvent) -> None:
        if isinstance(event, StasisStart) and event.channel.id.endswith(f"-{kind}"):
            hangups.append(asyncio.ensure_future(site.app.ari.channels.hangup(event.channel.id)))

    site.app.ari.on_event(listener)
    placed = OfferOnlyCall(site.app.calls, "603")
    call = await placed.ended()
    await asyncio.gather(*hangups)
    assert hangups
    assert call.outcome is not None and call.outcome.value != "completed"


async def test_a_far_channel_that_is_refused(site_with: LiveSystemWith) -> None:
    async with site_with(dial_routes="9xxx=NoSuchTechnology/{target}") as site:
        call = await OfferOnlyCall(site.app.calls, "9001").ended()
        assert call.outcome is not None and call.outcome.value in ("unreachable", "failed_pbx")


async def test_a_number_that_the_dialplan_does_not_know(site: LiveSystem) -> None:
    call = await OfferOnlyCall(site.app.calls, "5555").ended()
    assert call.outcome is not None and call.outcome.value == "unreachable"


@pytest.mark.parametrize("moment", ["before", "em", "far"])
async def test_rtpengine_killed(pbx: Pbx, tmp_path: Path, moment: str) -> None:
    """`moment`: before the call, or when that channel comes."""
    with new_rtpengine(tmp_path) as rtpengine:
        pid = rtpengine.pid

        def listener(event: AriEvent) -> None:
            if isinstance(event, StasisStart) and event.channel.id.endswith(f"-{moment}"):
                os.kill(pid, signal.SIGKILL)

        async with live_system(pbx, rtpengine, rtpengine_timeout=0.5, setup_timeout=2) as site:
            site.app.ari.on_event(listener)
            if moment == "before":
                os.kill(pid, signal.SIGKILL)
            placed = OfferOnlyCall(site.app.calls, "601")
            async with asyncio.timeout(10):
                while placed.call.state.live and not placed.call.answer:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            # Once the answer is made rtpengine is needed no more to set up.
            if placed.call.state.live:
                assert moment != "before"
                site.app.calls.hangup(placed.id)
            else:
                assert (await placed.ended()).outcome is Outcome.FAILED_MEDIA
            # What was asked of a dead rtpengine is tried some seconds before it is given up.
            async with asyncio.timeout(10):
                while site.app.calls.get(placed.id).state.value != "ended":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)


async def test_asterisk_console_hangs_up_everything_in_the_middle(site_with: LiveSystemWith) -> None:
    # Of a channel that ends before it has entered our application Asterisk may tell nothing: the set-up's time is over.
    async with site_with(setup_timeout=2, ring_timeout=3) as site:
        placed = [OfferOnlyCall(site.app.calls, "603") for _ in range(5)]
        await asyncio.to_thread(site.pbx.asterisk.cli, "channel request hangup all")
        for each in placed:
            await each.ended()
