"""Active calls without a record: reconstructed from Asterisk's bridges and channels, so that they are kept. Pure.

A process whose call store was lost or replaced finds bridges of its application in which people talk. It must not hang
up what it does not know: such a call is kept without an owner, the operator is notified and may end it, and it ends by
itself when a side hangs up, or when its browser sends no RTP any more.
"""

import re
from collections.abc import Callable
from datetime import datetime

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.fsm.call import Call, CallState, Direction, MediaLeg, Party, PartyState, Step
from ari_bridge.fsm.recovery import PbxSnapshot
from ari_bridge.ids import Kind, leg_number, lost_id, parse_resource_id, resource_id

_LOCAL = re.compile(r"Local/([0-9A-Za-z+*#._-]+)@")


def find_strangers(snapshot: PbxSnapshot, app: str, known: Callable[[str], bool], at: float) -> list[Call]:
    """A record for each call in which at least two talk, and whose stem is not `known`. `at`: Unix seconds."""
    found = []
    for bridge in snapshot.bridges.values():
        parsed = parse_resource_id(bridge.id)
        if parsed and parsed[1] is Kind.BRIDGE and bridge.name == app and not known(parsed[0]):
            call = _record(parsed[0], bridge, snapshot, at)
            if call:
                found.append(call)
    return sorted(found, key=lambda call: call.created_at)


def _record(stem: str, bridge: Bridge, snapshot: PbxSnapshot, at: float) -> Call | None:
    up = [channel for name in bridge.channels if (channel := snapshot.channels.get(name)) and channel.state == "Up"]
    legs = [one for one in up if parse_resource_id(one.id) == (stem, Kind.EXTERNAL_MEDIA)]
    others = [one for one in up if one not in legs]
    if not others or len(up) < 2:
        return None
    ours = legs[-1].caller.number if legs else ""
    number = leg_number(legs[-1].id) if legs else 0
    far_name = resource_id(lost_id(stem), Kind.FAR)
    others.sort(key=lambda one: (one.id != far_name, one.id))  # its first far side, if that is still there
    far, *rest = others
    outbound = far.id == far_name
    started_at = min([at, *(when for one in up if (when := _created_at(one)))])
    theirs = _number(far)
    return Call(
        id=lost_id(stem),
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        target=theirs if outbound else ours,
        caller=ours if outbound else theirs,
        caller_name="" if outbound else far.caller.name,
        created_at=started_at,
        answered_at=started_at,
        state=CallState.UP,
        far_channel=far.id,
        leg=MediaLeg(number) if number else None,
        last_leg=number,
        parties=tuple(_party(number, channel, started_at) for number, channel in enumerate(rest, start=2)),
        ownerless=True,
    )


def _party(number: int, channel: Channel, started_at: float) -> Party:
    return Party(
        number=number,
        channel=channel.id,
        target=_number(channel),
        created_at=started_at,
        answered_at=started_at,
        state=PartyState.UP,
        started=frozenset({Step.CREATE_PARTY, Step.DIAL_PARTY, Step.BRIDGE_PARTY}),
    )


def _number(channel: Channel) -> str:
    dialled = _LOCAL.match(channel.name)
    return dialled[1] if dialled else channel.caller.number or channel.name


def _created_at(channel: Channel) -> float | None:
    try:
        return datetime.fromisoformat(channel.creationtime).timestamp()
    except ValueError:
        return None
