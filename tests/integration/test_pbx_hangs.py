"""A real Asterisk that hangs, or is killed and started again, seen from the ARI client."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.ari.events import AriEvent
from ari_bridge.errors import PeerError, Unavailable
from deploy.demo.asterisk import Asterisk
from tests.real.parts import VERSIONS, new_pbx

pytestmark = pytest.mark.real

FOUND_SECONDS = 5.0
"""The promise: a hang is found by then."""


class Pbx:
    """An Asterisk of this test's own and a client of it; `same`: whether it was the same one at each connect."""

    def __init__(self, asterisk: Asterisk, ari: Ari, report: Callable[[str, float], None]) -> None:
        self.asterisk = asterisk
        self.ari = ari
        self.report = report
        self.same: list[bool] = []
        self.events: asyncio.Queue[AriEvent] = asyncio.Queue()
        ari.on_event(self.events.put_nowait)
        ari.on_connect(self._connected)

    async def _connected(self) -> None:
        self.same.append(not self.ari.pbx_restarted)

    def send(self, number: signal.Signals) -> None:
        os.kill(self.asterisk.pid, number)

    async def event(self, type: str) -> None:
        async with asyncio.timeout(5):
            while (await self.events.get()).type != type:
                pass

    async def measure(self, what: str, condition: Callable[[], object], *, within: float) -> None:
        """Seconds until `condition` is true, for the report. Fails the test after `within`."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(within):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
        except TimeoutError:
            pytest.fail(f"not {what} within {within:g} s")
        self.report(what, time.monotonic() - began)


@pytest.fixture(params=VERSIONS)
async def pbx(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> AsyncIterator[Pbx]:
    version: str = request.param

    def report(what: str, seconds: float) -> None:
        record_property(what, seconds)
        with capsys.disabled():
            os.write(1, f"\n  Asterisk {version}: {what} {seconds:.3f} s".encode())

    asterisk = new_pbx(tmp_path, version).asterisk
    await asyncio.to_thread(asterisk.start)
    ari = Ari(asterisk.ari_url, asterisk.ari_user, asterisk.ari_password, "ari-hang-test")
    pbx = Pbx(asterisk, ari, report)
    await ari.start()
    try:
        await pbx.measure("first connected", lambda: pbx.same, within=10)
        yield pbx
    finally:
        await ari.close()
        asterisk.stop()


async def test_a_hang_is_found_in_time_and_calls_live_through_it(pbx: Pbx) -> None:
    ari = pbx.ari
    await ari.channels.create("stands", "Local/603@from-browser")
    await pbx.event("StasisStart")
    pbx.send(signal.SIGSTOP)
    try:
        await pbx.measure("lost after SIGSTOP", lambda: not ari.connected, within=FOUND_SECONDS)
        with pytest.raises(Unavailable):
            ari.check_available()
        began = time.monotonic()
        with pytest.raises(PeerError):
            await ari.channels.list()
        assert time.monotonic() - began < FOUND_SECONDS
        await asyncio.sleep(1.0)  # into the next try to connect, or the pause before it
    finally:
        pbx.send(signal.SIGCONT)
    await pbx.measure("connected again after SIGCONT", lambda: len(pbx.same) == 2, within=5)
    assert pbx.same == [True, True]
    ari.check_available()
    assert await ari.channels.get("stands")
    assert await ari.channels.hangup("stands")
    await pbx.event("ChannelDestroyed")


async def test_a_short_hang_is_no_loss(pbx: Pbx) -> None:
    pbx.send(signal.SIGSTOP)
    await asyncio.sleep(1.0)
    pbx.send(signal.SIGCONT)
    await asyncio.sleep(2.0)
    assert pbx.ari.connected and pbx.same == [True]


async def test_a_killed_one_is_found_at_once_and_its_successor_is_known_for_another(pbx: Pbx) -> None:
    ari = pbx.ari
    await ari.bridges.create("before")
    await ari.channels.create("before", "Local/603@from-browser")
    pbx.send(signal.SIGKILL)
    await pbx.measure("lost after kill -9", lambda: not ari.connected, within=1.0)
    with pytest.raises(PeerError):
        await ari.channels.hangup("before")
    pbx.asterisk.stop()
    await asyncio.to_thread(pbx.asterisk.start)
    await pbx.measure("connected after the start", lambda: len(pbx.same) == 2, within=5)
    assert pbx.same == [True, False]
    assert await ari.channels.list() == [] == await ari.bridges.list()
    await ari.channels.create("after", "Local/603@from-browser")
    while not pbx.events.empty():
        pbx.events.get_nowait()
    assert await ari.channels.hangup("after")
    await pbx.event("ChannelDestroyed")


async def test_a_stream_that_was_cut_is_the_same_asterisk(pbx: Pbx) -> None:
    """Another client of the same application takes the stream over: it is taken back."""
    asterisk = pbx.asterisk
    login = aiohttp.encode_basic_auth(asterisk.ari_user, asterisk.ari_password)
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as rival,
        rival.ws_connect(f"{asterisk.ari_url}/events?app=ari-hang-test"),
    ):
        await pbx.event("ApplicationReplaced")
    await pbx.measure("taken back", lambda: len(pbx.same) == 2, within=5)
    assert pbx.same == [True, True]
