"""Calls with SIP clients of our users, between a fake Asterisk and the engine: also over the death of the process."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from ari_bridge.ari.channels import HELD
from ari_bridge.engine.limits import Limits
from ari_bridge.fsm.call import Call, CallState, Milestone, Resource, SipChannel
from ari_bridge.outcomes import Outcome
from ari_bridge.preferences.ring_decision import RingDecision
from tests.component.conftest import Engine, an_engine, until
from tests.component.engine.test_adoption import Process
from tests.component.engine.test_calls import gone
from tests.fakes.ari import Answers, FakeAri, RingsForEver
from tests.fakes.rtpengine import FakeRtpengine

CLIENT = "sip-client-1"
PHONE = "PJSIP/edge/sip:1001@127.0.0.1:5062"


@pytest.fixture
async def process(
    fake_ari: FakeAri, fake_rtpengine: FakeRtpengine, limits: Limits, tmp_path: Path
) -> AsyncIterator[Process]:
    yield partial(an_engine, fake_ari, fake_rtpengine, limits, tmp_path)


async def calls(engine: Engine, state: CallState, number: str = "600", user: str = "1001") -> Call:
    """The SIP client of `user` calls; the call once it is in this state."""
    await engine.ari.call_in(CLIENT, number, args=["sip", number, user])
    await until(lambda: [one.state for one in engine.calls.live()] == [state])
    [call] = engine.calls.live()
    return call


async def test_a_client_calls_and_hangs_up(engine: Engine) -> None:
    engine.ari.far_side = Answers()
    call = await calls(engine, CallState.UP)
    assert (call.user, call.caller, call.target) == ("1001", "1001", "600")
    assert set(engine.ari.bridges[f"{call.id}-br"]) == {CLIENT, f"{call.id}-far"}
    assert engine.ari.channels[CLIENT].variables["CALLERID(num)"] == "1001"
    assert not engine.media.sessions
    await engine.ari.end(CLIENT)
    assert (await gone(engine, call.id)).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("user", ["", "somebody else's", "guest-abcdefghij12-0123456789abcdef"])
async def test_a_call_of_nobody_we_know_is_refused(engine: Engine, user: str) -> None:
    await engine.ari.call_in(CLIENT, "600", args=["sip", "600", user])
    await until(lambda: not engine.ari.channels)
    assert engine.calls.live() == [] and engine.ari.count("channels.create") == 0


async def test_a_client_s_call_survives_the_process(process: Process) -> None:
    async with process() as first:
        before = await calls(first, CallState.UP)
    async with process() as second:
        await until(lambda: second.calls.get(before.id).milestones, "the adoption")
        after = second.calls.get(before.id)
        assert (after.state, after.user, after.media_lost) == (CallState.UP, "1001", False)
        second.calls.hangup(before.id)
        assert (await gone(second, before.id)).outcome is Outcome.COMPLETED


async def test_a_client_that_hung_up_meanwhile_ends_its_call(process: Process) -> None:
    async with process() as first:
        first.ari.far_side = RingsForEver()
        before = await calls(first, CallState.RINGING)
    await first.ari.end(CLIENT)
    async with process() as second:
        assert (await gone(second, before.id)).outcome is Outcome.CANCELLED


async def test_a_node_s_death_has_the_clients_offered_anew(engine: Engine) -> None:
    call = await calls(engine, CallState.UP)
    await engine.media.stop()
    await until(lambda: "PJSIP_SEND_SESSION_REFRESH()" in engine.ari.channels[CLIENT].variables)
    await engine.media.start()
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


async def test_a_phone_answers_a_caller(engine: Engine) -> None:
    engine.pages.users, engine.pages.reach = frozenset({"1001"}), RingDecision(phone=PHONE)
    engine.ari.far_side = Answers()
    await engine.ari.call_in("ast-1", "1001")
    await until(lambda: [one.state for one in engine.calls.live()] == [CallState.UP])
    [call] = engine.calls.live()
    assert set(engine.ari.bridges[f"{call.id}-br"]) == {"ast-1", f"{call.id}-ph"}
    assert engine.pages.stopped == [(None, "accepted_elsewhere")]
    await engine.ari.end(f"{call.id}-ph")
    assert (await gone(engine, call.id)).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("page_open", [False, True])
async def test_a_phone_that_cannot_be_reached_leaves_the_caller_to_the_pages_or_the_dialplan(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, page_open: bool
) -> None:
    engine.pages.users, engine.pages.reach = frozenset({"1001"}), RingDecision(phone=PHONE)
    monkeypatch.setattr(engine.pages, "is_registered", lambda user: page_open)
    engine.ari.far_side, engine.ari.dialplan_talks = RingsForEver(), True
    await engine.ari.call_in("ast-1", "1001")
    await until(lambda: [c for c in engine.ari.channels if c.endswith("-ph")])
    [call] = engine.calls.live()
    await until(lambda: Milestone.PHONE_DIALLED in engine.calls.get(call.id).milestones)
    engine.pages.reach = RingDecision(status="FORWARD", forward="200")
    engine.pages.users = frozenset({"1001"} if page_open else ())
    await engine.ari.end(f"{call.id}-ph", 20)
    if page_open:
        await until(lambda: Resource.PHONE not in engine.calls.get(call.id).allocated)
        assert engine.calls.get(call.id).state is CallState.RINGING
        return
    await until(lambda: "ast-1" in engine.ari.continued)
    assert engine.ari.continued["ast-1"]["ARI_BRIDGE_STATUS"] == "FORWARD"


async def test_a_hold_of_the_client_is_found_after_the_death_of_the_process(process: Process) -> None:
    async with process() as first:
        call = await calls(first, CallState.UP)
        await first.ari.emit("ChannelHold", channel=first.ari.channels[CLIENT].json())
        await until(lambda: first.calls.get(call.id).held)
    for held in (False, True):
        first.ari.channels[CLIENT].variables[HELD] = str(int(held))
        async with process() as engine:
            await until(lambda: engine.calls.get(call.id).held is held)  # noqa: B023  awaited
            assert engine.calls.get(call.id).near == SipChannel(CLIENT, first.ari.channels[CLIENT].name, holds=held)
