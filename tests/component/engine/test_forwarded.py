"""Callers whom no page takes go where the user wants them, also when the front end is another one by then."""

from pathlib import Path

import pytest

from ari_bridge.engine.limits import Limits
from ari_bridge.preferences.ring_decision import RingDecision
from tests.component.conftest import Engine, an_engine, until
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine

FORWARDED = {
    "ARI_BRIDGE_STATUS": "FORWARD",
    "ARI_BRIDGE_FORWARD": "200",
    "__ARI_BRIDGE_ON_BEHALF_OF": "1001",
    "__ARI_BRIDGE_KIND": "forward",
}


@pytest.mark.parametrize(
    ("reach", "told"),
    [
        (RingDecision(status="DND"), {"ARI_BRIDGE_STATUS": "DND"}),
        (RingDecision(status="FORWARD", forward="200"), FORWARDED),
        (RingDecision(status="VOICEMAIL", forward="voicemail"), {"ARI_BRIDGE_STATUS": "VOICEMAIL"}),
    ],
)
async def test_the_dialplan_is_told_before_anything_rings(
    engine: Engine, fake_ari: FakeAri, reach: RingDecision, told: dict[str, str]
) -> None:
    engine.pages.reach = reach
    await fake_ari.call_in("ast-1", "1001")
    await until(lambda: "ast-1" in fake_ari.continued)
    assert fake_ari.continued["ast-1"] == told
    assert not fake_ari.count("channels.ring")
    await until(engine.nothing_left)


async def test_nobody_answers_in_the_user_s_own_time(engine: Engine, fake_ari: FakeAri) -> None:
    engine.pages.users = frozenset({"1001"})
    engine.pages.reach = RingDecision(forward="200", ring_seconds=0.1)  # the server's own is 30 s
    await fake_ari.call_in("ast-1", "1001")
    await until(lambda: "ast-1" in fake_ari.continued)
    assert fake_ari.continued["ast-1"] == FORWARDED
    await until(engine.nothing_left)


async def test_the_time_and_the_forward_outlive_the_front_end(
    fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, tmp_path: Path
) -> None:
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as engine:
        engine.pages.users = frozenset({"1001"})
        engine.pages.reach = RingDecision(forward="200", ring_seconds=2.0)
        await fake_ari.call_in("ast-1", "1001")
        await until(lambda: fake_ari.count("channels.ring"))
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as engine:
        await until(lambda: "ast-1" in fake_ari.continued)
        assert fake_ari.continued["ast-1"] == FORWARDED
        await until(engine.nothing_left)
