"""The wall clock is set by an hour in a call: what its record has is in order, and the talk is as long as it was."""

import time

import pytest

from ari_bridge.fsm.call import CallState
from tests.component.conftest import Engine, until
from tests.fakes.ari import Answers
from tests.offers import OFFER

HOUR = 3600.0


@pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["back", "forward"])
async def test_a_clock_that_is_set_in_a_call(engine: Engine, monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    engine.ari.far_side = Answers()
    call = engine.calls.place(target="600", sdp=OFFER, caller="1001", listener=engine.listen)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + step)
    engine.calls.hangup(call.id)
    await until(lambda: engine.calls.get(call.id).state is CallState.ENDED)
    ended = engine.calls.get(call.id)
    assert ended.answered_at and ended.ended_at and ended.ringing_at
    assert ended.created_at <= ended.ringing_at <= ended.answered_at <= ended.ended_at < ended.created_at + 60
