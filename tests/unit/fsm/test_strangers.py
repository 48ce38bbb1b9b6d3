"""Calls that no record tells of: which are kept, and what is made of them."""

import pytest

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.ari.models import Party as CallerId
from ari_bridge.fsm.call import Call, CallState, Direction, MediaLeg
from ari_bridge.fsm.inventory import Ownership, classify
from ari_bridge.fsm.recovery import PbxSnapshot, recover
from ari_bridge.fsm.strangers import find_strangers
from ari_bridge.ids import is_call_id, stem_of
from ari_bridge.outcomes import Outcome

APP = "ari-bridge"
BEGAN = "2026-09-21T14:13:20.250+0000"


def channel(name: str, state: str = "Up", number: str = "", made_by: str = "PJSIP/trunk-1") -> Channel:
    return Channel(name, made_by, state, CallerId("", number), creationtime=BEGAN)


EM, FAR = channel("call-em2", number="1001"), channel("call-far", made_by="Local/700@from-browser-0001;1")
CALLER = channel("1700000000.1", number="0301234")


def seen(*channels: Channel, name: str = APP, bridge: str = "call-br") -> PbxSnapshot:
    members = [one.id for one in channels]
    legs = frozenset(one.id for one in channels if "-em" in one.id)
    return PbxSnapshot({one.id: one for one in channels}, {bridge: Bridge(bridge, name=name, channels=members)}, legs)


def found(stands: PbxSnapshot, known: bool = False) -> list[Call]:
    return find_strangers(stands, APP, lambda stem: known, 2e9)


def test_an_outbound_talk_is_told_by_its_channels() -> None:
    [call] = found(seen(EM, FAR))
    assert (call.id, call.direction, call.state, call.ownerless) == ("call", Direction.OUTBOUND, CallState.UP, True)
    assert (call.target, call.caller, call.leg, call.user, call.session) == ("700", "1001", MediaLeg(2), None, None)
    assert call.created_at == 1790000000.25


def test_a_caller_s_talk_is_told_by_its_channels() -> None:
    [call] = found(seen(EM, CALLER))
    assert (call.direction, call.far_channel) == (Direction.INBOUND, CALLER.id)
    assert (call.target, call.caller) == ("1001", "0301234")


@pytest.mark.parametrize(
    "stands",
    [
        seen(EM),
        seen(FAR),
        seen(EM, channel("call-far", "Ringing")),
        seen(EM, FAR, name="another application"),
        seen(EM, FAR, bridge="no name of ours"),
    ],
)
def test_what_does_not_talk_or_is_not_ours_is_left_out(stands: PbxSnapshot) -> None:
    assert found(stands) == []


def test_what_is_known_is_no_stranger_whatever_became_of_it() -> None:
    assert found(seen(EM, FAR), known=True) == []


def test_it_goes_on_untouched_and_everything_in_it_is_kept() -> None:
    others = channel("other-far"), channel("call-far3")
    stands = seen(EM, FAR, *others)
    [record] = found(stands)
    call, actions = recover(record, stands, 2e9)
    assert call.state is CallState.UP and not call.media_lost and not call.owner_away
    assert [party.channel for party in call.parties] == ["call-far3", "other-far"]
    assert not [one for one in actions if type(one).__name__ in ("Do", "Release")]
    findings = classify(stands, list(stands.channels), {call.id: call}, frozenset({call.id}), APP)
    assert {one.ownership for one in findings} == {Ownership.OWNERLESS} and len(findings) == 6


def test_two_others_talk_on_without_a_leg_of_ours() -> None:
    stands = seen(FAR, channel("call-far2"))
    [record] = found(stands)
    call, _ = recover(record, stands, 2e9)
    assert call.state is CallState.UP and call.outcome is None


def test_a_call_whose_id_nobody_knows_any_more_goes_by_its_stem() -> None:
    stem = stem_of("an id of a client's own")
    [call] = found(seen(channel(f"{stem}-em"), channel(f"{stem}-far"), bridge=f"{stem}-br"))
    assert call.id == f"ownerless:{stem}" and stem_of(call.id) == stem
    assert not is_call_id(call.id), "no client may choose what would have another call's names"


def test_one_that_hangs_up_ends_it() -> None:
    [record] = found(seen(EM, FAR))
    call, _ = recover(record, seen(EM), 2e9)
    assert call.outcome is Outcome.COMPLETED
