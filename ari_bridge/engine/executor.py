"""The executor: the one request to Asterisk or rtpengine that each set-up step, and each release, is."""

import math

from ari_bridge.ari.channels import LIMIT
from ari_bridge.dial_permissions import LegKind
from ari_bridge.engine.hangup_causes import ANSWERED_ELSEWHERE, NORMAL_CLEARING, q850_for_near
from ari_bridge.engine.ports import Backends
from ari_bridge.fsm.call import Call, Direction, LegRef, MediaLeg, Milestone, Party, PartyRef, Resource, Step, Target
from ari_bridge.fsm.rules.parties import far_identity, near_identity
from ari_bridge.guest_names import shown_name
from ari_bridge.ids import Kind, leg_id, resource_id
from ari_bridge.leg_stats import LegStats
from ari_bridge.net import RtpAddress


async def execute_step(
    backends: Backends, call: Call, step: Step, target: Target, *, ring_timeout: float
) -> tuple[RtpAddress | None, str]:
    """Send the one request of a step; returns the address and SDP for `StepDone`. Raises PeerError."""
    match target:
        case LegRef():
            leg = call.media_leg(target)
            assert leg, "it is made before its steps"
            return await _execute_for_leg(call, leg, step, backends)
        case PartyRef(number):
            party = call.party(number)
            assert party, "it is made before its steps"
            await _execute_for_party(call, party, step, backends, ring_timeout)
        case None:
            await _execute_for_call(call, step, backends, ring_timeout)
    return None, ""


async def _execute_for_call(call: Call, step: Step, backends: Backends, ring_timeout: float) -> None:
    ari, bridge = backends.ari, resource_id(call.id, Kind.BRIDGE)
    match step:
        case Step.CREATE_BRIDGE:
            await ari.bridges.create(bridge)
        case Step.CREATE_FAR:
            await ari.channels.create(
                call.far_channel,
                call.endpoint,
                caller=call.caller,
                caller_name=call.caller_name,
                user=shown_name(call.user or ""),
                on_behalf_of=shown_name(call.user or ""),
                kind=LegKind.CALL.value,
            )
        case Step.BRIDGE_FAR:
            await ari.bridges.add_channel(bridge, call.far_channel)
        case Step.DIAL_FAR:
            # Asterisk's own limit is only a fallback for ours.
            await ari.channels.dial(call.far_channel, timeout=int(ring_timeout) + 5)
        case Step.RING_FAR:
            await ari.channels.ring(call.far_channel)
        case Step.BRIDGE_NEAR:
            assert call.near, "only then it is in the plan"
            number, name = near_identity(call)
            await ari.channels.set_caller(call.near.id, number, name)
            await ari.bridges.add_channel(bridge, call.near.id)
        case Step.CREATE_PHONE:
            number, name = far_identity(call)
            await ari.channels.create(call.phone_channel, call.phone, caller=number, caller_name=name)
        case Step.DIAL_PHONE:
            await ari.channels.dial(call.phone_channel, timeout=int(call.ring_seconds or ring_timeout) + 5)
        case Step.ANSWER_FAR:
            await ari.channels.answer(call.far_channel)
        case _:
            raise AssertionError(f"{step} is of a media leg or a party")


async def _execute_for_leg(call: Call, leg: MediaLeg, step: Step, backends: Backends) -> tuple[RtpAddress | None, str]:
    ari, media, name = backends.ari, backends.media, leg_id(call.id, leg.number)
    match step:
        case Step.OFFER_MEDIA:
            return await media.offer(name, leg.offer, call.prefer), ""
        case Step.REOFFER_MEDIA:
            assert leg.media_address, "a leg that is used again has one"
            await media.reoffer(name, leg.offer, call.prefer, leg.media_address)
        case Step.CREATE_EXTERNAL_MEDIA:
            assert leg.media_address, "the plan waits for it"
            # The far side displays who it is bridged with; without a number the bridge would blank its display.
            number, caller_name = near_identity(call)
            return await ari.channels.external_media(
                name, leg.media_address, caller=number, caller_name=caller_name
            ), ""
        case Step.ANSWER_MEDIA:
            assert leg.external_media_address, "the plan waits for it"
            return None, await media.answer(name, leg.external_media_address)
        case Step.BRIDGE_EXTERNAL_MEDIA:
            if call.isolated:
                await ari.channels.mute(name)
            await ari.bridges.add_channel(resource_id(call.id, Kind.BRIDGE), name)
    return None, ""


async def _execute_for_party(call: Call, party: Party, step: Step, backends: Backends, ring_timeout: float) -> None:
    channels = backends.ari.channels
    match step:
        case Step.CREATE_PARTY:
            takes_over = party.number == call.transferring
            await channels.create(
                party.channel,
                party.endpoint,
                caller=party.caller,
                caller_name=party.caller_name,
                on_behalf_of=shown_name(call.user or ""),
                kind=(LegKind.TRANSFER if takes_over else LegKind.PARTY).value,
            )
        case Step.DIAL_PARTY:
            await channels.dial(party.channel, timeout=int(ring_timeout) + 5)
        case _:
            await backends.ari.bridges.add_channel(resource_id(call.id, Kind.BRIDGE), party.channel)


async def release_resource(backends: Backends, call: Call, resource: Resource, target: Target) -> LegStats | None:
    """Release a resource; no error if it does not exist. Returns the statistics of a media session.

    Raises PeerError.
    """
    ari = backends.ari
    match resource, target:
        case Resource.MEDIA_SESSION, LegRef(number):
            return await backends.media.delete(leg_id(call.id, number))
        case Resource.EXTERNAL_MEDIA, LegRef(number):
            await ari.channels.hangup(leg_id(call.id, number))
        case Resource.PARTY, PartyRef(number):
            if party := call.party(number):
                await ari.channels.hangup(party.channel)
        case Resource.BRIDGE, None:
            await ari.bridges.destroy(resource_id(call.id, Kind.BRIDGE))
        case Resource.FAR, None if call.direction is Direction.INBOUND and call.dialplan_status:
            await ari.channels.continue_in_dialplan(call.far_channel, variables=_for_dialplan(backends, call))
        case Resource.FAR, None:
            await ari.channels.hangup(call.far_channel)
        case Resource.PHONE, None:
            answered = Milestone.ACCEPTED in call.milestones  # by a page: no call was missed there
            await ari.channels.hang_up_with(call.phone_channel, ANSWERED_ELSEWHERE if answered else NORMAL_CLEARING)
        case Resource.NEAR, None:
            assert call.near, "it has one"
            await ari.channels.hang_up_with(call.near.id, q850_for_near(call))
        case _:
            raise AssertionError(f"{resource} is not of {target}")
    return None


def _for_dialplan(backends: Backends, call: Call) -> dict[str, str]:
    """The variables with which a caller continues in the dialplan."""
    if call.dialplan_status != "FORWARD":
        return {"ARI_BRIDGE_STATUS": call.dialplan_status}
    seconds = backends.forwards.start(call)
    if seconds is None:
        return {"ARI_BRIDGE_STATUS": "UNAVAILABLE"}
    variables = {
        "ARI_BRIDGE_STATUS": "FORWARD",
        "ARI_BRIDGE_FORWARD": call.forward,
        "__ARI_BRIDGE_ON_BEHALF_OF": call.target,
        "__ARI_BRIDGE_KIND": LegKind.FORWARD.value,
    }
    # We do not see the call any more: Asterisk ends it, also if it rings or talks for ever.
    return variables if math.isinf(seconds) else {LIMIT: str(math.ceil(seconds)), **variables}
