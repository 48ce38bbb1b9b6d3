"""What the table decides, told as stories of calls."""

from dataclasses import dataclass, field

import pytest

from ari_bridge.errors import IllegalEvent, WrongState
from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, Do, Notify, Release, RingPages, StartTimer, StopRinging
from ari_bridge.fsm.call import Call, CallState, Direction, LegRef, MediaLeg, Milestone, Resource, Step
from ari_bridge.fsm.events import Event, Failure, Timer
from ari_bridge.fsm.notifications import MediaReady, StateChanged
from ari_bridge.fsm.setup_plan import MEDIA_LEG
from ari_bridge.fsm.transitions import step
from ari_bridge.net import RtpAddress
from ari_bridge.outcomes import Cause, Outcome

ADDRESS = RtpAddress("127.0.0.1", 20000)
LEG = LegRef(1)
OF_LEG = {Resource.MEDIA_SESSION, Resource.EXTERNAL_MEDIA}
ALL = {*Resource} - {Resource.PARTY, Resource.NEAR, Resource.PHONE}  # what a call of two holds


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
        actions: list[Action] = []
        for one in steps:
            sdp = "the answer" if one is Step.ANSWER_MEDIA else ""
            actions += self.tell(events.StepDone(2, one, ADDRESS, sdp, leg_of(self.call, one)))
        return actions


def leg_of(call: Call, one: Step) -> LegRef | None:
    """What an event about the step is about: the present media leg, if it is one of a leg."""
    return call.leg.ref if call.leg and one in MEDIA_LEG else None


def everything(call: Call) -> set[Resource]:
    return {*call.allocated, *(resource for leg in call.legs for resource in leg.allocated)}


def outbound() -> Story:
    story = Story(
        Call("c1", Direction.OUTBOUND, "600", "alice", 1.0, far_channel="c1-far", leg=MediaLeg(1, "the offer"))
    )
    story.tell(events.Placed(1))
    return story


def talking() -> Story:
    story = outbound()
    story.works(Step.OFFER_MEDIA, Step.CREATE_BRIDGE, Step.CREATE_FAR, Step.CREATE_EXTERNAL_MEDIA, Step.ANSWER_MEDIA)
    story.tell(events.StasisStarted(2, Resource.FAR))
    story.tell(events.StasisStarted(2, Resource.EXTERNAL_MEDIA, LegRef(1)))
    story.works(Step.BRIDGE_FAR, Step.BRIDGE_EXTERNAL_MEDIA, Step.DIAL_FAR)
    story.tell(events.FarAnswered(3))
    return story


def inbound(users: frozenset[str] = frozenset({"1001"})) -> Story:
    held = frozenset({Resource.FAR})
    facts = frozenset({Milestone.FAR_CREATED, Milestone.FAR_ENTERED})
    story = Story(
        Call("c2", Direction.INBOUND, "1001", "42", 1.0, far_channel="ast-1", milestones=facts, allocated=held)
    )
    assert RingPages() in story.tell(events.Arrived(1))
    story.tell(events.PagesRang(1, users))
    if users:
        story.works(Step.RING_FAR)
    return story


def test_a_placed_call_begins_media_bridge_and_far_leg_at_once() -> None:
    assert set(outbound().done) >= {Do(Step.OFFER_MEDIA, LEG), Do(Step.CREATE_BRIDGE), Do(Step.CREATE_FAR)}


def test_the_invite_waits_for_the_bridge_but_not_for_media() -> None:
    story = outbound()
    story.works(Step.CREATE_BRIDGE, Step.CREATE_FAR)
    assert story.tell(events.StasisStarted(2, Resource.FAR)) == [Do(Step.BRIDGE_FAR)]
    assert story.works(Step.BRIDGE_FAR) == [Do(Step.DIAL_FAR)]
    assert Milestone.MEDIA_OFFERED not in story.call.reached


def test_the_browser_gets_its_answer_before_any_state() -> None:
    story = outbound()
    story.works(Step.CREATE_BRIDGE, Step.CREATE_FAR)
    story.tell(events.FarRinging(2))
    assert Notify(StateChanged()) not in story.done
    story.works(Step.OFFER_MEDIA, Step.CREATE_EXTERNAL_MEDIA)
    assert story.works(Step.ANSWER_MEDIA) == [Notify(MediaReady()), Notify(StateChanged())]
    assert story.call.state is CallState.RINGING


def test_an_answered_call_is_up_and_everything_is_held() -> None:
    story = talking()
    assert story.call.state is CallState.UP
    assert everything(story.call) == ALL


def test_hanging_up_releases_everything_once_and_tells_the_end_once() -> None:
    story = talking()
    actions = story.tell(events.HungUp(9))
    assert sorted(a.resource.value for a in actions if isinstance(a, Release)) == sorted(r.value for r in ALL)
    for resource in ALL:
        story.tell(events.Released(9, resource, LEG if resource in OF_LEG else None))
    assert story.call.state is CallState.ENDED
    assert story.call.outcome is Outcome.COMPLETED
    story.tell(events.HungUp(10))
    assert story.done.count(Notify(StateChanged())) == 3  # trying, accepted, ended


def test_hanging_up_before_the_answer_cancels() -> None:
    story = outbound()
    story.tell(events.HungUp(2))
    assert story.call.outcome is Outcome.CANCELLED


def test_what_is_being_made_while_the_call_ends_is_released_when_it_stands() -> None:
    story = outbound()
    assert not [a for a in story.tell(events.HungUp(2)) if isinstance(a, Release)]
    assert story.works(Step.CREATE_FAR) == [Release(Resource.FAR)]
    assert story.tell(events.StepFailed(3, Step.CREATE_BRIDGE, Failure.TIMEOUT, "no answer")) == [
        Release(Resource.BRIDGE)
    ]
    story.tell(events.StepFailed(3, Step.OFFER_MEDIA, Failure.REFUSED, "no", LEG))
    assert everything(story.call) == {Resource.FAR, Resource.BRIDGE}


@pytest.mark.parametrize(
    ("q850", "outcome"),
    [(17, Outcome.BUSY), (21, Outcome.REJECTED), (1, Outcome.UNREACHABLE), (19, Outcome.NO_ANSWER)],
)
def test_the_far_sides_cause_is_the_outcome(q850: int, outcome: Outcome) -> None:
    story = outbound()
    story.works(Step.CREATE_FAR)
    story.tell(events.ChannelDestroyed(2, Resource.FAR, q850, "as it says"))
    assert story.call.outcome is outcome
    assert Resource.FAR not in story.call.allocated


def test_a_cause_that_the_end_has_lost_is_that_of_the_hang_up_request() -> None:
    story = outbound()
    story.works(Step.CREATE_FAR)
    story.tell(events.FarHangsUp(2, 17))
    story.tell(events.ChannelDestroyed(2, Resource.FAR, 16, "Normal Clearing"))
    assert story.call.outcome is Outcome.BUSY
    assert story.call.cause and story.call.cause.q850 == 17


def ringing() -> Story:
    call = Call("c1", Direction.INBOUND, "1001", "7001", 1.0, allocated=frozenset({Resource.FAR}))
    story = Story(call)
    story.tell(events.Arrived(1))
    story.tell(events.PagesRang(1, frozenset({"1001"})))
    return story


@pytest.mark.parametrize(
    ("q850", "outcome", "reason"),
    [
        (26, Outcome.ANSWERED_ELSEWHERE, "answered_elsewhere"),
        (127, Outcome.CANCELLED, "cancelled"),
        (16, Outcome.CANCELLED, "cancelled"),
    ],
)
def test_a_caller_who_is_gone_has_given_up_or_talks_to_somebody_else(q850: int, outcome: Outcome, reason: str) -> None:
    story = ringing()
    actions = story.tell(events.ChannelDestroyed(9, Resource.FAR, q850, "as it says"))
    assert StopRinging(None, reason) in actions
    assert story.call.outcome is outcome
    assert story.call.cause == Cause(q850, "as it says", 487)


def test_that_somebody_else_answered_is_known_by_the_hang_up_request_too() -> None:
    story = ringing()
    story.tell(events.FarHangsUp(9, 26))
    story.tell(events.StasisEnded(9, Resource.FAR))
    story.tell(events.TimerFired(10, Timer.EXPLAIN))  # the channel's end never came
    assert story.call.outcome is Outcome.ANSWERED_ELSEWHERE
    assert story.call.cause and story.call.cause.q850 == 26


def test_somebody_else_may_answer_while_our_user_does() -> None:
    story = ringing()
    story.tell(events.Accepted(5, "1001", "an offer"))
    story.tell(events.ChannelDestroyed(5, Resource.FAR, 26, "Answered elsewhere"))
    assert story.call.outcome is Outcome.ANSWERED_ELSEWHERE


def test_the_cause_of_who_answered_elsewhere_means_nothing_after_the_answer() -> None:
    story = talking()
    story.tell(events.ChannelDestroyed(9, Resource.FAR, 26, "Answered elsewhere"))
    assert story.call.outcome is Outcome.COMPLETED


def test_the_far_side_ending_an_answered_call_completes_it() -> None:
    story = talking()
    story.tell(events.ChannelDestroyed(9, Resource.FAR, 16, "Normal Clearing"))
    assert story.call.outcome is Outcome.COMPLETED


def test_nobody_answering_in_time_is_no_answer() -> None:
    story = outbound()
    story.tell(events.TimerFired(46, Timer.RING))
    assert story.call.outcome is Outcome.NO_ANSWER


@pytest.mark.parametrize(
    ("failed", "failure", "outcome"),
    [
        (Step.OFFER_MEDIA, Failure.UNREACHABLE, Outcome.FAILED_MEDIA),
        (Step.CREATE_BRIDGE, Failure.TIMEOUT, Outcome.FAILED_PBX),
        (Step.CREATE_FAR, Failure.REFUSED, Outcome.UNREACHABLE),
        (Step.CREATE_FAR, Failure.TIMEOUT, Outcome.FAILED_PBX),
    ],
)
def test_a_step_that_fails_ends_the_call(failed: Step, failure: Failure, outcome: Outcome) -> None:
    story = outbound()
    story.tell(events.StepFailed(2, failed, failure, "why", leg_of(story.call, failed)))
    assert story.call.outcome is outcome
    assert story.call.cause and story.call.cause.text == "why"


def test_a_refused_command_on_a_dying_channel_waits_for_its_cause() -> None:
    story = outbound()
    story.works(Step.CREATE_BRIDGE, Step.CREATE_FAR)
    story.tell(events.StasisStarted(2, Resource.FAR))
    actions = story.tell(events.StepFailed(2, Step.BRIDGE_FAR, Failure.REFUSED, "Channel not found"))
    assert actions == [StartTimer(Timer.EXPLAIN)]
    story.tell(events.ChannelDestroyed(2, Resource.FAR, 17, "User busy"))
    assert story.call.outcome is Outcome.BUSY


def test_an_inbound_call_rings_the_pages_and_tells_the_caller() -> None:
    story = inbound()
    assert story.call.state is CallState.RINGING
    assert Do(Step.RING_FAR) in story.done


def test_without_a_page_the_caller_goes_back_to_the_dialplan() -> None:
    story = inbound(frozenset())
    assert story.call.dialplan_status == "UNAVAILABLE"
    assert story.done[-1] == Release(Resource.FAR)


def test_the_first_page_wins_and_the_second_is_told() -> None:
    story = inbound()
    actions = story.tell(events.Accepted(2, "1001", "the offer"))
    assert StopRinging(None, "accepted_elsewhere") in actions
    with pytest.raises(WrongState):
        story.tell(events.Accepted(2, "1001", "another offer"))
    assert story.call.offer == "the offer"


def test_the_caller_is_answered_only_when_somebody_can_be_heard() -> None:
    story = inbound()
    story.tell(events.Accepted(2, "1001", "the offer"))
    story.works(Step.OFFER_MEDIA, Step.CREATE_BRIDGE, Step.CREATE_EXTERNAL_MEDIA)
    story.tell(events.StasisStarted(2, Resource.EXTERNAL_MEDIA, LegRef(1)))
    assert Do(Step.ANSWER_FAR) not in story.works(Step.BRIDGE_FAR)
    assert Do(Step.ANSWER_FAR) in story.works(Step.BRIDGE_EXTERNAL_MEDIA)
    story.works(Step.ANSWER_FAR)
    assert story.call.state is CallState.UP


def test_media_that_fails_sends_the_caller_to_the_dialplan() -> None:
    story = inbound()
    story.tell(events.Accepted(2, "1001", "the offer"))
    story.tell(events.StepFailed(2, Step.OFFER_MEDIA, Failure.UNREACHABLE, "rtpengine is gone", LEG))
    assert (story.call.outcome, story.call.dialplan_status) == (Outcome.FAILED_MEDIA, "UNAVAILABLE")


def test_one_of_two_users_declining_lets_the_other_ring() -> None:
    story = inbound(frozenset({"1001", "1002"}))
    assert story.tell(events.Declined(2, "1001")) == [StopRinging("1001", "declined")]
    story.tell(events.Declined(2, "1002"))
    assert (story.call.outcome, story.call.dialplan_status) == (Outcome.REJECTED, "DECLINED")


def test_a_caller_who_gives_up_stops_the_ringing() -> None:
    story = inbound()
    actions = story.tell(events.ChannelDestroyed(2, Resource.FAR, 16))
    assert StopRinging(None, "cancelled") in actions
    assert story.call.outcome is Outcome.CANCELLED
    assert story.call.state is CallState.ENDED


def test_an_event_that_cannot_happen_is_a_bug_and_changes_nothing() -> None:
    story = talking()
    with pytest.raises(IllegalEvent, match="Placed cannot happen while accepted"):
        story.tell(events.Placed(9))


def test_a_number_that_the_dialplan_does_not_have_is_unreachable() -> None:
    story = outbound()
    story.works(Step.CREATE_FAR)
    story.tell(events.ChannelDestroyed(2, Resource.FAR, 16, "Normal Clearing"))
    assert story.call.outcome is Outcome.UNREACHABLE


def test_a_far_side_that_rang_and_ended_normally_did_not_answer() -> None:
    story = outbound()
    story.works(Step.CREATE_FAR)
    story.tell(events.FarRinging(2))
    story.tell(events.ChannelDestroyed(3, Resource.FAR, 16, "Normal Clearing"))
    assert story.call.outcome is Outcome.NO_ANSWER


def test_a_caller_who_leaves_without_a_word_has_given_up() -> None:
    story = inbound()
    story.tell(events.StasisEnded(3, Resource.FAR))
    story.tell(events.TimerFired(4, Timer.EXPLAIN))
    assert story.call.outcome is Outcome.CANCELLED


def test_a_far_side_that_leaves_without_a_word_is_the_pbx_s_fault() -> None:
    story = outbound()
    story.tell(events.StasisEnded(3, Resource.FAR))
    story.tell(events.TimerFired(4, Timer.EXPLAIN))
    assert story.call.outcome is Outcome.FAILED_PBX
