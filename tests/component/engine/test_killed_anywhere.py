"""kill -9 between any two requests of a transfer, and of an accepted call: who had each other to talk to still has."""

from collections.abc import AsyncIterator
from contextlib import _AsyncGeneratorContextManager
from functools import partial
from pathlib import Path

import pytest

from ari_bridge.engine.limits import Limits
from ari_bridge.fsm.call import Call, CallState
from tests.component.conftest import Engine, an_engine, until
from tests.component.engine.test_calls import arrive, gone
from tests.component.engine.test_parties import members, music, muted, talking
from tests.fakes.ari import Answers, FakeAri
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER

PATIENT = Limits(ring_timeout=30, setup_timeout=5)
SHORT = Limits(ring_timeout=0.3, setup_timeout=5)
"""A target that was to be dialled, and perhaps was not, is let go when its time to ring is over."""
Process = partial[_AsyncGeneratorContextManager[Engine, None]]

pytestmark = [
    pytest.mark.parametrize("made", range(9)),
    pytest.mark.parametrize("answered", [True, False], ids=["answered", "unanswered"]),
]


@pytest.fixture
async def process(fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, tmp_path: Path) -> AsyncIterator[Process]:
    """Called, it is one process after the other on the same PBX, rtpengine and call store."""
    yield partial(an_engine, fake_ari, fake_rtpengine, state_dir=tmp_path)


def sever(engine: Engine, made: int, answered: bool) -> None:
    """Only `made` more changes reach the PBX; whether the last of them is answered."""
    engine.ari.changes_left, engine.ari.last_unanswered = made, not answered


def whole(engine: Engine, call: Call, *names: str) -> bool:
    """Just these talk, and nobody hears music."""
    return set(members(engine, call)) == {f"{call.id}-{name}" for name in names} and not music(engine, call)


async def test_a_transfer_is_made_or_was_never_asked_for(process: Process, made: int, answered: bool) -> None:
    async with process(PATIENT) as first:
        call = await talking(first)
        first.ari.far_side = Answers(after=0.02)
        far, target = f"{call.id}-far", f"{call.id}-far2"
        sever(first, made, answered)
        first.calls.control.transfer(call.id, "700")
        alone = {far, target}
        await until(lambda: first.ari.severed or alone == {*first.ari.channels}, "the last request")
    first.ari.changes_left = None
    async with process(SHORT) as second:
        await until(lambda: second.calls.get(call.id).milestones, "the adoption")

        def settled() -> bool:
            if target in second.ari.channels:
                return whole(second, call, "far", "far2") and not second.media.sessions
            return whole(second, call, "far", "em") and not muted(second, call)

        await until(settled, "a talk")
        assert second.calls.get(call.id).state is CallState.UP
        await second.ari.end(far)
        await gone(second, call.id)


async def test_a_caller_who_was_answered_is_talked_to(process: Process, made: int, answered: bool) -> None:
    async with process(PATIENT) as first:
        call = await arrive(first, {"1001"})
        await until(lambda: first.ari.count("channels.ring"), "ringing")
        sever(first, made, answered)
        first.calls.accept(call.id, sdp=OFFER, user="1001", listener=first.listen)
        await until(lambda: first.ari.severed or "accepted" in first.states(), "the last request")
        heard = first.ari.channels["ast-1"].state == "Up"
    first.ari.changes_left = None
    async with process(PATIENT) as second:
        await until(lambda: second.calls.get(call.id).milestones, "the adoption")
        if not heard:  # he has heard nothing but ringing, and the page's offer is lost with its connection
            assert second.calls.get(call.id).state is CallState.RINGING
            await until(lambda: len(second.ari.channels) == 1 and not second.media.sessions, "the old leg's end")
            second.calls.accept(call.id, sdp=OFFER, user="1001", listener=second.listen)
        await until(lambda: second.calls.get(call.id).state is CallState.UP)
        em = [name for name in members(second, call) if name != "ast-1"]
        assert em == ([f"{call.id}-em"] if heard else [f"{call.id}-em2"]) and not second.calls.get(call.id).media_lost
        assert "ast-1" in members(second, call) and not music(second, call)
        assert second.calls.get(call.id).user == "1001"
        second.calls.hangup(call.id)
        await gone(second, call.id)
