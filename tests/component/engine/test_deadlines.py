"""Every deadline survives the process: what is left of it is what the next one has. And media that does not come."""

import asyncio
from dataclasses import replace

import pytest

from ari_bridge.engine.limits import Limits
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.fsm.timing import Deadline, Timer, find_deadline
from ari_bridge.outcomes import Outcome
from tests.component.conftest import Engine, until
from tests.component.engine.test_adoption import Process, found_again, until_up
from tests.component.engine.test_calls import arrive, gone, place
from tests.component.engine.test_killed_anywhere import process as process
from tests.fakes.ari import Answers, RingsForEver
from tests.offers import OFFER

PATIENT = Limits(ring_timeout=30, setup_timeout=5, grace=30)
IMPATIENT = Limits(ring_timeout=30, setup_timeout=0.3, grace=0.3)


def place_from_page(engine: Engine) -> Call:
    engine.ari.far_side = Answers()
    return engine.calls.place(target="600", sdp=OFFER, caller="1001", session="page", listener=engine.listen)


def running(engine: Engine, call: Call, timer: Timer, party: int = 0) -> Deadline:
    deadline = find_deadline(engine.calls.get(call.id).deadlines, timer, party)
    assert deadline
    return deadline


@pytest.fixture(params=["outbound", "inbound"])
def inbound(request: pytest.FixtureRequest) -> bool:
    return str(request.param) == "inbound"


async def rings(engine: Engine, inbound: bool) -> Call:
    if inbound:
        call = await arrive(engine, {"1001"})
    else:
        call = place(engine, RingsForEver())
    await until(lambda: engine.calls.get(call.id).state is CallState.RINGING)
    return call


async def test_a_ring_time_goes_on_over_any_number_of_restarts(process: Process, inbound: bool) -> None:
    async with process(PATIENT) as first:
        call = await rings(first, inbound)
        before = running(first, call, Timer.RING)
    for _ in range(3):
        async with process(PATIENT) as next_one:
            await found_again(next_one, call)
            assert running(next_one, call, Timer.RING) == before
    async with process(replace(PATIENT, ring_timeout=0.01)) as last:  # all of it is over
        await gone(last, call.id)
        assert last.calls.get(call.id).outcome is Outcome.NO_ANSWER


async def test_the_time_of_a_party_that_is_called_goes_on(process: Process) -> None:
    async with process(PATIENT) as first:
        call = await until_up(first, place(first, user="1001"))
        first.ari.far_side = RingsForEver()
        first.calls.control.add_party(call.id, "700")
        await until(lambda: f"{call.id}-far2" in first.ari.channels, "the party's channel")
        await until(lambda: first.ari.channels[f"{call.id}-far2"].state == "Ringing", "its ringing")
        before = running(first, call, Timer.PARTY, 2)
    async with process(PATIENT) as second:
        await found_again(second, call)
        assert running(second, call, Timer.PARTY, 2) == before
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_a_grace_that_runs_goes_on_and_media_is_waited_for_no_longer(process: Process) -> None:
    async with process(PATIENT) as first:
        call = await until_up(first, place_from_page(first))
        first.calls.detach(call.id, first.listen)
        grace, media = running(first, call, Timer.GRACE), running(first, call, Timer.MEDIA)
    async with process(PATIENT) as second:
        await found_again(second, call)
        assert running(second, call, Timer.GRACE) == grace
        assert running(second, call, Timer.MEDIA) == media
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_a_grace_is_over_for_a_page_that_no_process_sees_again(process: Process) -> None:
    limits = replace(PATIENT, grace=0.3)
    async with process(PATIENT) as first:
        call = await until_up(first, place_from_page(first))
    async with process(limits) as second:
        assert (await gone(second, call.id)).outcome is Outcome.LOST


async def test_a_call_whose_media_never_comes_ends_also_after_a_restart(process: Process) -> None:
    async with process(PATIENT) as first:
        call = await until_up(first, place(first))
    async with process(IMPATIENT) as second:
        assert (await gone(second, call.id)).outcome is Outcome.FAILED_MEDIA
        await until(second.nothing_left)


async def test_media_that_comes_keeps_the_call_and_ends_it_when_it_is_gone(process: Process) -> None:
    async with process(IMPATIENT) as engine:
        call = await until_up(engine, place(engine))
        checked = engine.media.counts["query"]
        while engine.media.counts["query"] < checked + 3:
            engine.media.packets[f"ari-bridge:{call.id}-em"] += 1
            await asyncio.sleep(0.01)
        assert engine.calls.get(call.id).state is CallState.UP
        assert (await gone(engine, call.id)).outcome is Outcome.FAILED_MEDIA
