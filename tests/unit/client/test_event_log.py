"""What readers of a call's events are told: in order, each once, from the beginning, whatever their pace."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_bridge.fsm.call import Direction
from ari_bridge.outcomes import Outcome
from ari_bridge_client import Call, ConnectionLost, MediaUnavailable, WaitTimeout
from ari_bridge_client.errors import ClientError
from ari_bridge_client.events import (
    NORMAL_OUTCOMES,
    Accepted,
    CallEvent,
    Dtmf,
    Early,
    Ended,
    EventLog,
    Failed,
    Hold,
    Missed,
    Party,
    Reconnected,
    Reconnecting,
    Ringing,
)
from ari_bridge_protocol import messages
from ari_bridge_protocol.messages import CallSummary, IceServer, PartySummary


class SignalingStub:
    """Signaling that accepts everything."""

    ice_servers: Sequence[IceServer] = ()

    async def send(self, message: messages.ClientMessage) -> None: ...

    async def request(self, message: messages.ClientMessage) -> None: ...


def call() -> Call:
    return Call(SignalingStub(), "call", None)


def state(word: messages.ClientState, outcome: Outcome | None = None) -> messages.State:
    return messages.State("call", word, Direction.OUTBOUND, "600", "1001", 1.0, outcome)


def summary(**changes: object) -> CallSummary:
    fields = {
        "call_id": "call",
        "direction": Direction.OUTBOUND,
        "state": "accepted",
        "target": "600",
        "caller": "1001",
        "caller_name": "",
        "created_at": 1.0,
        "held_by_far": False,
        "here": True,
        "attached": True,
    }
    return CallSummary(**{**fields, **changes})  # type: ignore[arg-type]


async def all_of(reader: AsyncIterator[CallEvent]) -> list[CallEvent]:
    async with asyncio.timeout(2):
        return [event async for event in reader]


async def test_each_state_once_and_in_order() -> None:
    one = call()
    words: list[messages.ClientState] = ["trying", "ringing", "ringing", "early", "ringing", "accepted", "accepted"]
    for word in words:
        one.on_message(state(word))
    one.on_message(state("ended", Outcome.COMPLETED))
    one.on_message(state("ended", Outcome.LOST))
    one.on_message(messages.Dtmf("call", "1"))  # too late
    assert await all_of(one.events()) == [
        Ringing(1.0),
        Early(1.0),
        Accepted(1.0),
        Ended(Outcome.COMPLETED, at=1.0),
    ]
    assert (one.state, one.outcome) == ("ended", Outcome.COMPLETED)


async def test_a_call_that_nobody_took_has_failed() -> None:
    one = call()
    one.on_message(state("ringing"))
    one.on_message(state("ended", Outcome.BUSY))
    assert await all_of(one.events()) == [Ringing(1.0), Failed(Outcome.BUSY, at=1.0)]
    assert isinstance(await one.wait_for("ended"), Failed)
    with pytest.raises(WaitTimeout, match="ended without accepted"):
        await one.wait_for("accepted")


@given(
    words=st.lists(st.sampled_from(["trying", "ringing", "early", "accepted", "ended"]), max_size=12),
    outcome=st.sampled_from(Outcome),
)
def test_whatever_the_server_tells_the_order_holds(words: list[messages.ClientState], outcome: Outcome) -> None:
    async def run() -> None:
        one = call()
        for word in words:
            one.on_message(state(word, outcome if word == "ended" else None))
        one.on_message(state("ended", outcome))
        names = [event.name for event in await all_of(one.events())]
        order = ["ringing", "early", "accepted", "ended", "failed"]
        assert [order.index(name) for name in names] == sorted({order.index(name) for name in names})
        assert names[-1] == ("ended" if outcome in NORMAL_OUTCOMES else "failed")
        assert {"ended", "failed"}.isdisjoint(names[:-1])

    asyncio.run(run())


async def test_every_reader_has_its_own_pace() -> None:
    one = call()
    early = asyncio.create_task(all_of(one.events()))
    await asyncio.sleep(0)
    one.on_message(state("accepted"))
    one.on_message(messages.Hold("call", True, by="far"))
    one.on_message(state("ended", Outcome.COMPLETED))
    late = await all_of(one.events())
    assert await early == late == [Accepted(1.0), Hold(True, "far"), Ended(Outcome.COMPLETED, at=1.0)]


async def test_a_reader_who_is_too_slow_is_told_how_much_it_missed() -> None:
    log = EventLog(max_events=3)
    reader = log.read(lambda: None)
    log.add(Dtmf("1"))
    assert await anext(reader) == Dtmf("1")
    for digit in "234567":
        log.add(Dtmf(digit))
    assert [await anext(reader) for _ in range(4)] == [Missed(3), Dtmf("5"), Dtmf("6"), Dtmf("7")]


async def test_what_happened_while_the_connection_was_away_comes_between() -> None:
    one = call()
    one.on_message(state("ringing"))
    one.on_connection_lost("closed")
    one.sync(summary(held_by_far=True, parties=(PartySummary(1, "600", "", "accepted"),)))
    one.on_reconnected()
    one.on_message(state("accepted"))  # told again
    one.mark_ended(Outcome.COMPLETED, "", accepted=True)
    assert await all_of(one.events()) == [
        Ringing(1.0),
        Reconnecting("signalling", "closed"),
        Accepted(0.0),
        Hold(True, "far"),
        Party(1, "600", "", "accepted"),
        Reconnected("signalling"),
        Ended(Outcome.COMPLETED),
    ]


async def test_a_connection_that_is_changed_without_a_loss_is_no_event() -> None:
    one = call()
    one.on_message(state("accepted"))
    one.sync(summary())
    one.on_reconnected()
    one.on_connection_lost("closed")
    one.on_connection_lost("closed again")
    one.on_reconnected()
    one.on_message(state("ended", Outcome.COMPLETED))
    names = [event.name for event in await all_of(one.events())]
    assert names == ["accepted", "reconnecting", "reconnected", "ended"]


async def test_a_party_that_left_out_of_sight_has_left() -> None:
    one = call()
    one.on_message(state("accepted"))
    one.on_message(messages.Party("call", 2, "700", "Ada", "accepted"))
    one.sync(summary())
    assert one.parties[2] == Party(2, "700", "Ada", "ended")


async def test_readers_learn_that_nothing_more_will_come() -> None:
    one = call()
    one.on_message(state("accepted"))
    seen: list[CallEvent] = []

    async def read() -> None:
        async for event in one.events():
            seen.append(event)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    one.fail(ConnectionLost(1006))
    with pytest.raises(ConnectionLost):
        await reading
    assert seen == [Accepted(1.0)]
    with pytest.raises(ConnectionLost):
        await one.wait_for("ended")


async def test_waiting_for_what_there_is_not_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="there is no event 'answered'"):
        await call().wait_for("answered")


async def test_a_call_without_media_says_so() -> None:
    one = call()
    for ask in (lambda: one.received_audio, one.mute, one.unmute):
        with pytest.raises(MediaUnavailable):
            ask()
    with pytest.raises(MediaUnavailable):
        await one.get_stats()


def test_every_error_has_what_programs_and_people_need() -> None:
    for error in (ConnectionLost(1006, "gone"), WaitTimeout("nothing"), MediaUnavailable("call")):
        assert isinstance(error, ClientError)
        assert error.code and error.message == str(error) and error.name == type(error).__name__
        assert isinstance(error.fatal, bool)
