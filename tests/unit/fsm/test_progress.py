"""What is told of a far side before it answers, in every order of 180, 183 and its first packet (RFC 3960, 3.2)."""

import pytest

from ari_bridge.errors import WrongState
from ari_bridge.fsm import events
from ari_bridge.fsm.actions import AwaitEarlyMedia, Notify, SendDigits
from ari_bridge.fsm.call import Call, CallState, Direction, Milestone
from ari_bridge.fsm.events import Event
from ari_bridge.fsm.notifications import StateChanged
from ari_bridge.fsm.transitions import step

RINGING, EARLY, UP = CallState.RINGING, CallState.EARLY, CallState.UP
R180, R183, PACKET, ANSWER = events.FarRinging(2), events.FarProgress(3), events.EarlyMedia(4), events.FarAnswered(5)


def told(*happens: Event) -> list[CallState]:
    """The states that a client of an outbound call is told."""
    facts = frozenset({Milestone.ANSWER_SENT})
    call = Call("c", Direction.OUTBOUND, "7001", "alice", 1.0, far_channel="c-far", milestones=facts)
    states: list[CallState] = []
    for event in happens:
        before = call.state
        call, actions = step(call, event)
        states += [
            call.state
            for action in actions
            if isinstance(action, Notify) and isinstance(action.notification, StateChanged)
        ]
        if call.state is RINGING and before is not RINGING:
            assert AwaitEarlyMedia() in actions, "it is looked for as soon as it may come"
    return states


@pytest.mark.parametrize(
    ("happens", "states"),
    [
        ([R180, ANSWER], [RINGING, UP]),
        ([R183, ANSWER], [RINGING, UP]),
        ([R180, R183, ANSWER], [RINGING, UP]),
        ([R183, R180, ANSWER], [RINGING, UP]),
        ([R183, PACKET, ANSWER], [RINGING, EARLY, UP]),
        ([R180, PACKET, ANSWER], [RINGING, EARLY, UP]),
        ([R183, PACKET, R180, ANSWER], [RINGING, EARLY, UP]),
        ([R183, R183, PACKET, R183, PACKET, ANSWER], [RINGING, EARLY, UP]),
        ([ANSWER, PACKET], [UP]),
    ],
)
def test_ringback_until_the_first_packet_or_the_answer(happens: list[Event], states: list[CallState]) -> None:
    assert told(*happens) == states


def test_a_caller_s_own_channel_changes_nothing() -> None:
    call = Call("c", Direction.INBOUND, "1001", "42", 1.0, far_channel="ast-1", state=RINGING)
    for event in (R180, R183, PACKET):
        assert step(call, event) == (call, [])


def test_digits_are_sent_where_the_far_side_has_opened_a_path() -> None:
    call = Call("c", Direction.OUTBOUND, "7001", "alice", 1.0, far_channel="c-far")
    call, _ = step(call, R180)
    with pytest.raises(WrongState):
        step(call, events.DigitsPressed(3, "1"))
    call, _ = step(call, R183)
    assert step(call, events.DigitsPressed(4, "1")) == (call, [SendDigits("1")])
