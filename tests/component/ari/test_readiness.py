"""Whether the PBX can do what a call needs: tried now and then, and at once when it has refused something."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ari_bridge.ari.client import Ari
from ari_bridge.ari.readiness import Readiness
from ari_bridge.errors import PeerRefused
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
