"""Whatever happens, in whatever order: nothing is left, nothing is released twice, the end is told once."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ari_bridge.errors import CallerError
from ari_bridge.fsm import events, setup_plan
from ari_bridge.fsm.actions import Action, Do, Notify, PlayMusic, Release, StopRinging
from ari_bridge.fsm.call import (
    Call,
    CallState,
    Direction,
    LegRef,
    MediaLeg,
    Milestone,
    PartyRef,
    PartyState,
    Resource,
    SipChannel,
    Step,
    Target,
)
from ari_bridge.fsm.events import Event, Failure, Timer
from ari_bridge.fsm.notifications import MediaReady, StateChanged
from ari_bridge.fsm.transitions import TABLE, step
from ari_bridge.net import RtpAddress

ADDRESS = RtpAddress("127.0.0.1", 20000)
LEGS: list[tuple[Resource, Target]] = [
    (Resource.FAR, None),
    (Resource.NEAR, None),
    (Resource.PHONE, None),
    *((Resource.EXTERNAL_MEDIA, LegRef(leg)) for leg in (1, 2, 3)),
]
PARTIES = (2, 3, 4)
CHANNELS = [*LEGS, *((Resource.PARTY, PartyRef(number)) for number in PARTIES)]

MAKES = setup_plan.MAKES | {Step.CREATE_PARTY: Resource.PARTY}
MADE_BY = {resource: one for one, resource in MAKES.items()}
ASKED = (
    events.Accepted
    | events.Declined
    | events.DigitsPressed
    | events.Reoffered
    | events.Held
    | events.PartyInvited
    | events.PartyGiven
    | events.PartyDropped
    | events.FarGivenAway
    | events.Left
    | events.RecordingRequested
)

TOLD: list[Event] = [
    events.Accepted(2, "1001", "offer"),
    events.Declined(2, "1001"),
    events.Declined(2, "1002"),
    events.HungUp(2),
    events.DigitsPressed(2, "1"),
    events.Reoffered(2, "another offer", "a session"),
    *(events.StasisStarted(2, channel, leg) for channel, leg in CHANNELS),
    *(events.StasisEnded(2, channel, leg) for channel, leg in CHANNELS),
    *(events.ChannelDestroyed(2, channel, q850, "", leg) for channel, leg in CHANNELS for q850 in (0, 16, 17)),
    *(events.MediaLost(2, leg, "rtpengine died") for leg in (1, 2, 3)),
    events.MediaChecked(2, None),
    events.MediaChecked(2, 0.0),
    events.MediaChecked(12, 1.0),
    events.MediaChecked(2, 1.9),
    *(events.Held(2, held) for held in (True, False)),
    *(events.PartyInvited(2, number, f"Local/{number}", take) for number in ("7001", "7002") for take in (True, False)),
    *(
        events.PartyGiven(2, channel, "7003", "", state, take)
        for channel, state, take in (
            ("other1-far", PartyState.UP, True),
            ("other2-far", PartyState.UP, False),
            ("other3-far", PartyState.RINGING, True),
        )
    ),
    *(events.PartyDropped(2, number) for number in (1, 2, 3)),
    events.FarGivenAway(2),
    events.Left(2),
    *(events.RecordingRequested(2, verb) for verb in events.RecordingVerb),
    events.RecordingEnded(2, "call1-rec1"),
    events.RecordingEnded(2, "call1-rec2", "disk full"),
    *(kind(2, number) for kind in (events.PartyRang, events.PartyAnswered) for number in PARTIES),
    *(events.PartyFailed(2, number, "BUSY") for number in PARTIES),
    *(events.PartyHangsUp(2, number, 17) for number in PARTIES),
    *(events.TimerFired(2, timer, number) for timer in (Timer.PARTY, Timer.EXPLAIN) for number in PARTIES),
    events.OwnerLost(2),
    events.OwnerBack(2),
    events.FarRinging(2),
    events.FarProgress(2),
    events.EarlyMedia(2),
    events.FarAnswered(2),
    events.FarFailed(2, "BUSY"),
    events.FarHangsUp(2, 17),
    events.FarDigit(2, "5"),
    events.FarHeld(2, True),
    events.PhoneAnswered(2),
    *(events.NearHeld(2, held) for held in (True, False)),
    events.PbxLost(2, "gone"),
    *(events.TimerFired(2, timer) for timer in Timer),
]


class History:
    """Takes events as the world can send them, and watches what must always hold."""

    def __init__(self, direction: Direction, *, by_sip: bool = False) -> None:
        inbound = direction is Direction.INBOUND
        made = {Resource.FAR} if inbound else {Resource.NEAR} if by_sip else set()
        self.call = Call(
            id="call1",
            direction=direction,
            target="1001",
            caller="42",
            created_at=1.0,
            far_channel="call1-far",
            leg=None if inbound or by_sip else MediaLeg(1, "offer"),
            milestones=frozenset({Milestone.FAR_CREATED, Milestone.FAR_ENTERED} if inbound else ()),
            near=SipChannel("ast-1", "PJSIP/edge-1") if by_sip else None,
            allocated=frozenset(made),
        )
        self.actions: list[Action] = []
        self.gone: set[tuple[Resource, Target]] = set()
        self.stands = held(self.call)  # made, or perhaps made
        if inbound:
            self.tell(events.Arrived(1))
        else:
            self.tell(events.Placed(1))

    def tell(self, event: Event) -> None:
        before = self.call
        if isinstance(event, events.ChannelDestroyed):
            name = (event.resource, event.target)
            if name in self.gone or name not in held(before):
                return  # no channel ends twice, or before it was asked for
            self.gone.add(name)
        if isinstance(event, events.StepDone | events.StepFailed) and event.step in MAKES:
            if isinstance(event, events.StepDone) or event.failure is not Failure.REFUSED:
                self.stands.add((MAKES[event.step], event.target))
                if before.near:  # it may answer before its creation has come back
                    self.stands = as_near(self.stands)
        if isinstance(event, events.PartyGiven) and event.channel in {party.channel for party in before.parties}:
            return  # it can be given once
        try:
            self.call, actions = step(before, event)
        except CallerError:
            assert isinstance(event, ASKED)
            return
        if isinstance(event, events.PartyGiven):
            self.stands.add((Resource.PARTY, PartyRef(len(self.call.parties) + 1)))
        if isinstance(event, events.FarGivenAway):
            self.gone.add((Resource.FAR, None))
        if before.near is None and self.call.near:
            self.stands = as_near(self.stands)
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
        assert after.releasing <= after.allocated
        assert all(leg.releasing <= leg.allocated for leg in after.legs)
        assert not any(leg.gone for leg in after.old_legs)  # what is not needed any more is forgotten
        numbers, known = [leg.number for leg in after.legs], {leg.number for leg in before.legs}
        assert len(set(numbers)) == len(numbers)
        assert all(number in known or number > before.last_leg for number in numbers)  # never given twice
        assert not any(isinstance(action, Do) for action in actions) or after.state.live
        if after.media_lost:  # nothing is begun for a page that has to offer first
            assert after.leg is None
            assert not any(isinstance(action, Do) and action.step in setup_plan.MEDIA_LEG for action in actions)
        for action in actions:
            if isinstance(action, Release):  # what is just being made could come to stand after its release
                assert (MADE_BY.get(action.resource), action.target) not in under_way(after)
        assert not after.left_outcome or not before.left_outcome or after.left_outcome is before.left_outcome
        if after.left_outcome:  # nothing of our side is there any more, nor comes again
            assert not after.transferring or after.party(after.transferring)
            assert after.leg is None
            assert not after.near_present
        assert after.transferring == 0 or after.state.live is False or after.parties[after.transferring - 2].present
        if after.state is CallState.UP and after.left_outcome:
            assert sum(party.present for party in after.parties) + (Resource.FAR in after.allocated) >= 2
        if after.state is CallState.ENDED:
            assert not held(after) and not under_way(after) and not after.moh_on

    def settle(self) -> None:
        """The set-up works out, as far as it can."""
        if self.call.direction is Direction.INBOUND:
            self.tell(events.Accepted(2, "1001", "offer", "a session"))
        for channel, leg in CHANNELS:
            self.tell(events.StasisStarted(2, channel, leg))
        while self.call.state.live and (coming := under_way(self.call)):
            one, leg = min(coming, key=str)
            self.tell(events.StepDone(2, one, ADDRESS, "answer", leg))
        self.tell(events.FarAnswered(2))

    def finish(self) -> None:
        """Our side hangs up; then everything under way comes back."""
        self.tell(events.HungUp(9))
        while coming := under_way(self.call):
            one, leg = min(coming, key=str)
            self.tell(events.StepDone(9, one, ADDRESS, "answer", leg))
        while coming_back := sorted(being_released(self.call), key=str):
            for resource, leg in coming_back:
                self.tell(events.Released(9, resource, leg))


def as_near(stands: set[tuple[Resource, Target]]) -> set[tuple[Resource, Target]]:
    """The phones' channel has become the near side's."""
    return {(Resource.NEAR, None) if one == (Resource.PHONE, None) else one for one in stands}


def held(call: Call) -> set[tuple[Resource, Target]]:
    present: set[tuple[Resource, Target]] = {(resource, None) for resource in call.allocated}
    present |= {(Resource.PARTY, party.ref) for party in call.parties if party.state is not PartyState.GONE}
    return present | {(resource, leg.ref) for leg in call.legs for resource in leg.allocated}


def being_released(call: Call) -> set[tuple[Resource, Target]]:
    present: set[tuple[Resource, Target]] = {(resource, None) for resource in call.releasing}
    standing = [party for party in call.parties if party.state is not PartyState.GONE]
    present |= {(Resource.PARTY, party.ref) for party in standing if party.releasing}
    return present | {(resource, leg.ref) for leg in call.legs for resource in leg.releasing}


def under_way(call: Call) -> set[tuple[Step, Target]]:
    of_legs = {(one, leg.ref) for leg in call.legs for one in leg.pending}
    of_parties = {(one, party.ref) for party in call.parties for one in party.pending}
    return {(one, None) for one in call.pending} | of_legs | of_parties


@st.composite
def histories(draw: st.DrawFn) -> History:
    direction = draw(st.sampled_from(Direction))
    history = History(direction, by_sip=direction is Direction.OUTBOUND and draw(st.booleans()))
    if history.call.direction is Direction.INBOUND:
        users = draw(st.frozensets(st.sampled_from(["1001", "1002"])))
        history.tell(events.PagesRang(1, users, phone=draw(st.sampled_from(["", "PJSIP/edge/sip:1001@edge"]))))
    if draw(st.booleans()):  # most of what can go wrong goes wrong with a call that stands
        history.settle()
    for _ in range(draw(st.integers(0, 25))):
        history.tell(draw(st.sampled_from(possible(history.call))))
    return history


def possible(call: Call) -> list[Event]:
    """Results come only of what is under way; everything else can come at any time."""
    waiting = sorted(under_way(call), key=str)
    releasing = sorted(being_released(call), key=str)
    results: list[Event] = [
        events.StepDone(2, one, ADDRESS, "answer" if one is Step.ANSWER_MEDIA else "", leg) for one, leg in waiting
    ]
    results += [events.StepFailed(2, one, failure, "why", leg) for one, leg in waiting for failure in Failure]
    results += [events.Released(2, resource, leg) for resource, leg in releasing]
    progress: list[Event] = []  # of parties: else few would come so far that they talk
    for party in call.parties:
        if party.present and party.state is not PartyState.UP:
            progress.append(events.StasisStarted(2, Resource.PARTY, party.ref))
            progress.append(events.PartyAnswered(2, party.number))
    return TOLD + results * 6 + progress * 10


@settings(max_examples=1500, deadline=None)
@given(histories())
def test_any_history_ends_with_nothing_left(history: History) -> None:
    history.finish()
    assert history.call.state is CallState.ENDED
    releases = Counter((a.resource, a.target) for a in history.actions if isinstance(a, Release))
    assert all(count == 1 for count in releases.values())
    assert history.stands - history.gone <= set(releases)


@settings(max_examples=500, deadline=None)
@given(histories())
def test_no_state_is_told_after_the_end_nor_before_the_answer(history: History) -> None:
    history.finish()
    told = [
        a for a in history.actions if isinstance(a, Notify) and isinstance(a.notification, StateChanged | MediaReady)
    ]
    assert isinstance(told[-1], Notify) and isinstance(told[-1].notification, StateChanged)
    if history.call.direction is Direction.OUTBOUND and len(told) > 1 and not history.call.near:
        assert isinstance(told[0], Notify) and isinstance(told[0].notification, MediaReady)


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
    if Milestone.PAGES_RING in history.call.milestones:
        assert any(isinstance(a, StopRinging) for a in history.actions)


def test_every_event_has_a_rule_for_every_state() -> None:
    kinds = {
        cls for cls in vars(events).values() if isinstance(cls, type) and issubclass(cls, Event) and cls is not Event
    }
    assert set(TABLE) == kinds
    assert all(len(rules) == len(CallState) for rules in TABLE.values())
