"""Whether the PBX can do what a call needs: tried now and then, and at once when it has refused something."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.ari.readiness import Readiness
from ari_bridge.errors import PeerRefused
from ari_bridge.outcomes import Detail
from tests.component.ari.conftest import Events
from tests.component.conftest import until
from tests.fakes.ari import FakeAri


@pytest.fixture
async def readiness(ari: Ari, events: Events) -> AsyncIterator[Readiness]:
    """It tries once at its start, and then not for an hour."""
    readiness = Readiness(ari, "from-browser", 3600.0)
    await readiness.start()
    yield readiness
    await readiness.close()


async def test_what_is_well_is_tried_once(pbx: FakeAri, readiness: Readiness) -> None:
    await asyncio.sleep(0.5)
    assert not readiness.reason and not pbx.channels


async def test_a_request_that_is_refused_makes_it_try_again_at_once(
    pbx: FakeAri, ari: Ari, readiness: Readiness
) -> None:
    await asyncio.sleep(0.3)
    pbx.refuse["channels.externalMedia"] = pbx.refuse["channels.create"] = 500
    with pytest.raises(PeerRefused):
        await ari.channels.create("CALL-far", "PJSIP/7001@trunk")
    await until(lambda: "makes no channels" in readiness.reason)
    assert ari.blocked is not None


async def test_a_4xx_says_nothing_of_the_pbx(pbx: FakeAri, ari: Ari, readiness: Readiness) -> None:
    await asyncio.sleep(0.3)
    pbx.refuse["channels.externalMedia"] = 500
    pbx.refuse["channels.create"] = 400
    with pytest.raises(PeerRefused):
        await ari.channels.create("CALL-far", "PJSIP/7001@trunk")
    await asyncio.sleep(0.5)
    assert not readiness.reason


async def test_it_is_well_again_soon(pbx: FakeAri, ari: Ari, readiness: Readiness) -> None:
    await test_a_request_that_is_refused_makes_it_try_again_at_once(pbx, ari, readiness)
    pbx.refuse.clear()
    await until(lambda: not readiness.reason)
    assert ari.blocked is None


async def test_it_is_tried_after_each_connect(pbx: FakeAri) -> None:
    pbx.refuse["channels.externalMedia"] = pbx.refuse["channels.create"] = 503
    ari = Ari(pbx.url, pbx.user, pbx.password, "ari-bridge", timeout=0.5)
    readiness = Readiness(ari, "", 3600.0)
    await readiness.start()
    await asyncio.sleep(0)  # it finds that nothing is connected
    try:
        await ari.start()
        await until(lambda: ari.blocked, "what the first connect shows")
    finally:
        await readiness.close()
        await ari.close()


async def test_a_restart_that_was_pending_and_is_over_refuses_no_call(
    pbx: FakeAri, ari: Ari, readiness: Readiness
) -> None:
    await test_a_request_that_is_refused_makes_it_try_again_at_once(pbx, ari, readiness)
    refused = ari.unavailable()
    assert refused and refused.detail is Detail.PBX_RESTARTS
    await readiness.close()  # no try of the next one clears it
    await pbx.restart()
    await until(lambda: ari.pbx_restarted and ari.connected, "the next one")
    assert ari.unavailable() is None
