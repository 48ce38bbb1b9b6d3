"""An Asterisk that is slow or stuck is given no new calls, and what ends one is sent all the same."""

import asyncio
import re
import time

import pytest

from ari_bridge.ari import circuit_breaker
from ari_bridge.ari.client import Ari
from ari_bridge.ari.priority_semaphore import CONCURRENCY, Priority
from ari_bridge.errors import PeerTimeout, PeerUnreachable, Unavailable
from tests.component.ari.conftest import Events
from tests.component.conftest import until
from tests.fakes.ari import FakeAri


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait for the real pause."""
    monkeypatch.setattr(circuit_breaker, "FIRST_PAUSE_S", 0.3)


async def stuck(pbx: FakeAri, ari: Ari) -> None:
    """Three set-ups run into their deadline."""
    pbx.hang |= {"channels.create", "bridges.createWithId"}
    attempts = [ari.channels.create(f"far{number}", "PJSIP/1") for number in range(3)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(result) for result in results] == 3 * [PeerTimeout]


async def test_a_stuck_one_gets_no_new_calls_until_a_probe_is_answered(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await stuck(pbx, ari)
    with pytest.raises(Unavailable) as caught:
        ari.check_available()
    assert "3 requests in a row" in caught.value.reason
    assert 0 < caught.value.retry_after < 3
    asked = len(pbx.requests)
    with pytest.raises(PeerUnreachable, match="the circuit breaker is open"):
        await ari.channels.create("late", "PJSIP/1")
    assert len(pbx.requests) == asked, "nothing was sent"
    assert not await ari.channels.hangup("far1"), "a release is sent"
    assert await ari.channels.list() == []
    pbx.hang.clear()
    await until(lambda: ari.unavailable() is None, "the probe")
    await ari.channels.create("next", "PJSIP/1")
    assert ari.connected and pbx.connections == 1


async def test_while_the_probe_is_not_answered_it_stays_shut(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.hang.add("asterisk.getInfo")
    await stuck(pbx, ari)
    await until(lambda: pbx.requests[-1][0] == "asterisk.getInfo", "the first probe")
    await asyncio.sleep(1.2)
    assert ari.unavailable()
    pbx.hang.clear()
    await until(lambda: ari.unavailable() is None, "the second probe")


async def test_another_connection_opens_it_at_once(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.hang.add("asterisk.getInfo")
    await stuck(pbx, ari)
    pbx.hang.clear()
    await pbx.restart()
    await events.connected()
    assert ari.unavailable() is None


async def test_one_that_is_slow_under_load_gets_no_new_calls(
    pbx: FakeAri, ari: Ari, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "SLOW_S", 0.1)
    pbx.slow = 0.15
    attempts = [ari.channels.create(f"far{number}", "PJSIP/1") for number in range(48)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [result for result in results if isinstance(result, PeerUnreachable)]
    assert len(pbx.channels) == 48 - len(refused)
    assert len(pbx.channels) < 2 * CONCURRENCY[Priority.NEW], "those that still waited were not sent any more"
    unavailable = ari.unavailable()
    assert unavailable and re.search(r"takes \d\.\d s for a request", unavailable.reason)
    await until(lambda: ari.unavailable() is None, "it is slow, but answers a probe in time")


async def test_what_waits_too_long_for_its_turn_was_not_sent(pbx: FakeAri, ari: Ari, events: Events) -> None:
    pbx.slow = 0.7
    attempts = [ari.channels.create(f"far{number}", "PJSIP/1") for number in range(20)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(result) for result in results].count(PeerUnreachable) == 4
    assert len(pbx.channels) == 16 == pbx.count("channels.create")
    assert ari.load.under_way == 0 == ari.load.waiting


async def test_a_hang_up_overtakes_set_ups_that_wait(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await ari.channels.create("stands", "PJSIP/1")
    pbx.hang.add("channels.create")
    many = [asyncio.create_task(ari.channels.create(f"far{number}", "PJSIP/1")) for number in range(40)]
    await until(lambda: ari.load.waiting)
    assert ari.load.under_way == CONCURRENCY[Priority.NEW]
    began = time.monotonic()
    assert await ari.channels.hangup("stands")
    assert time.monotonic() - began < 0.5
    for task in many:
        task.cancel()
    await asyncio.gather(*many, return_exceptions=True)
    assert ari.load.under_way == 0 == ari.load.waiting
    assert ari.unavailable() is None, "who gives up tells nothing of Asterisk"


async def test_closing_ends_the_probing(pbx: FakeAri, ari: Ari, events: Events) -> None:
    await stuck(pbx, ari)
    await ari.close()
    asked = len(pbx.requests)
    await asyncio.sleep(0.5)
    assert len(pbx.requests) == asked
