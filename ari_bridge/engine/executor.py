"""What a call acts on, and the one request that each of its steps and releases is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ari_bridge.ari.client import Ari
from ari_bridge.fsm.call import Call, Direction, Party, Resource, Step
from ari_bridge.ids import Kind, leg_id, resource_id
from ari_bridge.leg_stats import LegFigures
from ari_bridge.net import RtpAddress
from ari_bridge.preferences.ring_decision import RingDecision


class MediaEngine(Protocol):
    """What terminates the browser's media: the rtpengines, or a fake. Errors: PeerError.

    `leg` is a media leg's name (`ids.leg_id`).
    """

    async def offer(self, leg: str, sdp: str, prefer: str) -> RtpAddress:
        """Take the browser's offer; where Asterisk's RTP for this leg is received. `prefer`: see `Call`."""

    async def reoffer(self, leg: str, sdp: str, prefer: str, address: RtpAddress) -> None:
        """Take another browser's offer for a leg that stands: Asterisk's RTP is received at `address`, as before."""

    async def answer(self, leg: str, asterisk: RtpAddress) -> str:
        """The SDP answer for the browser, once it is known where Asterisk receives RTP."""

    async def delete(self, leg: str) -> LegFigures | None:
        """End the session, and tell what was counted of it; one that is gone already is no error, and tells None."""

    async def sessions(self) -> list[str]:
        """The legs that the engine holds for us."""

    async def heard(self, leg: str) -> float | None:
        """When the browser's last packet came, by `clock.steady`; None where that is not known."""

    async def far_packets(self, leg: str) -> int | None:
        """How many RTP packets Asterisk has sent for the browser; None where that is not known."""

    def on_lost(self, listener: Callable[[frozenset[str], str], None]) -> None:
        """Called with the legs that are gone with their rtpengine, and why."""


class Registrar(Protocol):
    """Who has a page open, and wants to be called. All are quick and never wait."""

    def ring(self, call: Call) -> RingDecision:
        """Tell every page of the called user, where it may ring."""

    def stop_ringing(self, call: Call, user: str | None, reason: str) -> None:
        """`user` None: all pages, except the one that has accepted."""

    def update_caller(self, call: Call) -> None:
        """Tell the pages that ring who calls now: the caller gave its place to somebody else, or got a name."""


@dataclass(frozen=True)
class Backends:
    """What calls act on."""

    ari: Ari
    media: MediaEngine
    pages: Registrar


async def execute_step(
    peers: Backends, call: Call, step: Step, leg: int, *, ring_timeout: float
) -> tuple[RtpAddress | None, str]:
    """The one request of a step; what it gives, as `StepDone` has it. Raises PeerError."""
    ari, media = peers.ari, peers.media
    bridge, media_leg = resource_id(call.id, Kind.BRIDGE), leg_id(call.id, leg)
    outbound = call.direction is Direction.OUTBOUND
    address: RtpAddress | None = None
    sdp = ""
    match step:
        case Step.OFFER_MEDIA:
            address = await media.offer(media_leg, call.offer, call.prefer)
        case Step.REOFFER_MEDIA:
            assert call.media_address, "a leg that is used again has one"
            await media.reoffer(media_leg, call.offer, call.prefer, call.media_address)
        case Step.CREATE_EXTERNAL_MEDIA:
            assert call.media_address, "the plan waits for it"
            # The far side is shown who it is bridged with; without a name the bridge would blank its display.
            number, name = (call.caller, call.caller_name) if outbound else (call.user or call.target, "")
            address = await ari.channels.external_media(media_leg, call.media_address, caller=number, caller_name=name)
        case Step.ANSWER_MEDIA:
            assert call.external_media_address, "the plan waits for it"
            sdp = await media.answer(media_leg, call.external_media_address)
        case Step.CREATE_BRIDGE:
            await ari.bridges.create(bridge)
        case Step.BRIDGE_EXTERNAL_MEDIA:
            if call.apart:
                await ari.channels.mute(media_leg)
            await ari.bridges.add_channel(bridge, media_leg)
        case Step.CREATE_FAR:
            await ari.channels.create(
                call.far_channel,
                call.endpoint,
                caller=call.caller,
                caller_name=call.caller_name,
                user=call.user or "",
            )
        case Step.BRIDGE_FAR:
            await ari.bridges.add_channel(bridge, call.far_channel)
        case Step.DIAL_FAR:
            # Asterisk's own limit is only the net under ours.
            await ari.channels.dial(call.far_channel, timeout=int(ring_timeout) + 5)
        case Step.RING_FAR:
            await ari.channels.ring(call.far_channel)
        case Step.ANSWER_FAR:
            await ari.channels.answer(call.far_channel)
        case Step.CREATE_PARTY | Step.DIAL_PARTY | Step.BRIDGE_PARTY:
            party = call.party(leg)
            assert party, "it is made before its steps"
            await _perform_for(party, step, peers, bridge, ring_timeout)
    return address, sdp


async def _perform_for(party: Party, step: Step, peers: Backends, bridge: str, ring_timeout: float) -> None:
    channels = peers.ari.channels
    match step:
        case Step.CREATE_PARTY:
            await channels.create(party.channel, party.endpoint, caller=party.caller, caller_name=party.caller_name)
        case Step.DIAL_PARTY:
            await channels.dial(party.channel, timeout=int(ring_timeout) + 5)
        case _:
            await peers.ari.bridges.add_channel(bridge, party.channel)


async def release_resource(peers: Backends, call: Call, resource: Resource, leg: int) -> LegFigures | None:
    """Release a resource; one that is gone already is no error. What a media session has counted. Raises PeerError."""
    ari = peers.ari
    match resource:
        case Resource.MEDIA_SESSION:
            return await peers.media.delete(leg_id(call.id, leg))
        case Resource.BRIDGE:
            await ari.bridges.destroy(resource_id(call.id, Kind.BRIDGE))
        case Resource.EXTERNAL_MEDIA:
            await ari.channels.hangup(leg_id(call.id, leg))
        case Resource.FAR if call.direction is Direction.INBOUND and call.dialplan_status:
            variables = {"ARI_BRIDGE_STATUS": call.dialplan_status}
            if call.dialplan_status == "FORWARD":
                variables["ARI_BRIDGE_FORWARD"] = call.forward
            await ari.channels.continue_in_dialplan(call.far_channel, variables=variables)
        case Resource.PARTY:
            if party := call.party(leg):
                await ari.channels.hangup(party.channel)
        case Resource.FAR:
            await ari.channels.hangup(call.far_channel)
    return None
