"""`ari-bridge doctor --reconcile` with real parts: it tells what a start would do, and touches nothing."""

import asyncio
from pathlib import Path

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.fsm.call import CallState
from deploy.demo.rtpengine import Rtpengine
from frontend.app import App
from frontend.cli.reconcile import reconcile
from frontend.settings import Settings
from tests.real.live_system import LiveSystem, connected, settings
from tests.real.offer_only_call import OfferOnlyCall
from tests.real.parts import Pbx

pytestmark = pytest.mark.real


async def left_behind(wanted: Settings, call_id: str) -> None:
    """A server that talks, and is gone."""
    app = App(wanted)
    await app.start()
    await connected(app)
    placed = OfferOnlyCall(app.calls, "601", call_id=call_id)
    async with asyncio.timeout(5):
        while placed.call.state is not CallState.UP:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await app.close()


async def hang_up(wanted: Settings, channel: str) -> None:
    ari = Ari(wanted.ari_url, wanted.ari_user, wanted.ari_password, wanted.ari_app)
    try:
        await ari.open()
        assert await ari.channels.hangup(channel)
    finally:
        await ari.close()


async def test_it_tells_and_touches_nothing_until_it_is_told_to(
    pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = settings(pbx, rtpengine, state_dir=tmp_path / "known")
    forgotten = settings(pbx, rtpengine, state_dir=tmp_path / "forgotten")
    await left_behind(known, "goeson")
    await left_behind(forgotten, "nobodys")
    await hang_up(forgotten, "nobodys-far")  # a talk would be kept

    assert await asyncio.to_thread(reconcile, known, apply=False) == 0
    told = capsys.readouterr().out
    assert "goeson" in told and "goes on" in told
    assert all(name in told for name in ("nobodys-em", "nobodys-br")) and "Nothing was touched" in told

    app = App(known)
    site = LiveSystem(pbx, rtpengine, app)
    assert len([line for line in await site.leftovers() if "console" in line]) >= 3

    assert await asyncio.to_thread(reconcile, known, apply=True) == 0
    assert "nobodys-em" in capsys.readouterr().out
    await app.start()
    try:
        await connected(app)
        async with asyncio.timeout(5):
            while not app.calls.live():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert [call.id for call in app.calls.live()] == ["goeson"]
        left = await site.leftovers()
        assert not [line for line in left if "nobodys" in line]
        app.calls.hangup("goeson")
        await site.require_nothing_left()
    finally:
        await app.close()


async def test_nothing_stands(
    pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(reconcile, settings(pbx, rtpengine, state_dir=tmp_path), apply=False) == 0
    assert "There are no resources of this application" in capsys.readouterr().out


async def test_a_pbx_that_is_not_there_is_told(
    pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = settings(pbx, rtpengine, state_dir=tmp_path, ari_url="http://127.0.0.1:9/ari")
    assert await asyncio.to_thread(reconcile, wrong, apply=False) == 1
    assert "cannot be reached" in capsys.readouterr().err
