"""The Asterisk hangs, is restarted, or is cut off: found in time, and told which of them it was."""

import asyncio
import time

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.errors import PeerTimeout, Unavailable
from tests.component.ari.conftest import Events
from tests.component.conftest import until
from tests.fakes.ari import FakeAri


async def lost(ari: Ari, *, seconds: float) -> float:
    """Seconds until the client says that it is not connected. Raises TimeoutError."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while ari.connected:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    return time.monotonic() - began


async def test_a_hang_is_found_within_5_s_and_calls_may_stand_after_it(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await ari.channels.create("far", "PJSIP/1")
    await events.next("StasisStart")
    pbx.freeze()
    assert await lost(ari, seconds=5.0) > 1.5
    assert events.lost == ["it no longer answers our pings"]
    with pytest.raises(Unavailable, match="not connected"):
        ari.check_available()
    pbx.thaw()
    await events.connected()
    assert events.same == [True, True]
    ari.check_available()
    await pbx.end("far")
    await events.next("ChannelDestroyed")


async def test_a_request_to_one_that_hangs_ends_by_its_deadline(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.freeze()
    began = time.monotonic()
    with pytest.raises(PeerTimeout):
        await ari.channels.list()
    assert time.monotonic() - began < 1.5  # its timeout is 1 s
    pbx.thaw()


async def test_a_quiet_stream_that_answers_pings_stands(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await asyncio.sleep(5.0)
    assert ari.connected and pbx.connections == 1 and not events.lost


async def test_a_restart_is_found_at_once_and_told(pbx: FakeAri, ari: Ari, events: Events) -> None:
    before = ari.startup_time
    await ari.channels.create("far", "PJSIP/1")
    await pbx.kill()
    assert await lost(ari, seconds=1.0) < 0.5
    await pbx.start()
    await events.connected()
    assert events.same == [True, False]
    assert ari.startup_time != before
    assert not await ari.channels.list()


async def test_a_stream_that_was_only_cut_is_the_same_asterisk(pbx: FakeAri, ari: Ari, events: Events) -> None:
    described = pbx.count("api-docs")
    await pbx.drop_stream()
    await events.connected()
    assert events.same == [True, True]
    assert pbx.count("api-docs") == described, "what its ARI can do is not read again"


async def test_the_same_asterisk_after_a_restart_is_the_same_again(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await pbx.restart()
    await events.connected()
    await until(lambda: ari.connected)
    await pbx.drop_stream()
    await events.connected()
    assert events.same == [True, False, True]


async def test_a_restart_is_told_again_where_the_stream_was_lost_before_all_were_told(pbx: FakeAri, ari: Ari) -> None:
    cut = asyncio.Event()

    async def slow_listener() -> None:
        if ari.pbx_restarted and not cut.is_set():
            cut.set()
            await asyncio.Event().wait()

    ari.on_connect(slow_listener)
    events = Events(ari)
    await ari.start()
    await events.connected()
    await pbx.restart()
    await asyncio.wait_for(cut.wait(), 5)
    assert events.same == [True], "the second listener waits for the first"
    for told in (2, 3):
        await pbx.drop_stream()
        await until(lambda told=told: len(events.same) == told)  # type: ignore[misc]
    assert events.same == [True, False, True]


async def test_a_listener_that_fails_is_told_once(pbx: FakeAri, ari: Ari) -> None:
    """Else a lost stream would end the calls that were begun since the restart."""
    events = Events(ari)

    async def failing_listener() -> None:
        raise RuntimeError("a listener of the test")

    ari.on_connect(failing_listener)
    await ari.start()
    await events.connected()
    await pbx.restart()
    await events.connected()
    await pbx.drop_stream()
    await events.connected()
    assert events.same == [True, False, True]


@pytest.mark.parametrize(
    ("startup_time", "same"), [("", True), ("2026-01-01T00:00:01.000+0000", True), ("other", False)]
)
async def test_a_new_process_tells_by_the_identity_that_it_kept(pbx: FakeAri, startup_time: str, same: bool) -> None:
    ari = Ari(pbx.url, pbx.user, pbx.password, "ari-bridge", startup_time=startup_time)
    events = Events(ari)
    await ari.start()
    await events.connected()
    assert events.same == [same]
    await ari.close()


async def test_before_the_first_connect_it_is_unavailable(ari: Ari) -> None:
    unavailable = ari.unavailable()
    assert unavailable and unavailable.retry_after > 0 and unavailable.code == "unavailable"
