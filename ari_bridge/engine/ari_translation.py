"""Translates an ARI event into an event of the call whose channel it is about. Pure."""

import re

from ari_bridge.ari import events as ari
from ari_bridge.ari.models import Channel
from ari_bridge.fsm.call import PartyRef, Resource, Target
from ari_bridge.fsm.events import (
    ChannelDestroyed,
    ConnectedLineChanged,
    Event,
    FarAnswered,
    FarDigit,
    FarFailed,
    FarHangsUp,
    FarHeld,
    FarProgress,
    FarRinging,
    NearHeld,
    PartyAnswered,
    PartyFailed,
    PartyHangsUp,
    PartyRang,
    PhoneAnswered,
    StasisEnded,
    StasisStarted,
)

SIP = "PJSIP/"


def number_of(forward: str) -> str:
    """The number in what a far side redirects to: 7999, 7999@host, sip:7999@host."""
    match = _FORWARD.match(forward)
    return match[1] if match else ""


_FORWARD = re.compile(r"(?:sips?:|Local/)?([0-9A-Za-z+*#._-]{1,64})(?:[@;].*)?$")


def channel_id(event: ari.AriEvent) -> str | None:
    """The channel that the event is about; for `Dial`, the one that is dialled."""
    if isinstance(event, ari.Dial):
        return event.peer.id
    channel = getattr(event, "channel", None)
    return channel.id if isinstance(channel, Channel) else None


def translate(event: ari.AriEvent, resource: Resource, target: Target, at: float) -> Event | None:
    """The call's event, or None if it does not concern a call.

    Args:
        event: of one of the call's channels.
        resource: what that channel is to the call.
        target: which media leg or party; None for the far side and our user's SIP client.
        at: Unix seconds.
    """
    if resource is Resource.PHONE and isinstance(event, ari.ChannelCallerId | ari.ChannelConnectedLine):
        return None  # who answers there is our user
    match event:
        case ari.StasisStart():
            return StasisStarted(at, resource, target)
        case ari.StasisEnd():
            return StasisEnded(at, resource, target)
        case ari.ChannelDestroyed(channel=channel, cause=q850, cause_txt=text, tech_cause=sip):
            is_sip = channel.name.startswith(SIP)
            return ChannelDestroyed(
                at, resource, q850, text, target, sip if is_sip else 0, channel.name if is_sip else ""
            )
        case ari.ChannelCallerId(channel=channel) if resource not in _OUR_SIDE:
            return ConnectedLineChanged(at, resource, target, channel.caller.number, channel.caller.name)
        case ari.ChannelConnectedLine(channel=channel) if resource in _OUR_SIDE:
            return ConnectedLineChanged(at, resource, target, channel.connected.number, channel.connected.name)
    if resource is Resource.NEAR:
        return _near_event(event, at)
    if resource is Resource.PHONE:
        return PhoneAnswered(at) if isinstance(_far_event(event, at), FarAnswered) else None
    if resource is Resource.FAR:
        return _far_event(event, at)
    return _party_event(event, target.number, at) if isinstance(target, PartyRef) else None


_OUR_SIDE = (Resource.EXTERNAL_MEDIA, Resource.NEAR)


def _near_event(event: ari.AriEvent, at: float) -> Event | None:
    match event:
        case ari.ChannelHold():
            return NearHeld(at, True)
        case ari.ChannelUnhold():
            return NearHeld(at, False)
        case _:
            return None


def _far_event(event: ari.AriEvent, at: float) -> Event | None:
    match event:
        case ari.ChannelStateChange(channel=channel):
            return _STATES[channel.state](at) if channel.state in _STATES else None
        case ari.Dial(dialstatus="" | "PROCEEDING"):  # the call proceeds, without news
            return None
        case ari.Dial(dialstatus=status, forward=forward):
            return _DIAL_STATUSES[status](at) if status in _DIAL_STATUSES else FarFailed(at, status, number_of(forward))
        case ari.ChannelHangupRequest(cause=q850):
            return FarHangsUp(at, q850)
        case ari.ChannelDtmfReceived(digit=digit):
            return FarDigit(at, digit)
        case ari.ChannelHold():
            return FarHeld(at, True)
        case ari.ChannelUnhold():
            return FarHeld(at, False)
        case _:
            return None


def _party_event(event: ari.AriEvent, number: int, at: float) -> Event | None:
    translated = _far_event(event, at)
    match translated:
        case FarRinging() | FarProgress():
            return PartyRang(at, number)
        case FarAnswered():
            return PartyAnswered(at, number)
        case FarFailed(_, status, forward):
            return PartyFailed(at, number, status, forward)
        case FarHangsUp(_, q850):
            return PartyHangsUp(at, number, q850)
        case FarDigit():
            return translated
        case _:
            return None


_STATES: dict[str, type[FarRinging] | type[FarAnswered]] = {"Ringing": FarRinging, "Up": FarAnswered}
_DIAL_STATUSES: dict[str, type[FarRinging] | type[FarProgress] | type[FarAnswered]] = {
    "RINGING": FarRinging,
    "PROGRESS": FarProgress,
    "ANSWER": FarAnswered,
}
