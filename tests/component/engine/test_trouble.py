"""Whatever breaks, at whatever step: the outcome is right, and nothing is left."""

import pytest
from structlog.testing import capture_logs

from ari_bridge.engine.limits import Limits
from ari_bridge.errors import Unavailable
from ari_bridge.fsm.call import CallState
from ari_bridge.outcomes import Outcome
from tests.component.conftest import Engine, until
from tests.component.engine.test_calls import arrive, gone, place
from tests.fakes.ari import FakeChannel, RingsForEver
from tests.offers import OFFER

STEPS = [
    "channels.create",
    "bridges.createWithId",
    "channels.externalMedia",
    "bridges.addChannel",
    "channels.dial",
]


@pytest.mark.parametrize("operation", STEPS)
async def test_a_refused_step_leaves_nothing(engine: Engine, operation: str) -> None:
    engine.ari.refuse[operation] = 500
    ended = await gone(engine, place(engine).id)
    assert ended.outcome in (Outcome.FAILED_PBX, Outcome.UNREACHABLE)


@pytest.mark.parametrize("operation", STEPS)
async def test_a_step_that_was_done_but_never_answered_leaves_nothing(engine: Engine, operation: str) -> None:
    """A timeout does not mean that nothing was made."""
    engine.ari.lose.add(operation)
    call = place(engine)
    assert (await gone(engine, call.id)).outcome is Outcome.FAILED_PBX


@pytest.mark.parametrize("command", ["offer", "answer"])
@pytest.mark.parametrize("trouble", ["refuse", "garble", "drop"])
async def test_media_trouble_leaves_nothing(engine: Engine, command: str, trouble: str) -> None:
    if trouble == "drop":
        engine.media.drop[command] = 100
    else:
        getattr(engine.media, trouble).add(command)
    assert (await gone(engine, place(engine).id)).outcome is Outcome.FAILED_MEDIA


async def test_a_lost_datagram_is_sent_again(engine: Engine) -> None:
    engine.media.drop = {"offer": 1, "answer": 1}
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).answer)
    assert [c["command"] for c in engine.media.commands] == [b"offer", b"answer"]


@pytest.mark.parametrize("operation", STEPS)
async def test_hanging_up_while_a_step_is_under_way_leaves_nothing(engine: Engine, operation: str) -> None:
    engine.ari.delay[operation] = 0.1
    call = place(engine, RingsForEver())
    await until(lambda: engine.ari.count(operation))
    engine.calls.hangup(call.id)
    assert (await gone(engine, call.id)).outcome is Outcome.CANCELLED


async def test_hanging_up_while_rtpengine_answers_is_no_fault(engine: Engine) -> None:
    engine.media.delay["answer"] = 0.1
    with capture_logs() as logs:
        call = place(engine, RingsForEver())
        await until(lambda: any(command["command"] == b"answer" for command in engine.media.commands))
        engine.calls.hangup(call.id)
        assert (await gone(engine, call.id)).outcome is Outcome.CANCELLED
    assert not [entry for entry in logs if entry["log_level"] == "error"]


async def test_a_release_that_fails_is_tried_again(engine: Engine) -> None:
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    engine.ari.refuse["bridges.destroy"] = 503
    engine.calls.hangup(call.id)
    await until(lambda: engine.ari.count("bridges.destroy"))
    engine.ari.refuse.clear()
    await gone(engine, call.id)


async def test_an_accepted_call_whose_media_fails_sends_the_caller_on(engine: Engine) -> None:
    call = await arrive(engine, {"1001"})
    engine.media.refuse.add("offer")
    engine.calls.accept(call.id, sdp=OFFER, user="1001")
    assert (await gone(engine, call.id)).outcome is Outcome.FAILED_MEDIA
    assert engine.ari.continued["ast-1"] == {"ARI_BRIDGE_STATUS": "UNAVAILABLE"}


class TestNobodyAnswers:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(ring_timeout=0.2, setup_timeout=5)

    async def test_outbound(self, engine: Engine) -> None:
        assert (await gone(engine, place(engine, RingsForEver()).id)).outcome is Outcome.NO_ANSWER

    async def test_inbound(self, engine: Engine) -> None:
        call = await arrive(engine, {"1001"})
        assert (await gone(engine, call.id)).outcome is Outcome.NO_ANSWER
        assert engine.ari.continued["ast-1"] == {"ARI_BRIDGE_STATUS": "NOANSWER"}
        assert engine.pages.stopped == [(None, "no_answer")]


class TestSetUpTakesTooLong:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(setup_timeout=0.2)

    async def test_a_channel_that_never_enters_ends_the_call(self, engine: Engine) -> None:
        engine.ari.mute.add("StasisStart")
        assert (await gone(engine, place(engine).id)).outcome is Outcome.FAILED_PBX


# --- the event stream ----------------------------------------------------------------------


async def test_a_call_lives_through_a_lost_event_stream(engine: Engine) -> None:
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    await engine.ari.drop_stream()
    await until(lambda: not engine.client.connected, "the loss")
    await until(lambda: engine.client.connected, "the reconnect")
    assert engine.calls.get(call.id).state is CallState.UP
    engine.calls.hangup(call.id)
    await gone(engine, call.id)


async def test_an_answer_that_was_missed_is_told_after_the_reconnect(engine: Engine) -> None:
    call = place(engine, RingsForEver())
    await until(lambda: engine.calls.get(call.id).state is CallState.RINGING)
    engine.ari.channels[f"{call.id}-far"].state = "Up"  # without an event
    await engine.ari.drop_stream()
    await until(lambda: engine.calls.get(call.id).state is CallState.UP, "the answer")


async def test_an_end_that_was_missed_is_told_after_the_reconnect(engine: Engine) -> None:
    call = place(engine)
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
    del engine.ari.channels[f"{call.id}-far"]  # without an event
    await engine.ari.drop_stream()
    assert (await gone(engine, call.id)).outcome is Outcome.COMPLETED


async def test_without_an_event_stream_no_call_is_begun(engine: Engine) -> None:
    await engine.ari.stop()
    await until(lambda: not engine.client.connected)
    with pytest.raises(Unavailable) as refused:
        place(engine)
    assert refused.value.retry_after > 0
    await engine.ari.start()
    await until(lambda: engine.client.connected)


async def test_what_a_killed_process_left_is_reaped_at_the_connect(engine: Engine) -> None:
    await engine.ari.drop_stream()
    for name in ("oldcall-far", "oldcall-em"):
        engine.ari.channels[name] = FakeChannel(name, name, "Up", in_app=True)
    engine.media.sessions.add("ari-bridge:oldcall-em")
    await until(lambda: not engine.ari.channels and not engine.media.sessions, "the sweep")


async def test_nonsense_on_the_event_stream_is_dropped(engine: Engine) -> None:
    call = place(engine, RingsForEver())
    await until(lambda: engine.calls.get(call.id).state is CallState.RINGING)
    for text in ("not JSON", "[]", '{"no": "type"}', '{"type": "StasisEnd"}', '{"type": "New", "x": 1}'):
        await engine.ari.send_text(text)
    channel = engine.ari.channels[f"{call.id}-far"]
    channel.state = "Up"
    await engine.ari.emit("ChannelStateChange", channel=channel.json())
    await until(lambda: engine.calls.get(call.id).state is CallState.UP)
