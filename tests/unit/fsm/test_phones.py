"""The SIP phones of a called user beside the pages: what the table and the recovery decide, told as stories."""

import pytest

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.fsm import events
from ari_bridge.fsm.actions import CheckRinging, Do, Release, StartTimer, StopRinging
from ari_bridge.fsm.call import Call, CallState, Direction, Milestone, Resource, Step
from ari_bridge.fsm.events import Failure, Timer
from ari_bridge.fsm.recovery import PbxSnapshot, recover
from ari_bridge.fsm.transitions import step
from ari_bridge.outcomes import Outcome
from tests.unit.fsm.test_near import Story

DIAL = "PJSIP/edge/sip:1001@127.0.0.1:5062"
STOP = StopRinging(None, "accepted_elsewhere")


def rings() -> Story:
    facts = frozenset({Milestone.FAR_CREATED, Milestone.FAR_ENTERED})
    held = frozenset({Resource.FAR})
    story = Story(
        Call("c2.a", Direction.INBOUND, "1001", "42", 1.0, far_channel="ast-1", milestones=facts, allocated=held)
    )
    story.tell(events.Arrived(1))
    story.tell(events.PagesRang(1, frozenset({"1001"}), phone=DIAL))
    story.works(Step.RING_FAR, Step.CREATE_PHONE)
    story.tell(events.StasisStarted(2, Resource.PHONE))
    story.works(Step.DIAL_PHONE)
    return story


def test_a_phone_is_made_and_dialled_beside_the_pages() -> None:
    story = rings()
    steps = [a.step for a in story.done if isinstance(a, Do)]
    assert steps == [Step.RING_FAR, Step.CREATE_PHONE, Step.DIAL_PHONE]


def test_a_phone_that_answers_is_the_near_side() -> None:
    story = rings()
    actions = story.tell(events.PhoneAnswered(3))
    assert STOP in actions and Do(Step.CREATE_BRIDGE) in actions
    assert story.call.state is CallState.ACCEPTING and story.call.user == "1001"
    assert story.call.near and story.call.near.id == "c2.a-ph"
    story.works(Step.CREATE_BRIDGE)
    assert Do(Step.ANSWER_FAR) in story.works(Step.BRIDGE_FAR, Step.BRIDGE_NEAR)
    actions = story.works(Step.ANSWER_FAR)
    assert story.call.answered_at
    assert StartTimer(Timer.MEDIA) not in actions
    story.tell(events.ChannelDestroyed(9, Resource.NEAR, 16))
    assert story.call.outcome is Outcome.COMPLETED


def test_a_page_that_answers_first_stops_the_phone() -> None:
    story = rings()
    assert Release(Resource.PHONE) in story.tell(events.Accepted(3, "1001", "an offer"))
    story.tell(events.PhoneAnswered(3))
    assert story.call.near is None


def test_one_that_is_still_being_made_stops_once_it_is() -> None:
    fresh = Story(Call("c3.a", Direction.INBOUND, "1001", "42", 1.0, far_channel="ast-1"))
    fresh.tell(events.Arrived(1))
    fresh.tell(events.PagesRang(1, frozenset({"1001"}), phone=DIAL))
    assert Release(Resource.PHONE) not in fresh.tell(events.Accepted(2, "1001", "an offer"))
    assert Release(Resource.PHONE) in fresh.works(Step.CREATE_PHONE)


@pytest.mark.parametrize("q850", [1, 20, 18, 34, 0])
def test_one_that_cannot_be_reached_leaves_the_pages_ringing(q850: int) -> None:
    story = rings()
    assert story.tell(events.ChannelDestroyed(3, Resource.PHONE, q850)) == [CheckRinging()]
    assert story.call.state is CallState.RINGING and story.call.outcome is None


@pytest.mark.parametrize(
    ("status", "forward", "outcome"),
    [
        ("UNAVAILABLE", "", Outcome.UNREACHABLE),
        ("FORWARD", "200", Outcome.TRANSFERRED),
        ("VOICEMAIL", "voicemail", Outcome.TRANSFERRED),
    ],
)
def test_without_a_page_the_caller_goes_on(status: str, forward: str, outcome: Outcome) -> None:
    story = rings()
    story.tell(events.ChannelDestroyed(3, Resource.PHONE, 20))
    story.tell(events.NobodyRings(3, status, forward))
    assert (story.call.outcome, story.call.dialplan_status, story.call.forward) == (outcome, status, forward)


def test_a_page_that_has_answered_meanwhile_keeps_the_caller() -> None:
    story = rings()
    story.tell(events.ChannelDestroyed(3, Resource.PHONE, 20))
    story.tell(events.Accepted(3, "1001", "an offer"))
    assert story.tell(events.NobodyRings(3, "UNAVAILABLE", "")) == []
    assert story.call.state is CallState.ACCEPTING


@pytest.mark.parametrize("step", [Step.CREATE_PHONE, Step.DIAL_PHONE])
def test_neither_does_a_refusal_of_asterisk(step: Step) -> None:
    story = rings()
    story.tell(events.StepFailed(3, step, Failure.REFUSED, "no such endpoint", status=500))
    assert story.call.state is CallState.RINGING and story.call.outcome is None


@pytest.mark.parametrize(("q850", "status"), [(17, "BUSY"), (21, "DECLINED")])
def test_one_that_declines_does_so_for_its_user(q850: int, status: str) -> None:
    story = rings()
    story.tell(events.ChannelDestroyed(3, Resource.PHONE, q850))
    assert (story.call.outcome, story.call.dialplan_status) == (Outcome.REJECTED, status)


def seen(*channels: Channel, bridged: tuple[str, ...] = ()) -> PbxSnapshot:
    bridges = {"c2.a-br": Bridge("c2.a-br", channels=list(bridged))} if bridged else {}
    return PbxSnapshot({one.id: one for one in channels}, bridges, frozenset())


def test_it_rings_on_after_a_restart() -> None:
    call, actions = recover(rings().call, seen(Channel("ast-1", state="Ring"), Channel("c2.a-ph", state="Ringing")), 9)
    assert call.state is CallState.RINGING
    assert Resource.PHONE in call.allocated
    assert not [a for a in actions if isinstance(a, Do | Release)]


def test_one_that_answered_meanwhile_has_the_call() -> None:
    call, actions = recover(rings().call, seen(Channel("ast-1", state="Ring"), Channel("c2.a-ph", state="Up")), 9)
    assert call.state is CallState.ACCEPTING and call.near
    assert Do(Step.CREATE_BRIDGE) in actions


def test_one_that_had_answered_is_connected_by_the_next_process() -> None:
    story = rings()
    story.tell(events.PhoneAnswered(3))
    there = seen(Channel("ast-1", state="Ring"), Channel("c2.a-ph", state="Up"), bridged=("c2.a-ph",))
    call, actions = recover(story.call, there, 9)
    assert call.state is CallState.ACCEPTING
    assert Do(Step.BRIDGE_FAR) in actions and Do(Step.BRIDGE_NEAR) not in actions
    assert StartTimer(Timer.SETUP) in actions, "it would wait for ever"
    call, _ = step(call, events.TimerFired(20, Timer.SETUP))
    assert call.outcome is Outcome.FAILED_PBX
