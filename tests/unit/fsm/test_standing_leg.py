"""A page offers anew while Asterisk makes no channel: its next offer goes to the leg that stands."""

import pytest

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Do, Mute, Notify, Release
from ari_bridge.fsm.call import CallState, LegRef, Resource, Step, Target
from ari_bridge.fsm.events import Failure
from ari_bridge.fsm.notifications import MediaNeeded
from ari_bridge.net import RtpAddress
from ari_bridge.outcomes import Outcome
from tests.unit.fsm.test_transitions import ADDRESS, Story, outbound, talking

REASON = "Allocation failed"


def refused(*, status: int = 500, failure: Failure = Failure.REFUSED) -> Story:
    story = talking()
    offered_anew(story, status=status, failure=failure)
    return story


def offered_anew(story: Story, *, status: int = 500, failure: Failure = Failure.REFUSED) -> None:
    story.tell(events.Reoffered(4, "a first offer"))
    story.works(Step.OFFER_MEDIA)
    story.tell(events.StepFailed(4, Step.CREATE_EXTERNAL_MEDIA, failure, REASON, LegRef(story.call.last_leg), status))


def begun(story: Story, event: events.Event) -> set[tuple[Step, Target]]:
    return {(action.step, action.target) for action in story.tell(event) if isinstance(action, Do)}


def released(story: Story) -> set[tuple[Resource, Target]]:
    return {(action.resource, action.target) for action in story.done if isinstance(action, Release)}


def test_the_page_is_asked_again_and_only_what_was_made_of_the_new_leg_is_released() -> None:
    story = refused()
    assert Notify(MediaNeeded(REASON)) in story.done
    assert released(story) == {(Resource.MEDIA_SESSION, LegRef(2))}


def test_its_next_offer_goes_to_the_session_that_stands_and_nothing_is_made() -> None:
    story = refused()
    assert begun(story, events.Reoffered(5, "a second offer")) == {(Step.REOFFER_MEDIA, LegRef(1))}
    assert story.call.offer == "a second offer"
    assert {action.step for action in story.works(Step.REOFFER_MEDIA) if isinstance(action, Do)} == {Step.ANSWER_MEDIA}
    story.works(Step.ANSWER_MEDIA)
    leg = story.call.leg
    assert leg and (leg.number, leg.media_address, leg.answer) == (1, ADDRESS, "the answer")
    assert not story.call.media_lost and all(old.allocated == old.releasing for old in story.call.old_legs)


def test_it_works_again_and_no_number_is_given_twice() -> None:
    story = refused()
    story.tell(events.Reoffered(5, "a second offer"))
    story.works(Step.REOFFER_MEDIA, Step.ANSWER_MEDIA)
    known: set[Target] = {LegRef(2)}
    for _ in range(2):
        offered_anew(story)
        [new] = {leg for resource, leg in released(story) if resource is Resource.MEDIA_SESSION} - known
        known.add(new)
        assert begun(story, events.Reoffered(6, "another")) == {(Step.REOFFER_MEDIA, LegRef(1))}
        story.works(Step.REOFFER_MEDIA, Step.ANSWER_MEDIA)


def test_what_was_changed_meanwhile_holds_for_the_leg_too() -> None:
    story = refused()
    story.tell(events.Held(5, True))
    assert Mute(True) in story.tell(events.Reoffered(6, "a second offer"))


def test_hanging_up_releases_all_of_it() -> None:
    for again in (False, True):
        story = refused()
        if again:
            story.tell(events.Reoffered(5, "a second offer"))
            story.works(Step.REOFFER_MEDIA, Step.ANSWER_MEDIA)
        story.tell(events.HungUp(9))
        assert released(story) == {
            (Resource.MEDIA_SESSION, LegRef(1)),
            (Resource.MEDIA_SESSION, LegRef(2)),
            (Resource.EXTERNAL_MEDIA, LegRef(1)),
            (Resource.BRIDGE, None),
            (Resource.FAR, None),
        }


def test_a_leg_that_has_gone_is_not_used_again() -> None:
    story = refused()
    story.tell(events.ChannelDestroyed(5, Resource.EXTERNAL_MEDIA, target=LegRef(1)))
    assert {step for step, _ in begun(story, events.Reoffered(6, "a second offer"))} == {Step.OFFER_MEDIA}
    assert story.call.state is CallState.UP


@pytest.mark.parametrize(("status", "failure"), [(404, Failure.REFUSED), (401, Failure.REFUSED), (0, Failure.TIMEOUT)])
def test_any_other_failure_gives_the_leg_up(status: int, failure: Failure) -> None:
    story = refused(status=status, failure=failure)
    assert Notify(MediaNeeded(REASON)) in story.done
    assert (Resource.EXTERNAL_MEDIA, LegRef(1)) in released(story)


def test_a_leg_that_was_lost_is_not_used_again_though_it_is_in_the_bridge() -> None:
    story = outbound()
    story.works(Step.OFFER_MEDIA, Step.CREATE_BRIDGE, Step.CREATE_FAR, Step.CREATE_EXTERNAL_MEDIA)
    story.tell(events.StasisStarted(2, Resource.EXTERNAL_MEDIA, LegRef(1)))
    story.works(Step.BRIDGE_EXTERNAL_MEDIA)
    assert begun(story, events.MediaLost(3, 1, "rtpengine died")) == {(Step.OFFER_MEDIA, LegRef(2))}
    story.tell(events.StepFailed(3, Step.ANSWER_MEDIA, Failure.UNREACHABLE, "rtpengine died", LegRef(1)))
    story.works(Step.OFFER_MEDIA)
    story.tell(events.StepFailed(4, Step.CREATE_EXTERNAL_MEDIA, Failure.REFUSED, REASON, LegRef(2), 500))
    assert story.call.state is CallState.ENDING and story.call.outcome is Outcome.FAILED_PBX
    assert Notify(MediaNeeded(REASON)) not in story.done


def test_a_result_that_comes_back_for_an_earlier_leg_changes_that_leg_only() -> None:
    story = talking()
    story.tell(events.Reoffered(4, "another offer"))
    story.tell(events.Reoffered(5, "a third offer"))
    before = story.call.leg
    assert before and before.number == 3
    other = RtpAddress("127.0.0.1", 30000)
    assert story.tell(events.StepDone(6, Step.OFFER_MEDIA, other, target=LegRef(2))) == []
    assert story.call.leg == before
    old = story.call.media_leg(LegRef(2))
    assert old and old.allocated == {Resource.MEDIA_SESSION} and not old.pending and not old.releasing
