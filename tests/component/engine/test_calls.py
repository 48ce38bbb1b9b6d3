"""Whole calls through the engine: what listeners hear, and that nothing is left."""

import asyncio

import pytest

from ari_bridge.engine.early_media import await_early_media
from ari_bridge.engine.limits import Limits
from ari_bridge.errors import CallFailed, InvalidRequest, InvalidSdp, InvalidTarget, TooMany, UnknownCall, WrongState
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.fsm.notifications import DigitReceived, HoldChanged, MediaReady
from ari_bridge.hooks import CallEnded, CallEvent, HookEvent
from ari_bridge.outcomes import Outcome
from tests.component.conftest import Engine, until
from tests.fakes.ari import BUSY, CONGESTION, NO_ANSWER, Answers, FarSide, RingsForEver
from tests.hang_up import hang_up_all
from tests.offers import OFFER


def place(
    engine: Engine,
    far_side: FarSide | None = None,
    *,
    target: str = "600",
    call_id: str | None = None,
    user: str | None = None,
) -> Call:
    engine.ari.far_side = far_side or Answers()
    return engine.calls.place(
        target=target, sdp=OFFER, caller="1001", user=user, call_id=call_id, listener=engine.listen
    )


async def arrive(engine: Engine, users: set[str]) -> Call:
    engine.pages.users = frozenset(users)
    await engine.ari.call_in("ast-1", "1001")
    await until(lambda: engine.pages.rung, "ringing pages")
    return engine.calls.get(engine.pages.rung[-1])


async def gone(engine: Engine, call_id: str) -> Call:
    await until(lambda: engine.calls.get(call_id).state is CallState.ENDED, "the end")
    assert engine.nothing_left(), (engine.ari.channels, engine.ari.bridges, engine.media.sessions)
    return engine.calls.get(call_id)


# --- outbound ------------------------------------------------------------------------


async def test_a_call_is_answered_bridged_and_released(engine: Engine) -> None:
    call = place(engine)
    await until(lambda: engine.states()[-1:] == ["accepted"], "accepted")
    await until(lambda: len(engine.ari.bridges.get(f"{call.id}-br", [])) == 2, "both legs bridged")
    assert isinstance(engine.updates[0].what, MediaReady)
    assert engine.states()[0] in ("trying", "ringing")
    engine.calls.hangup(call.id)
    assert (await gone(engine, call.id)).outcome is Outcome.COMPLETED
    assert engine.states().count("ending") == 1


async def test_the_far_side_is_shown_who_calls(engine: Engine) -> None:
    call = place(engine, RingsForEver())
    await until(lambda: f"{call.id}-far" in engine.ari.channels)
    assert engine.ari.channels[f"{call.id}-far"].variables == {
        "CONNECTEDLINE(num,i)": "1001",
        "TIMEOUT(absolute)": str(engine.client.channels.longest_s),
        "__ARI_BRIDGE_KIND": "call",
    }


@pytest.mark.parametrize(
    ("far_side", "outcome"), [(BUSY, Outcome.BUSY), (CONGESTION, Outcome.UNREACHABLE), (NO_ANSWER, Outcome.NO_ANSWER)]
)
async def test_a_far_side_that_refuses_ends_the_call(engine: Engine, far_side: FarSide, outcome: Outcome) -> None:
    call = place(engine, far_side)
    assert (await gone(engine, call.id)).outcome is outcome


async def test_the_far_side_hanging_up_completes_the_call(engine: Engine) -> None:
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    await engine.ari.end(f"{call.id}-far")
    assert (await gone(engine, call.id)).outcome is Outcome.COMPLETED


def looking() -> bool:
    """Whether somebody waits for the far side's first packet. (Queries are no measure: the node asks them too.)"""
    names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
    return await_early_media.__qualname__ in names


async def test_sound_before_the_answer_is_told_once_it_comes(engine: Engine) -> None:
    call = place(engine, RingsForEver(early=True))
    await until(lambda: engine.media.counts["query"] >= 3, "looks")
    assert looking()
    assert engine.states()[-1] == "ringing"  # a 183, and nothing to be heard: the caller hears ringback
    engine.media.far_packets = 1
    await until(lambda: "early" in engine.states(), "early")
    await until(lambda: not looking(), "what was looked for is found")
    engine.calls.hangup(call.id)
    assert (await gone(engine, call.id)).outcome is Outcome.CANCELLED


async def test_digits_go_to_the_far_side_in_order(engine: Engine) -> None:
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    for digit in "12#":
        engine.calls.control.send_dtmf(call.id, digit)
    await until(lambda: engine.ari.channels[f"{call.id}-far"].dtmf == "12#", "the digits")
    with pytest.raises(InvalidRequest):
        engine.calls.control.send_dtmf(call.id, "x")


async def test_digits_and_hold_of_the_far_side_are_told(engine: Engine) -> None:
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    channel = engine.ari.channels[f"{call.id}-far"].json()
    await engine.ari.emit("ChannelDtmfReceived", channel=channel, digit="5", duration_ms=100)
    await engine.ari.emit("ChannelHold", channel=channel)
    await until(lambda: engine.calls.get(call.id).held_by_far, "hold")
    await engine.ari.emit("ChannelUnhold", channel=channel)
    await until(lambda: not engine.calls.get(call.id).held_by_far, "unhold")
    assert [u.what.digit for u in engine.updates if isinstance(u.what, DigitReceived)] == ["5"]
    assert len([u for u in engine.updates if isinstance(u.what, HoldChanged)]) == 2


async def test_answered_gives_the_sdp_or_why_there_is_none(engine: Engine) -> None:
    assert "opus" in await engine.calls.answered(place(engine).id)
    engine.media.refuse.add("offer")
    with pytest.raises(CallFailed, match="failed_media"):
        await engine.calls.answered(place(engine).id)


# --- what may not be ------------------------------------------------------------------


async def test_wrong_requests_are_refused_before_anything_is_made(engine: Engine) -> None:
    with pytest.raises(InvalidTarget):
        place(engine, target="600&601")
    with pytest.raises(InvalidSdp):
        engine.calls.place(target="600", sdp="v=0\r\n", caller="")
    with pytest.raises(InvalidRequest):
        engine.calls.place(target="600", sdp=OFFER, caller='"; DROP')
    for call_id in ("", "x" * 129, "a\nb", "a\u202eb", "\ud800"):
        with pytest.raises(InvalidRequest):
            place(engine, call_id=call_id)
    with pytest.raises(UnknownCall):
        engine.calls.hangup("nosuchcall")
    assert engine.ari.count("channels.create") == 0 and engine.media.commands == []


async def test_a_call_id_is_taken_once(engine: Engine) -> None:
    place(engine, RingsForEver(), call_id="mine1")
    with pytest.raises(WrongState):
        place(engine, RingsForEver(), call_id="mine1")


async def test_limits_are_told(engine: Engine, limits: Limits) -> None:
    for _ in range(limits.max_calls_per_user):
        place(engine, RingsForEver(), user="alice")
    with pytest.raises(TooMany, match="alice"):
        place(engine, RingsForEver(), user="alice")
    for _ in range(limits.max_calls - limits.max_calls_per_user):
        place(engine, RingsForEver())
    with pytest.raises(TooMany, match="lines"):
        place(engine, RingsForEver())


# --- inbound ------------------------------------------------------------------------------


async def test_a_caller_rings_pages_and_is_taken_by_one(engine: Engine) -> None:
    call = await arrive(engine, {"1001"})
    assert (call.caller, call.caller_name, call.target) == ("42", "Caller", "1001")
    engine.calls.accept(call.id, sdp=OFFER, user="1001", listener=engine.listen)
    with pytest.raises(WrongState):
        engine.calls.accept(call.id, sdp=OFFER, user="1001")
    await until(lambda: "accepted" in engine.states(), "accepted")
    assert engine.ari.channels["ast-1"].state == "Up"
    assert isinstance(engine.updates[0].what, MediaReady)
    assert (None, "accepted_elsewhere") in engine.pages.stopped
    await engine.ari.end("ast-1")
    assert (await gone(engine, call.id)).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("users", [set(), {"1001"}])
async def test_a_caller_whom_nobody_takes_goes_on_in_the_dialplan(engine: Engine, users: set[str]) -> None:
    call = await arrive(engine, users)
    if users:
        engine.calls.decline(call.id, user="1001")
    ended = await gone(engine, call.id)
    status = "DECLINED" if users else "UNAVAILABLE"
    assert engine.ari.continued["ast-1"] == {"ARI_BRIDGE_STATUS": status}
    assert ended.outcome is (Outcome.REJECTED if users else Outcome.UNREACHABLE)


async def test_a_caller_who_gives_up_stops_the_ringing(engine: Engine) -> None:
    call = await arrive(engine, {"1001"})
    await engine.ari.end("ast-1")
    assert (await gone(engine, call.id)).outcome is Outcome.CANCELLED
    assert engine.pages.stopped == [(None, "cancelled")]


async def test_only_who_rings_may_accept(engine: Engine) -> None:
    call = await arrive(engine, {"1001"})
    with pytest.raises(UnknownCall):
        engine.calls.accept(call.id, sdp=OFFER, user="1002")
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


async def test_a_channel_with_other_arguments_goes_on_in_the_dialplan(engine: Engine) -> None:
    await engine.ari.call_in("ast-9", "", args=["something", "else"])
    await until(lambda: "ast-9" in engine.ari.continued)


async def test_hooks_see_the_whole_call(engine: Engine) -> None:
    seen: list[HookEvent] = []
    engine.hooks.tap(seen.append)
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    engine.calls.hangup(call.id)
    await gone(engine, call.id)
    names = [event.name for event in seen if isinstance(event, CallEvent)]
    assert names[0] == "call.started" and names[-2:] == ["call.ended", "call.released"]
    assert sum(isinstance(event, CallEnded) for event in seen) == 1
    assert {event.call_id for event in seen} <= {call.id, None}


async def test_all_can_be_hung_up(engine: Engine) -> None:
    place(engine)
    place(engine, RingsForEver())
    await asyncio.sleep(0.05)
    await hang_up_all(engine.calls)
    assert engine.nothing_left()


async def test_closing_leaves_what_stands(engine: Engine) -> None:
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    await engine.calls.close()
    assert f"{call.id}-far" in engine.ari.channels and engine.media.sessions
