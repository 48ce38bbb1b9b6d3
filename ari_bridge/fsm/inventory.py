"""Whose is what stands in Asterisk and rtpengine: known to a call, adopted by one, nobody's, or not ours. Pure.

The sweep acts on it, the gauge of resources counts it, `ari-bridge doctor --reconcile` prints it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ari_bridge.fsm.call import Call, Resource
from ari_bridge.fsm.recovery import PbxSnapshot
from ari_bridge.ids import Kind, leg_id, parse_resource_id, stem_of


class ResourceKind(Enum):
    """What a resource is. The value is a metric label."""

    CHANNEL = "channel"
    BRIDGE = "bridge"
    SESSION = "session"


class Ownership(Enum):
    """Whose a resource is. The value is a metric label."""

    KNOWN = "known"  # a call's that began in this process
    ADOPTED = "adopted"  # a call's that an earlier process began
    OWNERLESS = "ownerless"  # a call's that talks and that no record tells of: it is kept
    ORPHAN = "orphan"  # ours, and no call's


@dataclass(frozen=True, slots=True)
class Finding:
    kind: ResourceKind
    name: str
    ownership: Ownership
    call_id: str | None  # its stem where no call has it; None: a caller's channel, of which no name tells the call


def classify(
    seen: PbxSnapshot,
    ours: Iterable[str],
    calls: Mapping[str, Call],
    adopted: frozenset[str],
    app: str,
    warm: Collection[str] = (),
) -> list[Finding]:
    """Every resource of ours.

    `ours`: the channels that our application has in its hands; `calls`: those that live, by id; `adopted`:
    the ids of those that an earlier process began; `warm`: the legs that stand ahead of calls. What is not ours is
    left out.
    """
    owners = {channel: call_id for call_id, call in calls.items() for channel in channels_of(call)}
    ids = {stem_of(call_id): call_id for call_id in calls}
    kept = _Marked(adopted, frozenset(call_id for call_id, call in calls.items() if call.ownerless))
    found = []
    for channel in ours:
        known = channel in owners or channel in warm
        call_id = owners.get(channel) or _owner(channel, ids)
        found.append(_finding(ResourceKind.CHANNEL, channel, call_id, known, kept))
    for bridge in seen.bridges.values():
        parsed = parse_resource_id(bridge.id)
        if parsed and parsed[1] is Kind.BRIDGE and bridge.name == app:
            call_id = ids.get(parsed[0], parsed[0])
            found.append(_finding(ResourceKind.BRIDGE, bridge.id, call_id, call_id in calls, kept))
    for leg in sorted(seen.legs or ()):
        call_id = _owner(leg, ids)
        call = calls.get(call_id or "")
        known = leg in warm or (call is not None and leg in _legs(call))
        found.append(_finding(ResourceKind.SESSION, leg, call_id, known, kept))
    return found


@dataclass(frozen=True)
class _Marked:
    """Call ids."""

    adopted: frozenset[str]
    ownerless: frozenset[str]


def _finding(sort: ResourceKind, name: str, call_id: str | None, known: bool, kept: _Marked) -> Finding:
    if not known:
        return Finding(sort, name, Ownership.ORPHAN, call_id)
    if call_id in kept.ownerless:
        return Finding(sort, name, Ownership.OWNERLESS, call_id)
    return Finding(sort, name, Ownership.ADOPTED if call_id in kept.adopted else Ownership.KNOWN, call_id)


def _owner(name: str, ids: Mapping[str, str]) -> str | None:
    """The id of the call that the name tells of, or its stem where no call has that."""
    parsed = parse_resource_id(name)
    return ids.get(parsed[0], parsed[0]) if parsed else None


def channels_of(call: Call) -> set[str]:
    """The channels that are the call's, or were, or are being made. A far side that was given away is not."""
    legs = {leg_id(call.id, one.leg) for one in call.superseded if one.resource is Resource.EXTERNAL_MEDIA}
    far = {call.far_channel} if Resource.FAR in call.allocated or call.state.live else set()
    return far | {leg_id(call.id, call.leg), *legs} | {party.channel for party in call.parties}


def _legs(call: Call) -> set[str]:
    legs = {leg_id(call.id, one.leg) for one in call.superseded if one.resource is Resource.MEDIA_SESSION}
    return {leg_id(call.id, call.leg), *legs}
