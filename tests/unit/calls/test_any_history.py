"""Whatever happens, in whatever order: nothing is left, nothing is released twice, the end is told once."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ari_bridge.calls import events, plan
from ari_bridge.calls.actions import Action, Do, PlayMusic, Release, StopRinging, TellMedia, TellState
from ari_bridge.calls.events import Event, Failure, Timer
from ari_bridge.calls.state import Call, CallState, Direction, Fact, Resource, RtpAddress, Step
from ari_bridge.calls.transitions import TABLE, step
from ari_bridge.errors import WrongState

ADDRESS = RtpAddress("127.0.0.1", 20000)
CHANNELS = [(Resource.FAR, 0), *((Resource.EXTERNAL_MEDIA, leg) for leg in (1, 2, 3))]

TOLD = [
    events.Accepted(2, "1001", "offer"),
    events.Declined(2, "1001"),
    events.Declined(2, "1002"),
    events.HungUp(2),
    events.DigitsPressed(2, "1"),
    events.Reoffered(2, "another offer", "a session"),
    *(events.ChannelEntered(2, channel, leg) for channel, leg in CHANNELS),
    *(events.ChannelLeft(2, channel, leg) for channel, leg in CHANNELS),
    *(events.ChannelGone(2, channel, q850, "", leg) for channel, leg in CHANNELS for q850 in (0, 16, 17)),
    *(events.MediaLost(2, leg, "rtpengine died") for leg in (1, 2, 3)),
    events.MediaChecked(2, None),
    events.MediaChecked(2, 0.0),
    events.MediaChecked(12, 1.0),
    events.MediaChecked(2, 1.9),
    events.OwnerLost(2),
    events.OwnerBack(2),
    events.FarRinging(2),
    events.FarProgress(2),
    events.FarAnswered(2),
    events.FarFailed(2, "BUSY"),
    events.FarHangsUp(2, 17),
    events.FarDigit(2, "5"),
    events.FarHeld(2, True),
    events.PbxLost(2, "gone"),
    *(events.TimerFired(2, timer) for timer in Timer),
]


class History:
    """Takes events as the world can send them, and watches what must always hold."""

    def __init__(self, direction: Direction) -> None:
        inbound = direction is Direction.INBOUND
        self.call = Call(
            id="call1",
            direction=direction,
            target="1001",
            caller="42",
            created_at=1.0,
            far_channel="call1-far",
            facts=frozenset({Fact.FAR_CREATED, Fact.FAR_ENTERED} if inbound else ()),
            holds=frozenset({Resource.FAR} if inbound else ()),
        )
        self.actions: list[Action] = []
        self.gone: set[tuple[Resource, int]] = set()
        self.stands = held(self.call)  # made, or perhaps made
        if inbound:
            self.tell(events.Arrived(1))
        else:
            self.tell(events.Placed(1))

    def tell(self, event: Event) -> None:
        before = self.call
        if isinstance(event, events.ChannelGone):
            name = (event.resource, event.leg)
            if name in self.gone or name not in held(before):
                return  # no channel ends twice, or before it was asked for
            self.gone.add(name)
        if isinstance(event, events.StepDone | events.StepFailed) and event.step in plan.MAKES:
            if isinstance(event, events.StepDone) or event.failure is not Failure.REFUSED:
                self.stands.add((plan.MAKES[event.step], event.leg))
        try:
            self.call, actions = step(before, event)
        except WrongState:
            assert isinstance(event, events.Accepted | events.Declined | events.DigitsPressed | events.Reoffered)
            return
        self.actions += actions
        self.check(before, event, actions)

    def check(self, before: Call, event: Event, actions: list[Action]) -> None:
        after = self.call
        if before.state is not after.state:
            rule = TABLE[type(event)][list(CallState).index(before.state)]
            assert after.state in rule.to, f"{rule.name} led from {before.state} to {after.state}"
        if before.outcome:
            assert (after.outcome, after.cause, after.ended_at) == (before.outcome, before.cause, before.ended_at)
        assert (after.outcome is None) is after.state.live
        assert after.releasing <= after.holds
        assert after.spare_releasing <= after.spare
        assert after.leg not in {spare.leg for spare in after.spare} | {leg for _, leg in after.stale}
        assert not any(isinstance(action, Do) for action in actions) or after.state.live
        if after.media_lost:  # nothing is begun for a page that has to offer first
            assert not any(isinstance(action, Do) and action.step.of_leg for action in actions)
        for action in actions:
            if isinstance(action, Release):  # what is just being made could come to stand after its release
                assert (plan.MADE_BY[action.resource], action.leg) not in under_way(after)
        if after.state is CallState.ENDED:
            assert not held(after) and not under_way(after) and not after.music

    def settle(self) -> None:
        """The set-up works out, as far as it can."""
        if self.call.direction is Direction.INBOUND:
            self.tell(events.Accepted(2, "1001", "offer", "a session"))
        for channel, leg in CHANNELS:
            self.tell(events.ChannelEntered(2, channel, leg))
        while self.call.state.live and (coming := under_way(self.call)):
            one, leg = min(coming, key=lambda each: (each[0].value, each[1]))
            self.tell(events.StepDone(2, one, ADDRESS, "answer", leg))
        self.tell(events.FarAnswered(2))

    def finish(self) -> None:
        """Our side hangs up; then everything under way comes back."""
        self.tell(events.HungUp(9))
        while coming := under_way(self.call):
            one, leg = min(coming, key=lambda each: (each[0].value, each[1]))
            self.tell(events.StepDone(9, one, ADDRESS, "answer", leg))
        for resource, leg in sorted(held(self.call), key=str):
            self.tell(events.Released(9, resource, leg))


def held(call: Call) -> set[tuple[Resource, int]]:
    present = {(resource, call.leg if resource.of_leg else 0) for resource in call.holds}
    return present | {(spare.resource, spare.leg) for spare in call.spare}


def being_released(call: Call) -> set[tuple[Resource, int]]:
    present = {(resource, call.leg if resource.of_leg else 0) for resource in call.releasing}
    return present | {(spare.resource, spare.leg) for spare in call.spare_releasing}


def under_way(call: Call) -> set[tuple[Step, int]]:
    return {(one, call.leg if one.of_leg else 0) for one in call.waiting} | set(call.stale)


@st.composite
def histories(draw: st.DrawFn) -> History:
    history = History(draw(st.sampled_from(Direction)))
    if history.call.direction is Direction.INBOUND:
        users = draw(st.frozensets(st.sampled_from(["1001", "1002"])))
        history.tell(events.PagesRang(1, users))
    if draw(st.booleans()):  # most of what can go wrong goes wrong with a call that stands
        history.settle()
    for _ in range(draw(st.integers(0, 25))):
        history.tell(draw(st.sampled_from(possible(history.call))))
    return history


def possible(call: Call) -> list[Event]:
    """Results come only of what is under way; everything else can come at any time."""
    waiting = sorted(under_way(call), key=lambda each: (each[0].value, each[1]))
    releasing = sorted(being_released(call), key=lambda each: (each[0].value, each[1]))
    results: list[Event] = [
        events.StepDone(2, one, ADDRESS, "answer" if one is Step.ANSWER_MEDIA else "", leg) for one, leg in waiting
    ]
    results += [events.StepFailed(2, one, failure, "why", leg) for one, leg in waiting for failure in Failure]
    results += [events.Released(2, resource, leg) for resource, leg in releasing]
    return TOLD + results * 2


@settings(max_examples=1500, deadline=None)
@given(histories())
def test_any_history_ends_with_nothing_left(history: History) -> None:
    history.finish()
    assert history.call.state is CallState.ENDED
    releases = Counter((a.resource, a.leg) for a in history.actions if isinstance(a, Release))
    assert all(count == 1 for count in releases.values())
    assert history.stands - history.gone <= set(releases)


@settings(max_examples=500, deadline=None)
@given(histories())
def test_no_state_is_told_after_the_end_nor_before_the_answer(history: History) -> None:
    history.finish()
    told = [a for a in history.actions if isinstance(a, TellState | TellMedia)]
    assert isinstance(told[-1], TellState)
    if history.call.direction is Direction.OUTBOUND and len(told) > 1:
        assert isinstance(told[0], TellMedia)


@settings(max_examples=500, deadline=None)
@given(histories())
def test_music_is_stopped_as_often_as_it_is_played(history: History) -> None:
    history.finish()
    music = [a.on for a in history.actions if isinstance(a, PlayMusic)]
    assert music == [True, False] * (len(music) // 2)


@settings(max_examples=500, deadline=None)
@given(histories())
def test_pages_that_ring_are_stopped(history: History) -> None:
    history.finish()
    if Fact.PAGES_RING in history.call.facts:
        assert any(isinstance(a, StopRinging) for a in history.actions)


def test_every_event_has_a_rule_for_every_state() -> None:
    kinds = {
        cls for cls in vars(events).values() if isinstance(cls, type) and issubclass(cls, Event) and cls is not Event
    }
    assert set(TABLE) == kinds
    assert all(len(rules) == len(CallState) for rules in TABLE.values())
