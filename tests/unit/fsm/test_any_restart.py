"""The process dies at any moment, and anything may have happened before the next one looks: still nothing is left."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.call_store.rows import to_call, to_row
from ari_bridge.fsm import events, setup_plan
from ari_bridge.fsm.actions import Notify, Release
from ari_bridge.fsm.call import Call, CallState, LegRef, PartyRef, Resource, Target
from ari_bridge.fsm.inventory import Ownership, classify
from ari_bridge.fsm.notifications import StateChanged
from ari_bridge.fsm.recovery import PbxSnapshot, recover
from ari_bridge.ids import Kind, leg_id, resource_id
from tests.unit.fsm.test_any_history import History, as_near, held, histories, possible, under_way

APP = "ari-bridge"


@st.composite
def restarts(draw: st.DrawFn) -> tuple[Call, PbxSnapshot, History]:
    """The record of a call, what stands of it, and its history as the next process goes on with it."""
    history = draw(histories())
    call = history.call
    standing = draw(st.sets(st.sampled_from(sorted(held(call), key=str)))) if held(call) else set()
    record = to_call(to_row(call, 1, 9.0))
    seen = draw(worlds(call, standing))
    adopted, actions = recover(record, seen, 9.0)
    history.call, history.actions, history.gone, history.stands = adopted, list(actions), set(), set(standing)
    if record.near is None and adopted.near:
        history.stands = as_near(history.stands)
    return record, seen, history


@st.composite
def worlds(draw: st.DrawFn, call: Call, standing: set[tuple[Resource, Target]]) -> PbxSnapshot:
    channels = {}
    for resource, target in standing:
        state = draw(st.sampled_from(["Down", "Ring", "Ringing", "Up"]))
        if isinstance(target, PartyRef) and (party := call.party(target.number)):
            channels[party.channel] = Channel(party.channel, state=state)
        elif resource is Resource.FAR:
            channels[call.far_channel] = Channel(call.far_channel, state=state)
        elif resource is Resource.NEAR and call.near:
            channels[call.near.id] = Channel(call.near.id, state=state)
        elif resource is Resource.PHONE:
            channels[call.phone_channel] = Channel(call.phone_channel, state=state)
        elif resource is Resource.EXTERNAL_MEDIA and isinstance(target, LegRef):
            name = leg_id(call.id, target.number)
            channels[name] = Channel(name, state="Up")
    bridges = {}
    if (Resource.BRIDGE, None) in standing:
        name = resource_id(call.id, Kind.BRIDGE)
        members = draw(st.lists(st.sampled_from(sorted(channels)), unique=True)) if channels else []
        bridges[name] = Bridge(name, name=APP, channels=members)
    sessions = (target for resource, target in standing if resource is Resource.MEDIA_SESSION)
    legs = frozenset(leg_id(call.id, target.number) for target in sessions if isinstance(target, LegRef))
    return PbxSnapshot(channels, bridges, legs)


def ended(history: History) -> bool:
    return history.call.state is CallState.ENDED


@settings(max_examples=600, deadline=None)
@given(restarts(), st.data())
def test_any_restart_ends_with_nothing_left(restart: tuple[Call, PbxSnapshot, History], data: st.DataObject) -> None:
    record, _, history = restart
    if ended(history):
        assert not history.stands
        return
    assert held(history.call) >= history.stands  # all that stands is known
    if record.outcome:
        assert history.call.outcome is record.outcome  # an end that was told is never another one
    for _ in range(data.draw(st.integers(0, 15))):
        history.tell(data.draw(st.sampled_from(possible(history.call))))
    history.finish()
    assert ended(history)
    releases = Counter((a.resource, a.target) for a in history.actions if isinstance(a, Release))
    assert all(count == 1 for count in releases.values())
    assert history.stands - history.gone <= set(releases)
    ends = [a for a in history.actions if isinstance(a, Notify) and isinstance(a.notification, StateChanged)]
    assert ends or record.outcome or record.left_outcome  # one that our side has left was told as ended before


@settings(max_examples=200, deadline=None)
@given(restarts())
def test_a_call_that_stood_whole_is_left_alone(restart: tuple[Call, PbxSnapshot, History]) -> None:
    record, seen, history = restart
    call = history.call
    bridge = seen.bridges.get(resource_id(call.id, Kind.BRIDGE))
    leg = record.near_channel
    whole = leg and bridge and {call.far_channel, leg} <= set(bridge.channels) and leg in (seen.legs or ())
    if record.state is CallState.UP and whole and record.outcome is None and not record.parties:
        assert call.state is CallState.UP and not call.media_lost
        ours = (None, record.leg and record.leg.ref)
        released = {a.resource for a in history.actions if isinstance(a, Release) and a.target in ours}
        assert released <= {Resource.PHONE}  # phones that still ring are told that the call is taken
        assert not under_way(call)


@settings(max_examples=200, deadline=None)
@given(restarts())
def test_the_survey_knows_every_resource_of_a_live_call(restart: tuple[Call, PbxSnapshot, History]) -> None:
    _, seen, history = restart
    calls = {history.call.id: history.call} if history.call.state is not CallState.ENDED else {}
    for finding in classify(seen, seen.channels, calls, frozenset(calls), APP):
        assert finding.ownership is (Ownership.ADOPTED if calls else Ownership.ORPHAN)


def test_an_ended_call_has_nothing_to_adopt() -> None:
    history = History(next(iter(setup_plan.PLANS)))
    history.tell(events.HungUp(2))
    history.finish()
    call, actions = recover(history.call, PbxSnapshot({}, {}, frozenset()), 9.0)
    assert call.state is CallState.ENDED and not actions
