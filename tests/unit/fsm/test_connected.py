"""Who is at the other end: what Asterisk tells of it, and what that changes."""

import pytest
from msgspec.structs import replace

from ari_bridge.ari import events as ari
from ari_bridge.ari.models import Channel
from ari_bridge.ari.models import Party as Shown
from ari_bridge.engine import ari_translation
from ari_bridge.fsm.actions import Notify, UpdateCaller
from ari_bridge.fsm.call import (
    Call,
    CallState,
    Direction,
    LegRef,
    MediaLeg,
    Party,
    PartyRef,
    PartyState,
    Resource,
    SipChannel,
    Target,
)
from ari_bridge.fsm.events import ConnectedLineChanged, PartyInvited
from ari_bridge.fsm.notifications import PartyChanged
from ari_bridge.fsm.recovery import PbxSnapshot, recover
from ari_bridge.fsm.rules.parties import far_identity, near_identity
from ari_bridge.fsm.transitions import step
from ari_bridge.ids import leg_id

UP = Call(
    "c1", Direction.OUTBOUND, "7001", "1001", 1.0, state=CallState.UP, endpoint="PJSIP/7001", far_channel="c1-far",
    user="1001", answered_at=2.0, allocated=frozenset({Resource.FAR, Resource.BRIDGE}),
    leg=MediaLeg(1, allocated=frozenset({Resource.EXTERNAL_MEDIA})),
)  # fmt: skip
RINGS = Call(
    "c1", Direction.INBOUND, "1001", "7001", 1.0, state=CallState.RINGING, caller_name="Desk", far_channel="17",
    users=frozenset({"1001"}), allocated=frozenset({Resource.FAR}),
)  # fmt: skip
THIRD = Party(2, "c1-far2", "888", 3.0, state=PartyState.UP)


def told(resource: Resource, number: str, name: str = "", target: Target = None) -> ConnectedLineChanged:
    return ConnectedLineChanged(5.0, resource, target, number, name)


@pytest.mark.parametrize(
    "event",
    [told(Resource.FAR, "7002", "Workshop"), told(Resource.EXTERNAL_MEDIA, "7002", "Workshop", target=LegRef(1))],
)
def test_the_far_side_is_somebody_else(event: ConnectedLineChanged) -> None:
    call, actions = step(UP, event)
    assert far_identity(call) == ("7002", "Workshop")
    assert actions == [Notify(PartyChanged(1))]
    assert step(call, event) == (call, [])  # what is known already is no news
    assert (call.target, call.caller) == ("7001", "1001")


def test_who_was_dialled_gets_a_name_and_keeps_it() -> None:
    call, _ = step(UP, told(Resource.FAR, "7001", "Front desk"))
    assert far_identity(call) == ("7001", "Front desk")
    assert step(call, told(Resource.EXTERNAL_MEDIA, "7001", target=LegRef(1))) == (call, [])


@pytest.mark.parametrize("number", ["", "s", "anonymous", "Anonymous", "unknown", "7001"])
def test_a_number_that_names_nobody_or_the_same_changes_nothing(number: str) -> None:
    assert step(UP, told(Resource.FAR, number)) == (UP, [])


def test_what_a_leg_is_told_that_is_gone_or_of_ourselves_changes_nothing() -> None:
    assert step(UP, told(Resource.EXTERNAL_MEDIA, "7002", target=LegRef(2))) == (UP, [])
    assert step(UP, told(Resource.EXTERNAL_MEDIA, "1001", target=LegRef(1))) == (UP, [])


def test_the_pages_that_ring_learn_who_calls_now() -> None:
    call, actions = step(RINGS, told(Resource.FAR, "7002", "Workshop"))
    assert actions == [UpdateCaller()]
    assert far_identity(call) == ("7002", "Workshop")
    assert (call.caller, call.caller_name) == ("7001", "Desk")


def test_of_several_the_leg_does_not_say_whom_it_means() -> None:
    call = replace(UP, parties=(THIRD,))
    assert step(call, told(Resource.EXTERNAL_MEDIA, "7002", target=LegRef(1))) == (call, [])


def test_a_guest_s_secret_name_is_shown_to_nobody() -> None:
    shown = "guest-0123456789ab"
    call = replace(UP, caller=shown, user=f"{shown}-0123456789abcdef")
    invited, _ = step(call, PartyInvited(5.0, "888", "PJSIP/888", transfer=False))
    assert [party.caller for party in invited.parties] == [shown]
    accepted = replace(call, direction=Direction.INBOUND, endpoint="", caller="7001", target="600")
    assert near_identity(accepted) == (shown, "")
    assert step(accepted, told(Resource.EXTERNAL_MEDIA, shown, target=LegRef(1))) == (accepted, [])


def test_a_party_keeps_the_number_that_was_dialled() -> None:
    call, actions = step(replace(UP, parties=(THIRD,)), told(Resource.PARTY, "7002", "Workshop", target=PartyRef(2)))
    assert (call.parties[0].target, call.parties[0].name) == ("888", "Workshop")
    assert actions == [Notify(PartyChanged(2))]
    assert far_identity(call) == ("7001", "")


def test_the_last_that_is_left_is_the_one_that_the_leg_means() -> None:
    alone = replace(UP, parties=(THIRD,), allocated=UP.allocated - {Resource.FAR})
    call, _ = step(alone, told(Resource.EXTERNAL_MEDIA, "7002", target=LegRef(1)))
    assert (call.parties[0].target, call.parties[0].name) == ("888", "7002")


def test_who_came_while_our_process_was_away_is_found() -> None:
    far = Channel("c1-far", state="Up")
    media = Channel(leg_id("c1", 1), state="Up", connected=Shown("Workshop", "7002"))
    record = replace(UP, allocated=frozenset(), leg=MediaLeg(1))
    call, _ = recover(
        record, PbxSnapshot({"c1-far": far, leg_id("c1", 1): media}, {}, frozenset({leg_id("c1", 1)})), 9.0
    )
    assert far_identity(call) == ("7002", "Workshop")


def test_a_sip_client_s_channel_says_who_came_too() -> None:
    client = Channel("17", state="Up", connected=Shown("Workshop", "7002"))
    record = replace(UP, allocated=frozenset(), leg=None, near=SipChannel("17"))
    call, _ = recover(record, PbxSnapshot({"c1-far": Channel("c1-far", state="Up"), "17": client}, {}, None), 9.0)
    assert far_identity(call) == ("7002", "Workshop")


@pytest.mark.parametrize(
    ("resource", "target"),
    [(Resource.FAR, None), (Resource.PARTY, PartyRef(2)), (Resource.EXTERNAL_MEDIA, LegRef(1))],
)
def test_a_channel_s_own_id_is_told_by_itself_and_the_other_s_by_our_leg(resource: Resource, target: Target) -> None:
    channel = Channel("c", caller=Shown("Own", "1"), connected=Shown("Other", "2"))
    own = ari_translation.translate(ari.ChannelCallerId(channel=channel), resource, target, 5.0)
    other = ari_translation.translate(ari.ChannelConnectedLine(channel=channel), resource, target, 5.0)
    if resource is Resource.EXTERNAL_MEDIA:
        assert (own, other) == (None, told(resource, "2", "Other", target))
    else:
        assert (own, other) == (told(resource, "1", "Own", target), None)
