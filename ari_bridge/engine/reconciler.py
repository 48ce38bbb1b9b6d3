"""Bringing what we believe and what Asterisk and rtpengine have together.

`reconcile` runs after every connect of the event stream, the first as well: calls that an earlier process
left are adopted, live ones are told what they missed, and what nobody owns is removed. `sweep` does the
last of it every 30 s too.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog

from ari_bridge import metrics
from ari_bridge.ari.models import Channel
from ari_bridge.engine.call_task import CallTask
from ari_bridge.engine.ports import Backends
from ari_bridge.engine.prewarm import MediaPrewarmer
from ari_bridge.engine.registry import CallRegistry
from ari_bridge.errors import PeerError
from ari_bridge.fsm.call import Call, CallState, Direction, Fact, PartyState, Resource, Step
from ari_bridge.fsm.events import (
    ChannelEntered,
    ChannelGone,
    ConnectedLineChanged,
    FarAnswered,
    FarHeld,
    FarRinging,
    PartyAnswered,
    RecordingEnded,
)
from ari_bridge.fsm.inventory import Finding, Ownership, ResourceKind, classify
from ari_bridge.fsm.recovery import PbxSnapshot, recover
from ari_bridge.fsm.strangers import strangers
from ari_bridge.ids import leg_id, parse_resource_id

SWEEP_SECONDS = 30.0
GRACE_SECONDS = 2.0
"""What looks ownerless may be about to be told to us: it goes when it still does after so long."""

log = structlog.get_logger(__name__)

_CREATED = {Resource.FAR: Fact.FAR_CREATED, Resource.EXTERNAL_MEDIA: Fact.EXTERNAL_MEDIA_CREATED}
_ENTERED = {Resource.FAR: Fact.FAR_ENTERED, Resource.EXTERNAL_MEDIA: Fact.EXTERNAL_MEDIA_ENTERED}


class Reconciler:
    """Of the registry's calls, and the legs ahead of others. A record that an earlier process left is adopted once."""

    def __init__(self, peers: Backends, registry: CallRegistry, warm: MediaPrewarmer) -> None:
        self._peers = peers
        self._registry = registry
        self._warm = warm
        self._adopted_ids: set[str] = set()
        self._suspects: frozenset[Finding] = frozenset()  # looked ownerless in the last sweep
        self._behind = False  # since the last connect nobody could look: calls wait to be adopted, and told

    async def reconcile(self) -> None:
        """Adopt, tell, sweep. A peer that fails is logged: it is done in place of the next sweep."""
        began = time.time()
        self._behind = True
        try:
            # Only what was known to stand before we asked can be missed in the answer.
            stood = {call_id: task.call for call_id, task in self._registry.tasks.items() if task.call.state.live}
            seen = await look(self._peers)
        except PeerError as error:
            log.error("cannot reconcile calls with Asterisk", reason=str(error))
            return
        self._behind = False
        self._adopt(seen)
        self._adopt_strangers(seen)
        for call_id, call in stood.items():
            if task := self._registry.tasks.get(call_id):
                self._tell(task, call, seen.channels)
        await self._look_at_recordings(began)
        await self._look_at_holds(seen.channels)
        await self.sweep()

    async def sweep_again(self) -> None:
        """Some seconds later, when what was just being made or released has an owner, or is gone."""
        await asyncio.sleep(GRACE_SECONDS)
        await self._look_again()

    async def sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self._look_again()

    async def _look_again(self) -> None:
        if self._peers.ari.connected:
            await (self.reconcile() if self._behind else self.sweep())

    def _adopt(self, seen: PbxSnapshot) -> None:
        records = dict(self._registry.records)
        self._registry.records.clear()
        given_away = frozenset(party.channel for record in records.values() for party in record.parties)
        for record in records.values():
            call, actions = recover(record, seen, time.time(), given_away)
            log.info(
                "recovered a call of an earlier process",
                call=call.id,
                state=call.state.value,
                was=record.state.value,
                media="lost" if call.media_lost else "whole",
            )
            self._adopted_ids.add(call.id)
            self._registry.adopt(record, (call, actions))

    def _adopt_strangers(self, seen: PbxSnapshot) -> None:
        """Calls that talk, and that no record tells of. What we do not know we do not release."""
        for record in strangers(seen, self._peers.ari.app, self._registry.knows, time.time()):
            metrics.OWNERLESS_CALLS.inc()
            log.error(
                "FOUND A CALL WITHOUT A ROW IN THE CALL STORE: it is active, so it is kept, without an owner; "
                "`ari-bridge doctor --reconcile --end CALL` ends it",
                call=record.id,
                caller=record.caller,
                target=record.target,
                channels=[record.far_channel, *(party.channel for party in record.parties)],
            )
            self._adopted_ids.add(record.id)
            self._registry.adopt(record, recover(record, seen, time.time()))

    def _tell(self, task: CallTask, call: Call, channels: Mapping[str, Channel]) -> None:
        at = time.time()
        ids = {Resource.FAR: (call.far_channel, 0), Resource.EXTERNAL_MEDIA: (leg_id(call.id, call.leg), call.leg)}
        for resource, (channel_id, leg) in ids.items():
            if _CREATED[resource] not in call.facts or resource not in call.holds:
                continue
            channel = channels.get(channel_id)
            if channel is None:
                task.post(ChannelGone(at, resource, text="it ended while the PBX could not be heard", leg=leg))
                continue
            if _ENTERED[resource] not in call.facts:
                task.post(ChannelEntered(at, resource, leg))
            if resource is Resource.EXTERNAL_MEDIA and channel.connected.number:
                task.post(ConnectedLineChanged(at, resource, leg, channel.connected.number, channel.connected.name))
            if resource is Resource.FAR and call.direction is Direction.OUTBOUND:
                if channel.state == "Up" and Fact.FAR_ANSWERED not in call.facts:
                    task.post(FarAnswered(at))
                elif channel.state == "Ringing":
                    task.post(FarRinging(at))
        self._tell_of_parties(task, call, channels, at)

    def _tell_of_parties(self, task: CallTask, call: Call, channels: Mapping[str, Channel], at: float) -> None:
        for party in call.parties:
            if party.state is PartyState.GONE or Step.CREATE_PARTY in party.waiting:
                continue
            channel = channels.get(party.channel)
            if channel is None:
                text = "it ended while the PBX could not be heard"
                task.post(ChannelGone(at, Resource.PARTY, text=text, leg=party.number))
            elif channel.state == "Up":
                task.post(PartyAnswered(at, party.number))
            else:
                task.post(ChannelEntered(at, Resource.PARTY, party.number))

    async def _look_at_recordings(self, before: float) -> None:
        """Those that are over though nobody told us. One that began only now may not stand yet."""
        for task in list(self._registry.tasks.values()):
            if (recording := task.call.recording) is None or recording.started_at >= before:
                continue
            try:
                live = await self._peers.ari.recordings.live(recording.name)
            except PeerError as error:
                log.warning("cannot query a recording", name=recording.name, reason=str(error))
                continue
            if live is None:
                task.post(RecordingEnded(time.time(), recording.name))

    async def _look_at_holds(self, channels: Mapping[str, Channel]) -> None:
        """Far sides that held the call, or took it up again, though nobody told us."""
        for task in list(self._registry.tasks.values()):
            channel = channels.get(task.call.far_channel)
            if channel is None or task.call.state is not CallState.UP:
                continue
            try:
                held = await self._peers.ari.channels.held_by_far(channel)
            except PeerError as error:
                log.warning("cannot query whether the far side holds a call", call=task.call.id, reason=str(error))
                continue
            if held is not None and held != task.call.held_by_far:
                task.post(FarHeld(time.time(), held))

    # --- the sweep ---------------------------------------------------------------------

    async def sweep(self) -> None:
        """Remove channels, bridges and sessions of ours that belong to no call, and were ownerless before as well."""
        try:
            application = await self._peers.ari.application()
            seen = await look(self._peers)
        except PeerError as error:
            log.warning("cannot list Asterisk's channels for the sweep", reason=str(error))
            return
        self._adopt_strangers(seen)
        calls = {call_id: task.call for call_id, task in self._registry.tasks.items()} | self._registry.records
        self._adopted_ids &= calls.keys()
        findings = classify(
            seen,
            in_our_hands(application, seen),
            calls,
            frozenset(self._adopted_ids),
            self._peers.ari.app,
            self._warm.names,
        )
        self._count(findings)
        orphans = {finding for finding in findings if finding.standing is Ownership.ORPHAN}
        for finding in sorted(orphans & self._suspects, key=lambda one: (one.sort.value, one.name)):
            await reap(self._peers, finding)
        self._suspects = frozenset(orphans)

    def _count(self, findings: list[Finding]) -> None:
        counts = Counter((finding.sort, finding.standing) for finding in findings)
        for sort in ResourceKind:
            for standing in Ownership:
                metrics.RESOURCES.labels(sort.value, standing.value).set(counts[sort, standing])

    async def hang_up_stray(self, channel_id: str) -> None:
        """A channel of ours that came after its call had ended."""
        parsed = parse_resource_id(channel_id)
        await reap(
            self._peers, Finding(ResourceKind.CHANNEL, channel_id, Ownership.ORPHAN, parsed[0] if parsed else None)
        )


async def look(peers: Backends) -> PbxSnapshot:
    """What stands. Raises PeerError where Asterisk fails; without rtpengine, `legs` is None."""
    channels, bridges = await asyncio.gather(peers.ari.channels.list(), peers.ari.bridges.list())
    try:
        legs: frozenset[str] | None = frozenset(await peers.media.sessions())
    except PeerError as error:
        log.warning("cannot list rtpengine's sessions", reason=str(error))
        legs = None
    return PbxSnapshot({one.id: one for one in channels}, {one.id: one for one in bridges}, legs)


def in_our_hands(application: dict[str, Any], seen: PbxSnapshot) -> list[str]:
    """The channels of our application; one that ended since it was asked is left out."""
    return [name for name in application.get("channel_ids", ()) if name in seen.channels]


async def reap(peers: Backends, finding: Finding) -> bool:
    """Remove what belongs to no call. False where a peer fails: it is logged."""
    name = finding.name
    try:
        match finding.sort:
            case ResourceKind.CHANNEL if finding.call_id is None:
                # A caller whom no process serves any more: the dialplan's fallback takes over.
                status = {"ARI_BRIDGE_STATUS": "UNAVAILABLE"}
                await peers.ari.channels.continue_in_dialplan(name, variables=status)
            case ResourceKind.CHANNEL:
                await peers.ari.channels.hangup(name)
            case ResourceKind.BRIDGE:
                # Asterisk 16 may list one for ever that is destroyed: its cache has taken a late snapshot of it.
                if not await peers.ari.bridges.destroy(name):
                    return True
            case ResourceKind.SESSION:
                await peers.media.delete(name)
    except PeerError as error:
        log.error("cannot remove an orphaned resource", what=finding.sort.value, name=name, reason=str(error))
        return False
    metrics.ORPHANS_REMOVED.labels(finding.sort.value).inc()
    log.warning("removed an orphaned resource", what=finding.sort.value, name=name, call=finding.call_id)
    return True
