"""A process dies, the next one finds its calls again: nothing that stood is lost, nothing that did not is left."""

from collections.abc import AsyncIterator
from contextlib import _AsyncGeneratorContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ari_bridge.call_store import SqliteCallStore
from ari_bridge.engine.limits import Limits
from ari_bridge.errors import WrongState
from ari_bridge.fsm.call import Call, CallState, RecordingStatus
from ari_bridge.hooks import CallAdopted, HookEvent
from ari_bridge.outcomes import Outcome
from tests.component.conftest import Engine, an_engine, until
from tests.component.engine.test_calls import arrive, gone, place
from tests.component.engine.test_parties import talking
from tests.component.engine.test_renewal import members
from tests.fakes.ari import FakeAri, RingsForEver
from tests.fakes.rtpengine import FakeRtpengine
from tests.hang_up import hang_up_all
from tests.offers import OFFER

Process = partial[_AsyncGeneratorContextManager[Engine, None]]
"""Called, it is one process after the other on the same PBX, rtpengine and call store."""


@pytest.fixture
def limits() -> Limits:
    return Limits(ring_timeout=30, setup_timeout=5, grace=0.5)


@pytest.fixture
async def process(
    fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, tmp_path: Path
) -> AsyncIterator[Process]:
    yield partial(an_engine, fake_ari, fake_rtpengine, limits, tmp_path)


async def until_up(engine: Engine, call: Call) -> Call:
    await until(lambda: engine.calls.get(call.id).state is CallState.UP and members(engine, call) == {"far", "em"})
    return engine.calls.get(call.id)


async def found_again(engine: Engine, call: Call) -> Call:
    await until(lambda: engine.calls.get(call.id).milestones, "the adoption")  # a record has none
    return engine.calls.get(call.id)


async def test_a_call_that_stands_is_adopted_as_it_is(process: Process) -> None:
    async with process() as first:
        before = await until_up(first, place(first, user="1001"))
        requests = len(first.ari.requests)
    async with process() as second:
        seen: list[HookEvent] = []
        second.hooks.tap(seen.append)
        after = await found_again(second, before)
        assert (after.state, after.answered_at, after.user) == (CallState.UP, before.answered_at, "1001")
        assert not after.media_lost
        asked = {name for name, _ in second.ari.requests[requests:]}
        assert not asked & {"channels.hangup", "bridges.destroy", "channels.externalMedia", "bridges.addChannel"}
        second.calls.hangup(after.id)
        assert (await gone(second, after.id)).outcome is Outcome.COMPLETED


async def test_a_call_that_rings_is_adopted_and_can_be_answered(process: Process) -> None:
    async with process() as first:
        call = place(first, RingsForEver())
        await until(lambda: first.calls.get(call.id).state is CallState.RINGING)
    async with process() as second:
        assert (await found_again(second, call)).state is CallState.RINGING
        channel = second.ari.channels[f"{call.id}-far"]
        channel.state = "Up"
        await second.ari.emit("ChannelStateChange", channel=channel.json())
        await until(lambda: second.calls.get(call.id).state is CallState.UP)
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_an_answer_while_nobody_listened_is_seen(process: Process) -> None:
    async with process() as first:
        call = place(first, RingsForEver())
        await until(lambda: first.calls.get(call.id).state is CallState.RINGING)
    first.ari.channels[f"{call.id}-far"].state = "Up"
    async with process() as second:
        assert (await found_again(second, call)).state is CallState.UP
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_a_call_that_was_answered_while_nobody_listened_is_recorded(process: Process, limits: Limits) -> None:
    process = partial(process.func, *process.args[:2], replace(limits, record_all=True), *process.args[3:])
    async with process() as first:
        call = place(first, RingsForEver())
        await until(lambda: first.calls.get(call.id).state is CallState.RINGING)
    first.ari.channels[f"{call.id}-far"].state = "Up"
    async with process() as second:
        await until(lambda: second.ari.count("bridges.record"), "the recording")
        await until(lambda: second.ari.count("applications.get"), "the look at all that stands")
        recording = second.calls.get(call.id).recording
        assert recording and recording.state is RecordingStatus.ON
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_a_call_that_ended_while_nobody_listened_is_closed(process: Process) -> None:
    async with process() as first:
        call = await until_up(first, place(first))
    del first.ari.channels[f"{call.id}-far"]
    async with process() as second:
        await until(lambda: second.calls.get(call.id).state is CallState.ENDED, "the end")
        assert (await gone(second, call.id)).outcome is Outcome.COMPLETED


async def test_a_call_whose_media_died_meanwhile_asks_for_a_new_offer(process: Process) -> None:
    async with process() as first:
        call = await until_up(first, place(first, user="1001"))
    first.media.sessions.clear()
    async with process() as second:
        assert (await found_again(second, call)).media_lost
        second.calls.renew_media(call.id, sdp=OFFER)
        await until(lambda: members(second, call) == {"far", "em2"}, "the swap")
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_a_caller_who_rang_rings_again(process: Process) -> None:
    async with process() as first:
        call = await arrive(first, {"1001"})
    async with process() as second:
        after = await found_again(second, call)
        assert (after.state, after.users) == (CallState.RINGING, frozenset({"1001"}))
        second.calls.accept(call.id, sdp=OFFER, user="1001", listener=second.listen)
        await until(lambda: second.calls.get(call.id).state is CallState.UP)
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_a_caller_who_gave_up_meanwhile_is_closed(process: Process) -> None:
    async with process() as first:
        call = await arrive(first, {"1001"})
    del first.ari.channels["ast-1"]
    async with process() as second:
        await until(lambda: second.calls.get(call.id).state is CallState.ENDED, "the end")
        assert second.calls.get(call.id).outcome is Outcome.CANCELLED


@pytest.mark.parametrize(
    "operation", ["channels.create", "bridges.createWithId", "channels.externalMedia", "bridges.addChannel"]
)
async def test_a_set_up_that_was_broken_off_leaves_nothing(process: Process, operation: str) -> None:
    async with process() as first:
        first.ari.lose.add(operation)
        call = place(first, RingsForEver())
        await until(lambda: first.ari.count(operation))
        first.ari.lose.clear()
    async with process() as second:
        second.calls.hangup(call.id)  # it rings, where the set-up had come so far
        await gone(second, call.id)


async def test_a_pbx_that_cannot_be_seen_at_first_is_looked_at_again(process: Process) -> None:
    async with process() as first:
        call = await until_up(first, place(first))
    first.ari.refuse["channels.list"] = 500
    async with process() as second:
        await until(lambda: second.ari.count("channels.list"), "a look")
        second.ari.refuse.clear()
        assert (await found_again(second, call)).state is CallState.UP
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_a_hang_up_that_was_broken_off_is_finished(process: Process) -> None:
    async with process() as first:
        call = await until_up(first, place(first))
        first.ari.hang.add("channels.hangup")
        first.calls.hangup(call.id)
        await until(lambda: first.ari.count("channels.hangup"))
        first.ari.hang.clear()
    async with process() as second:
        assert (await gone(second, call.id)).outcome is Outcome.COMPLETED


async def test_ended_calls_are_still_known(process: Process) -> None:
    async with process() as first:
        call = await until_up(first, place(first))
        first.calls.hangup(call.id)
        await gone(first, call.id)
    async with process() as second:
        assert second.calls.get(call.id).outcome is Outcome.COMPLETED


async def test_what_is_not_ours_is_never_touched(process: Process) -> None:
    async with process() as first:
        await until_up(first, place(first))
        first.ari.bridges["anothercall-br"] = []
        first.ari.bridge_names["anothercall-br"] = "another-app"
        first.media.sessions.add("another-app:anothercall-em")
        await hang_up_all(first.calls)
    async with process() as second:
        await until(lambda: second.ari.count("applications.get") >= 3, "two sweeps")
        assert list(second.ari.bridges) == ["anothercall-br"]
        assert second.media.sessions == {"another-app:anothercall-em"}


async def test_a_page_that_does_not_come_back_after_the_restart_ends_its_call(process: Process) -> None:
    async with process() as first:
        first.ari.far_side = RingsForEver()
        call = first.calls.place(target="600", sdp=OFFER, caller="1001", session="a page")
        await until(lambda: first.calls.get(call.id).state is CallState.RINGING)
    async with process() as second:
        assert (await gone(second, call.id)).outcome is Outcome.LOST


async def test_the_adoption_is_told_once(process: Process) -> None:
    async with process() as first:
        call = await until_up(first, place(first))
    async with process() as second:
        seen: list[HookEvent] = []
        second.hooks.tap(seen.append)
        await found_again(second, call)
        await second.ari.drop_stream()
        await until(lambda: second.ari.connections >= 3, "the reconnect")
        assert sum(isinstance(event, CallAdopted) for event in seen) <= 1
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_a_caller_who_is_accepted_before_the_pbx_is_reached_is_talked_to(
    process: Process, fake_ari: FakeAri
) -> None:
    async with process() as first:
        call = await arrive(first, {"1001", "1002"})
    await fake_ari.stop()  # an Asterisk that takes connections only later
    async with process(connected=False) as second:
        assert second.calls.accept(call.id, sdp=OFFER, user="1001", listener=second.listen).id == call.id
        with pytest.raises(WrongState, match="by another page"):
            second.calls.accept(call.id, sdp=OFFER, user="1002", listener=second.listen)
        await fake_ari.start()
        await until(lambda: "accepted" in second.states(), "the talk")
        second.calls.hangup(call.id)
        await gone(second, call.id)


async def test_over_a_kill_each_end_is_in_the_event_log_once(
    fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, tmp_path: Path
) -> None:
    """Killed between the decision to end and the release: the next process tells the release alone."""
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as first:
        call = await talking(first)
        fake_ari.changes_left = 0
        first.calls.hangup(call.id)
        assert first.calls.get(call.id).state is CallState.ENDING
    fake_ari.changes_left = None
    async with an_engine(fake_ari, fake_rtpengine, limits, tmp_path) as second:
        await until(second.nothing_left, "everything is released")
    store = SqliteCallStore(tmp_path, journal_dir=tmp_path)
    await store.start()
    try:
        events = (await store.events.after(0)).events
    finally:
        await store.close()
    told = [event.name for event in events if event.name in ("call.started", "call.ended", "call.released")]
    assert told == ["call.started", "call.ended", "call.released"]
    assert [event.number for event in events] == list(range(events[0].number, events[0].number + len(events)))
