"""Calls of SIP clients: what the table and the recovery decide of them, told as stories."""

from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.engine.hangup_causes import q850_for_near
from ari_bridge.errors import WrongState
from ari_bridge.fsm import events, setup_plan
from ari_bridge.fsm.actions import Action, AwaitEarlyMedia, Do, Mute, Notify, PlayMusic, Release, StartTimer
from ari_bridge.fsm.call import Call, CallState, Direction, PartyRef, PartyState, Resource, SipChannel, Step
from ari_bridge.fsm.events import Event, Timer
from ari_bridge.fsm.notifications import HoldChanged, StateChanged
from ari_bridge.fsm.recovery import PbxSnapshot, recover
from ari_bridge.fsm.transitions import step
from ari_bridge.outcomes import Cause, Outcome

NEAR = "ast-1"


@dataclass
class Story:
    """A call and what happens to it; `done` collects every action."""

    call: Call
    done: list[Action] = field(default_factory=list)

    def tell(self, event: Event) -> list[Action]:
        self.call, actions = step(self.call, event)
        self.done += actions
        return actions

    def works(self, *steps: Step) -> list[Action]:
        return [action for one in steps for action in self.tell(events.StepDone(2, one))]


def placed() -> Story:
    call = Call("c1.a", Direction.OUTBOUND, "7001", "1001", 1.0, user="1001", far_channel="c1.a-far")
    call = replace(call, near=SipChannel(NEAR, "PJSIP/edge-1"), allocated=frozenset({Resource.NEAR}))
    story = Story(call)
    story.tell(events.Placed(1))
    return story


def ringing() -> Story:
    story = placed()
    story.works(Step.CREATE_BRIDGE, Step.CREATE_FAR)
    story.tell(events.StasisStarted(2, Resource.FAR))
    story.works(Step.BRIDGE_NEAR, Step.BRIDGE_FAR, Step.DIAL_FAR)
    story.tell(events.FarRinging(2))
    return story


def talking() -> Story:
    story = ringing()
    story.tell(events.FarAnswered(3))
    return story


def test_nothing_of_a_media_leg_is_made_and_the_far_side_is_dialled_once_both_are_bridged() -> None:
    story = placed()
    assert [a.step for a in story.done if isinstance(a, Do)] == [Step.CREATE_FAR, Step.CREATE_BRIDGE]
    story.works(Step.CREATE_BRIDGE, Step.CREATE_FAR)
    story.tell(events.StasisStarted(2, Resource.FAR))
    assert Do(Step.DIAL_FAR) not in story.works(Step.BRIDGE_FAR)
    assert Do(Step.DIAL_FAR) in story.works(Step.BRIDGE_NEAR)
    assert not [a for a in story.done if isinstance(a, Do) and a.step in setup_plan.MEDIA_LEG]


def test_states_are_told_without_an_sdp_answer_and_no_media_is_watched() -> None:
    story = talking()
    assert story.call.state is CallState.UP
    assert story.done.count(Notify(StateChanged())) == 2
    assert AwaitEarlyMedia() not in story.done
    assert StartTimer(Timer.MEDIA) not in story.done
    assert setup_plan.complete(story.call)


@pytest.mark.parametrize(("story", "outcome"), [(ringing(), Outcome.CANCELLED), (talking(), Outcome.COMPLETED)])
def test_its_end_is_the_call_s(story: Story, outcome: Outcome) -> None:
    story.tell(events.StasisEnded(4, Resource.NEAR))
    actions = story.tell(events.ChannelDestroyed(4, Resource.NEAR, 16))
    assert story.call.outcome is outcome
    assert Release(Resource.FAR) in actions and Release(Resource.NEAR) not in actions


def test_it_is_hung_up_once_when_the_far_side_ends() -> None:
    story = talking()
    actions = story.tell(events.ChannelDestroyed(4, Resource.FAR, 16))
    assert actions.count(Release(Resource.NEAR)) == 1
    story.tell(events.ChannelDestroyed(4, Resource.NEAR, 16))
    story.tell(events.Released(4, Resource.BRIDGE))
    assert story.call.state is CallState.ENDED


def test_it_is_hung_up_before_the_bridge_ends_which_would_give_it_another_cause() -> None:
    story = ringing()
    first = story.tell(events.ChannelDestroyed(3, Resource.FAR, 1, "", sip=404))
    assert Release(Resource.NEAR) in first and Release(Resource.BRIDGE) not in first
    assert Release(Resource.BRIDGE) in story.tell(events.Released(3, Resource.NEAR))


def test_its_own_hold_is_told_and_left_to_asterisk() -> None:
    story = talking()
    actions = story.tell(events.NearHeld(4, True))
    assert story.call.held
    assert actions == [Notify(HoldChanged(by_us=True))]
    with pytest.raises(WrongState):
        story.tell(events.Held(4, False))
    story.tell(events.NearHeld(5, False))
    assert not story.call.held


def test_a_hold_by_our_api_isolates_it() -> None:
    story = talking()
    actions = story.tell(events.Held(4, True))
    assert Mute(True) in actions and PlayMusic(True) in actions


def test_no_page_can_give_it_media() -> None:
    with pytest.raises(WrongState):
        talking().tell(events.Reoffered(4, "an offer"))


def test_a_transfer_that_succeeds_hangs_it_up_and_the_others_continue() -> None:
    story = talking()
    story.tell(events.PartyInvited(4, "7002", "PJSIP/7002@trunk", transfer=True))
    story.tell(events.StepDone(4, Step.CREATE_PARTY, target=PartyRef(2)))
    story.tell(events.StasisStarted(4, Resource.PARTY, PartyRef(2)))
    story.tell(events.StepDone(4, Step.DIAL_PARTY, target=PartyRef(2)))
    story.tell(events.PartyAnswered(5, 2))
    actions = story.tell(events.StepDone(5, Step.BRIDGE_PARTY, target=PartyRef(2)))
    assert Release(Resource.NEAR) in actions
    story.tell(events.ChannelDestroyed(5, Resource.NEAR, 16))
    assert story.call.state is CallState.UP and story.call.left_outcome is Outcome.TRANSFERRED
    assert story.call.parties[0].state is PartyState.UP


# --- after a restart ------------------------------------------------------------------------


def seen(*channels: str, bridged: tuple[str, ...] = ()) -> PbxSnapshot:
    bridge = Bridge("c1.a-br", channels=list(bridged))
    return PbxSnapshot({one: Channel(one, state="Up") for one in channels}, {bridge.id: bridge}, frozenset())


def test_a_call_that_stands_whole_is_left_alone() -> None:
    record = talking().call
    call, actions = recover(record, seen(NEAR, "c1.a-far", bridged=(NEAR, "c1.a-far")), 9.0)
    assert call.state is CallState.UP and not call.media_lost
    assert not [a for a in actions if isinstance(a, Do | Release)]
    assert StartTimer(Timer.GRACE) not in actions


def test_one_whose_client_is_not_in_the_bridge_yet_is_bridged() -> None:
    call, actions = recover(ringing().call, seen(NEAR, "c1.a-far", bridged=("c1.a-far",)), 9.0)
    assert Do(Step.BRIDGE_NEAR) in actions
    assert call.state is CallState.UP


@pytest.mark.parametrize(("record", "outcome"), [(ringing(), Outcome.CANCELLED), (talking(), Outcome.COMPLETED)])
def test_one_whose_client_is_gone_ends(record: Story, outcome: Outcome) -> None:
    call, actions = recover(record.call, seen("c1.a-far"), 9.0)
    assert call.outcome is outcome
    assert Release(Resource.FAR) in actions


# --- the cause that the client gets ------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "cause", "q850"),
    [
        (Outcome.BUSY, Cause(17), 17),
        (Outcome.UNREACHABLE, Cause(0), 34),
        (Outcome.NO_ANSWER, Cause(0), 19),
        (Outcome.FORBIDDEN, Cause(0), 21),
        (Outcome.FAILED_PBX, Cause(0), 34),
        (Outcome.UNREACHABLE, Cause(27), 27),
        (Outcome.NO_ANSWER, Cause(16), 19),
    ],
)
def test_the_cause(outcome: Outcome, cause: Cause, q850: int) -> None:
    assert q850_for_near(replace(ringing().call, outcome=outcome, cause=cause)) == q850


def test_after_the_answer_it_is_normal_clearing() -> None:
    assert q850_for_near(replace(talking().call, outcome=Outcome.COMPLETED, cause=Cause(34))) == 16
