"""Whether calls can be made: what was found out of one Asterisk says nothing of the next one."""

from collections.abc import AsyncIterator

import pytest

from ari_bridge.ari import readiness
from ari_bridge.ari.client import Ari
from ari_bridge.ari.readiness import Readiness
from ari_bridge.outcomes import Detail
from tests.component.conftest import until
from tests.fakes.ari import FakeAri

MAKING = ("channels.externalMedia", "channels.create")


@pytest.fixture
async def client(fake_ari: FakeAri) -> AsyncIterator[Ari]:
    client = Ari(fake_ari.url, fake_ari.user, fake_ari.password, "ari-bridge", timeout=0.5)
    yield client
    await client.close()


@pytest.fixture
async def looking(client: Ari, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Readiness]:
    """It looks after a connect, and never again."""
    monkeypatch.setattr(readiness, "SECONDS", 3600.0)
    monkeypatch.setattr(readiness, "TROUBLED_SECONDS", 3600.0)
    looking = Readiness(client, "")
    await looking.start()
    yield looking
    await looking.close()


async def test_it_is_looked_at_after_each_connect(client: Ari, looking: Readiness, fake_ari: FakeAri) -> None:
    fake_ari.refuse |= dict.fromkeys(MAKING, 503)
    await client.start()
    await until(lambda: client.blocked, "the first look")
    fake_ari.refuse.clear()
    await fake_ari.drop_stream()
    await until(lambda: not looking.reason, "the look at the same one again")
    assert client.unavailable() is None


async def test_a_restart_that_was_pending_and_is_over_refuses_no_call(
    client: Ari, looking: Readiness, fake_ari: FakeAri
) -> None:
    fake_ari.refuse |= dict.fromkeys(MAKING, 503)
    await client.start()
    await until(lambda: client.blocked, "the first look")
    refused = client.unavailable()
    assert refused and refused.detail is Detail.PBX_RESTARTS
    await looking.close()  # whatever is seen later
    await fake_ari.restart()
    await until(lambda: not client.same_pbx and client.connected, "the next one")
    assert client.unavailable() is None
