"""Classifies the resources in Asterisk and rtpengine by owner: a call of this process, an adopted one, or none. Pure.

The sweep reaps the orphans, a gauge counts all of them, `ari-bridge doctor --reconcile` prints them.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from ari_bridge.fsm.call import Call, Resource
from ari_bridge.fsm.recovery import PbxSnapshot
from ari_bridge.ids import Kind, leg_id, parse_resource_id, stem_of


class ResourceKind(Enum):
    """The value is a metric label."""

    CHANNEL = "channel"
    BRIDGE = "bridge"
    SESSION = "session"


class Ownership(Enum):
    """The value is a metric label."""

    KNOWN = "known"  # of a call that started in this process
    ADOPTED = "adopted"  # of a call that started in an earlier process
    OWNERLESS = "ownerless"  # of an active call without a record: it is kept
    ORPHAN = "orphan"  # ours, and of no call


@dataclass(frozen=True, slots=True)
class Finding:
    kind: ResourceKind
    name: str
    ownership: Ownership
    call_id: str | None  # the stem if the call is unknown; None: a caller's channel, whose name does not say


def classify(
    snapshot: PbxSnapshot,
    ours: Iterable[str],
    calls: Mapping[str, Call],
    adopted: frozenset[str],
    app: str,
    prepared: Collection[str] = (),
) -> list[Finding]:
    """Every resource that is ours.

    Args:
        snapshot: what Asterisk and rtpengine have.
        ours: the channels of our Stasis application.
        calls: the live calls, by id.
        adopted: the ids of those that started in an earlier process.
        app: the name of our application, which our bridges have.
        prepared: the prepared legs (`engine.prewarm`).
    """
    owners = {channel: call_id for call_id, call in calls.items() for channel in channels_of(call)}
    ids = {stem_of(call_id): call_id for call_id in calls}
    kept = _Marked(adopted, frozenset(call_id for call_id, call in calls.items() if call.ownerless))
    found = []
    for channel in ours:
        known = channel in owners or channel in prepared
        call_id = owners.get(channel) or _owner(channel, ids)
        found.append(_finding(ResourceKind.CHANNEL, channel, call_id, known, kept))
    for bridge in snapshot.bridges.values():
        parsed = parse_resource_id(bridge.id)
        if parsed and parsed[1] is Kind.BRIDGE and bridge.name == app:
            call_id = ids.get(parsed[0], parsed[0])
            found.append(_finding(ResourceKind.BRIDGE, bridge.id, call_id, call_id in calls, kept))
    for leg in sorted(snapshot.legs or ()):
        call_id = _owner(leg, ids)
        call = calls.get(call_id or "")
        known = leg in prepared or (call is not None and leg in _legs_of(call))
        found.append(_finding(ResourceKind.SESSION, leg, call_id, known, kept))
    return found


@dataclass(frozen=True)
class _Marked:
    """Call ids."""

    adopted: frozenset[str]
    ownerless: frozenset[str]


def _finding(kind: ResourceKind, name: str, call_id: str | None, known: bool, kept: _Marked) -> Finding:
    if not known:
        return Finding(kind, name, Ownership.ORPHAN, call_id)
    if call_id in kept.ownerless:
        return Finding(kind, name, Ownership.OWNERLESS, call_id)
    return Finding(kind, name, Ownership.ADOPTED if call_id in kept.adopted else Ownership.KNOWN, call_id)


def _owner(name: str, ids: Mapping[str, str]) -> str | None:
    """The id of the call that the resource is named after, or the stem if there is no such call."""
    parsed = parse_resource_id(name)
    return ids.get(parsed[0], parsed[0]) if parsed else None


def channels_of(call: Call) -> set[str]:
    """The channels of the call, including past and future ones, without a far side that was given away."""
    far = {call.far_channel} if Resource.FAR in call.allocated or call.state.live else set()
    near = {call.near.id} if call.near else set()
    if Resource.PHONE in call.allocated:
        near.add(call.phone_channel)
    return far | near | _legs_of(call) | {party.channel for party in call.parties}


def _legs_of(call: Call) -> set[str]:
    """The names of its media legs, of channel and session alike."""
    return {leg_id(call.id, leg.number) for leg in call.legs}
