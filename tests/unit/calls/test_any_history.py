"""Whatever happens, in whatever order: nothing is left, nothing is released twice, the end is told once."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ari_bridge.calls import events, plan
from ari_bridge.calls.actions import Action, Do, Release, StopRinging, TellMedia, TellState
from ari_bridge.calls.events import Event, Failure, Timer
from ari_bridge.calls.state import Call, CallState, Direction, Fact, Resource, RtpAddress, Step
from ari_bridge.calls.transitions import TABLE, step
from ari_bridge.errors import WrongState

ADDRESS = RtpAddress("127.0.0.1", 20000)
CHANNELS = [Resource.FAR, Resource.EXTERNAL_MEDIA]

TOLD = [
    events.Accepted(2, "1001", "offer"),
    events.Declined(2, "1001"),
    events.Declined(2, "1002"),
    events.HungUp(2),
    events.DigitsPressed(2, "1"),
    *(events.ChannelEntered(2, channel) for channel in CHANNELS),
    *(events.ChannelLeft(2, channel) for channel in CHANNELS),
    *(events.ChannelGone(2, channel, q850) for channel in CHANNELS for q850 in (0, 16, 17)),
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
            id="c1",
            direction=direction,
            target="1001",
            caller="42",
            created_at=1.0,
            far_channel="c1-far",
            facts=frozenset({Fact.FAR_CREATED, Fact.FAR_ENTERED} if inbound else ()),
            holds=frozenset({Resource.FAR} if inbound else ()),
        )
        self.actions: list[Action] = []
        self.gone: set[Resource] = set()
        self.stands = set(self.call.holds)  # made, or perhaps made
        if inbound:
            self.tell(events.Arrived(1))
        else:
            self.tell(events.Placed(1))

    def tell(self, event: Event) -> None:
        before = self.call
        if isinstance(event, events.ChannelGone):
            if event.resource in self.gone or event.resource not in before.holds:
                return  # no channel ends twice, or before it was asked for
            self.gone.add(event.resource)
        if isinstance(event, events.StepDone | events.StepFailed) and event.step in plan.MAKES:
            if isinstance(event, events.StepDone) or event.failure is not Failure.REFUSED:
                self.stands.add(plan.MAKES[event.step])
        try:
            self.call, actions = step(before, event)
        except WrongState:
            assert isinstance(event, events.Accepted | events.Declined | events.DigitsPressed)
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
        assert not any(isinstance(action, Do) for action in actions) or after.state.live
        for action in actions:
            if isinstance(action, Release):  # what is just being made could come to stand after its release
                assert plan.MADE_BY[action.resource] not in after.waiting
        if after.state is CallState.ENDED:
            assert not after.holds and not after.waiting

    def finish(self) -> None:
        """Our side hangs up; then everything under way comes back."""
        self.tell(events.HungUp(9))
        while self.call.waiting:
            self.tell(events.StepDone(9, min(self.call.waiting, key=lambda s: s.value), ADDRESS, "answer"))
        for resource in self.call.releasing:
            self.tell(events.Released(9, resource))


@st.composite
def histories(draw: st.DrawFn) -> History:
    history = History(draw(st.sampled_from(Direction)))
    if history.call.direction is Direction.INBOUND:
        users = draw(st.frozensets(st.sampled_from(["1001", "1002"])))
        history.tell(events.PagesRang(1, users))
    for _ in range(draw(st.integers(0, 25))):
        history.tell(draw(st.sampled_from(possible(history.call))))
    return history


def possible(call: Call) -> list[Event]:
    """Results come only of what is under way; everything else can come at any time."""
    waiting = sorted(call.waiting, key=lambda s: s.value)
    releasing = sorted(call.releasing, key=lambda r: r.value)
    results: list[Event] = [events.StepDone(2, s, ADDRESS, "answer" if s is Step.ANSWER_MEDIA else "") for s in waiting]
    results += [events.StepFailed(2, s, failure, "why") for s in waiting for failure in Failure]
    results += [events.Released(2, resource) for resource in releasing]
    return TOLD + results * 2


@settings(max_examples=1500, deadline=None)
@given(histories())
def test_any_history_ends_with_nothing_left(history: History) -> None:
    history.finish()
    assert history.call.state is CallState.ENDED
    releases = Counter(a.resource for a in history.actions if isinstance(a, Release))
    assert all(count == 1 for count in releases.values())
    assert history.stands - history.gone <= set(releases)


@settings(max_examples=500, deadline=None)
@given(histories())
def test_no_state_is_told_after_the_end_nor_before_the_answer(history: History) -> None:
    history.finish()
    told = [a for a in history.actions if isinstance(a, TellState | TellMedia)]
    assert isinstance(told[-1], TellState)
    assert sum(isinstance(a, TellMedia) for a in told) <= 1
    if history.call.direction is Direction.OUTBOUND and not any(isinstance(a, TellMedia) for a in told):
        assert told == [TellState()]


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
