"""Rows that were written before the media leg became a part of the call, each read by a restart in the midst of it.

`rows_before_media_legs.json` has what the version before wrote of the calls of `test_transitions`.
"""

import json
from pathlib import Path

import msgspec
import pytest

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.call_store.rows import Row, to_call, to_row
from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, Do, Notify, Release
from ari_bridge.fsm.call import Call, CallState, LegRef, MediaLeg, Resource, Step, Target
from ari_bridge.fsm.notifications import MediaNeeded
from ari_bridge.fsm.recovery import PbxSnapshot, recover
from ari_bridge.fsm.transitions import step
from ari_bridge.ids import Kind, leg_id, resource_id
from tests.unit.fsm.test_transitions import ADDRESS

ROWS = json.loads(Path(__file__).with_name("rows_before_media_legs.json").read_text())


def read(name: str) -> Call:
    record = ROWS[name]
    return to_call(Row(record["id"], 7, record["created_at"], None, msgspec.Raw(json.dumps(record).encode())))


def restart(name: str, legs: set[int], *, in_bridge: int, far: str = "Up") -> tuple[Call, list[Action]]:
    """The call as the next process finds it: with these legs, and one of them and the others in the bridge."""
    record = read(name)
    names = {leg_id(record.id, number) for number in legs}
    others = [record.far_channel, *(party.channel for party in record.parties)]
    channels = {channel: Channel(channel, state="Up") for channel in (*others, *names)}
    channels[record.far_channel] = Channel(record.far_channel, state=far)
    members = [*others, leg_id(record.id, in_bridge)] if in_bridge else others
    bridge = Bridge(resource_id(record.id, Kind.BRIDGE), name="ari-bridge", channels=members)
    return recover(record, PbxSnapshot(channels, {bridge.id: bridge}, frozenset(names)), 9.0)


def released(actions: list[Action]) -> set[tuple[Resource, Target]]:
    return {(action.resource, action.target) for action in actions if isinstance(action, Release)}


def leg_of(number: int) -> set[tuple[Resource, Target]]:
    return {(Resource.MEDIA_SESSION, LegRef(number)), (Resource.EXTERNAL_MEDIA, LegRef(number))}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_written_of_it_now_is_what_was_written_then(name: str) -> None:
    written = json.loads(bytes(to_row(read(name), 8, 9.0).record))
    for record in (written, ROWS[name]):
        for party in record["parties"]:
            party |= {field: sorted(party[field]) for field in ("asked", "waiting")}  # sets
    assert {field: written[field] for field in ROWS[name]} == ROWS[name]  # later versions add fields


@pytest.mark.parametrize(
    ("name", "leg"),
    [
        ("outbound, talking", 1),
        ("outbound, talking, its leg renewed", 2),
        ("outbound, talking, its leg used again", 1),
        ("inbound, talking, with a prepared leg", 1000),
    ],
)
def test_a_call_goes_on_with_the_leg_that_is_in_its_bridge(name: str, leg: int) -> None:
    call, actions = restart(name, {leg}, in_bridge=leg)
    assert call.state is CallState.UP and not call.media_lost
    assert call.leg and (call.leg.number, call.leg.media_address) == (leg, ADDRESS)
    assert not any(isinstance(action, Do | Release) for action in actions)
    [offered] = [action for action in step(call, events.Reoffered(10, "a new offer"))[1] if isinstance(action, Do)]
    assert offered == Do(Step.OFFER_MEDIA, LegRef(max(leg, ROWS[name]["last_leg"]) + 1))  # no number is given twice


def test_in_the_midst_of_a_renewal_the_page_is_asked_for_new_media_and_both_legs_are_released() -> None:
    call, actions = restart("outbound, talking, its leg being renewed", {1, 2}, in_bridge=1)
    assert call.state is CallState.UP and call.media_lost and call.leg is None
    assert released(actions) == leg_of(1) | leg_of(2)
    call, actions = step(call, events.OwnerBack(10))
    assert any(isinstance(action, Notify) and isinstance(action.notification, MediaNeeded) for action in actions)
    call, actions = step(call, events.Reoffered(11, "a new offer"))
    assert Do(Step.OFFER_MEDIA, LegRef(3)) in actions and call.leg == MediaLeg(
        3, "a new offer", started=frozenset({Step.OFFER_MEDIA}), pending=frozenset({Step.OFFER_MEDIA}),
        allocated=frozenset({Resource.MEDIA_SESSION}),
    )  # fmt: skip


def test_media_that_was_lost_is_still_lost() -> None:
    call, actions = restart("outbound, talking, its media lost", {1}, in_bridge=0)
    assert call.state is CallState.UP and call.media_lost and call.last_leg == 2
    assert released(actions) == leg_of(1)


def test_a_call_that_rang_before_it_had_media_goes_on() -> None:
    call, _ = restart("outbound, ringing, its leg being made", {1}, in_bridge=0, far="Ringing")
    assert call.state is CallState.RINGING and call.media_lost


def test_a_caller_rings_again_and_media_is_made_anew() -> None:
    call, actions = restart("inbound, ringing", set(), in_bridge=0, far="Ring")
    assert call.state is CallState.RINGING and call.leg is None and not released(actions)
    assert call.users == {"1001"}


def test_a_caller_whom_a_page_was_accepting_rings_again_and_the_prepared_leg_is_released() -> None:
    call, actions = restart("inbound, accepting, with a prepared leg", {1000}, in_bridge=0, far="Ring")
    assert call.state is CallState.RINGING and released(actions) == leg_of(1000)
    _, actions = step(call, events.Accepted(10, "1001", "an offer"))
    assert Do(Step.OFFER_MEDIA, LegRef(1001)) in actions


def test_those_whom_our_side_has_left_talk_on() -> None:
    call, actions = restart("outbound, left to two others", set(), in_bridge=0)
    assert call.state is CallState.UP and call.leg is None and not call.media_lost
    assert not any(isinstance(action, Do | Release) for action in actions)


def test_what_was_ending_is_released() -> None:
    call, actions = restart("outbound, ending", {1}, in_bridge=1)
    assert released(actions) == leg_of(1) | {(Resource.BRIDGE, None), (Resource.FAR, None)}
    for resource, target in released(actions):
        call, _ = step(call, events.Released(10, resource, target))
    assert call.state is CallState.ENDED
