"""A caller whom a page had just taken when we died: answered, and so talked to, or still ringing."""

import pytest

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.fsm.actions import Do, Release
from ari_bridge.fsm.call import Call, CallState, Direction, MediaLeg, Step
from ari_bridge.fsm.recovery import PbxSnapshot, recover

CALLER, LEG, BRIDGE = "ast-1", "call1-em", "call1-br"
ACCEPTED = Call(
    id="call1",
    direction=Direction.INBOUND,
    target="1001",
    caller="42",
    created_at=1.0,
    state=CallState.ACCEPTING,
    user="1001",
    session="a session",
    users=frozenset({"1001", "1002"}),
    far_channel=CALLER,
    leg=MediaLeg(1),
    last_leg=1,
)


def seen(caller: str, *members: str, legs: frozenset[str] | None = frozenset({LEG})) -> PbxSnapshot:
    """`caller`: the state of its channel."""
    channels = {CALLER: Channel(CALLER, state=caller), LEG: Channel(LEG, state="Up")}
    return PbxSnapshot(channels, {BRIDGE: Bridge(BRIDGE, name="ari-bridge", channels=[*members])}, legs)


@pytest.mark.parametrize("legs", [frozenset({LEG}), None], ids=["", "rtpengine-unseen"])
def test_one_that_was_answered_is_talked_to(legs: frozenset[str] | None) -> None:
    call, actions = recover(ACCEPTED, seen("Up", CALLER, LEG, legs=legs), 9.0)
    assert (call.state, call.user, call.session, call.media_lost) == (CallState.UP, "1001", "a session", False)
    assert call.answered_at == 9.0
    assert not any(isinstance(action, Do | Release) for action in actions)


def test_one_that_was_answered_and_has_lost_its_media_is_kept() -> None:
    call, _ = recover(ACCEPTED, seen("Up", CALLER, LEG, legs=frozenset()), 9.0)
    assert (call.state, call.user, call.media_lost) == (CallState.UP, "1001", True)


@pytest.mark.parametrize(
    "stands",
    [seen("Ring", CALLER, LEG), seen("Up", CALLER), seen("Up", LEG), seen("Up")],
    ids=["not-answered", "no-leg-there", "caller-not-there", "nobody-there"],
)
def test_one_that_was_not_rings_again(stands: PbxSnapshot) -> None:
    """Up may be the dialplan's answer, from before the caller came to us."""
    call, actions = recover(ACCEPTED, stands, 9.0)
    assert (call.state, call.user, call.users) == (CallState.RINGING, None, ACCEPTED.users)
    assert not any(isinstance(action, Do) and action.step is Step.ANSWER_FAR for action in actions)
