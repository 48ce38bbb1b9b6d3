"""Brings what the engine believes, and what Asterisk and rtpengine have, together.

Theory of operation
-------------------
* `reconcile` runs after every connect of the event stream, including the first; `sweep`, its last part, also every
  SWEEP_INTERVAL_S. Both start from a snapshot of what Asterisk and rtpengine have (`take_snapshot`).
* Who decides what a restarted process hangs up: `fsm.recovery.recover` for each call that an earlier process saved (it
  continues, rings again, or ends, by its record and the snapshot), and `fsm.inventory.classify` for what is left:
  a resource named as ours that no call owns is an orphan, and only the sweep reaps orphans.
* An orphan is reaped when it is one in two sweeps in a row, at least GRACE_S apart: what has just been created, or is
  being released, may have its event still on the way.
* People who talk in a bridge of ours are never hung up for want of a record: such a call is adopted without an owner
  (`fsm.strangers`), and ends by itself or by an operator.
* A call that lived through a gap in the event stream is posted the events that it missed, as far as the snapshot shows
  them (`_post_missed`): channels that ended, entered, rang or answered; holds; recordings. Only channels that existed
  before the snapshot was taken can be missing from it.
* A peer that fails costs one round: nothing is adopted, posted or reaped, and the next sweep reconciles instead.
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
from ari_bridge.fsm.call import Call, CallState, Direction, Milestone, PartyState, Resource, Step, Target
from ari_bridge.fsm.events import (
    ChannelDestroyed,
    ConnectedLineChanged,
    FarAnswered,
    FarHeld,
    FarRinging,
    NearHeld,
    PartyAnswered,
    PhoneAnswered,
    RecordingEnded,
    StasisStarted,
)
from ari_bridge.fsm.inventory import Finding, Ownership, ResourceKind, classify
from ari_bridge.fsm.recovery import PbxSnapshot, recover
from ari_bridge.fsm.strangers import find_strangers
from ari_bridge.ids import parse_resource_id

SWEEP_INTERVAL_S = 30.0
GRACE_S = 2.0
"""Between the sweep of a reconciliation and the next one: the shortest time in which an orphan is reaped."""

_MISSED = "it ended while the event stream was down"

log = structlog.get_logger(__name__)

_CREATED = {Resource.FAR: Milestone.FAR_CREATED, Resource.EXTERNAL_MEDIA: Milestone.EXTERNAL_MEDIA_CREATED}
_ENTERED = {Resource.FAR: Milestone.FAR_ENTERED, Resource.EXTERNAL_MEDIA: Milestone.EXTERNAL_MEDIA_ENTERED}


class Reconciler:
    """Of the registry's calls, and of the prepared legs.

    Args:
        backends: what is compared with the calls.
        registry: the calls; a record that an earlier process left is adopted once.
        prewarmer: the legs that are prepared for calls.
    """

    def __init__(self, backends: Backends, registry: CallRegistry, prewarmer: MediaPrewarmer) -> None:
        self._backends = backends
        self._registry = registry
        self._prewarmer = prewarmer
        self._adopted_ids: set[str] = set()
        self._suspects: frozenset[Finding] = frozenset()  # the orphans of the last sweep
        self._overdue = False  # the reconciliation after the last connect has failed so far

    async def reconcile(self) -> None:
        """Adopt, post what was missed, sweep. A failure of a peer is logged: the next sweep reconciles instead."""
        started = time.time()
        self._overdue = True
        try:
            # Only what existed before the snapshot was requested can be missing from it.
            known = {call_id: task.call for call_id, task in self._registry.tasks.items() if task.call.state.live}
            snapshot = await take_snapshot(self._backends)
        except PeerError as error:
            log.error("cannot reconcile calls with Asterisk", reason=str(error))
            return
        self._overdue = False
        self._adopt(snapshot)
        self._adopt_strangers(snapshot)
        for call_id, call in known.items():
            if task := self._registry.tasks.get(call_id):
                self._post_missed(task, call, snapshot.channels)
        await self._check_recordings(started)
        await self._check_holds(snapshot.channels)
        await self.sweep()

    async def sweep_after_grace(self) -> None:
        """Sweep once more, when whatever was being created or released at the connect has an owner, or is gone."""
        await asyncio.sleep(GRACE_S)
        await self._sweep_or_reconcile()

    async def sweep_loop(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_INTERVAL_S)
            await self._sweep_or_reconcile()

    async def _sweep_or_reconcile(self) -> None:
        if self._backends.ari.connected:
            await (self.reconcile() if self._overdue else self.sweep())

    def _adopt(self, snapshot: PbxSnapshot) -> None:
        records = dict(self._registry.unadopted)
        self._registry.unadopted.clear()
        given_away = frozenset(party.channel for record in records.values() for party in record.parties)
        for record in records.values():
            call, actions = recover(record, snapshot, time.time(), given_away)
            log.info(
                "recovered a call of an earlier process",
                call=call.id,
                state=call.state.value,
                was=record.state.value,
                media="lost" if call.media_lost else "whole",
            )
            self._adopted_ids.add(call.id)
            self._registry.adopt(record, (call, actions))

    def _adopt_strangers(self, snapshot: PbxSnapshot) -> None:
        """Calls in which people talk, and that have no record."""
        for record in find_strangers(snapshot, self._backends.ari.app, self._registry.knows, time.time()):
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
            self._registry.adopt(record, recover(record, snapshot, time.time()))

    def _post_missed(self, task: CallTask, call: Call, channels: Mapping[str, Channel]) -> None:
        at = time.time()
        reached = call.reached
        ids: list[tuple[Resource, str, Target, frozenset[Resource]]] = [
            (Resource.FAR, call.far_channel, None, call.allocated)
        ]
        if leg := call.leg:
            ids.append((Resource.EXTERNAL_MEDIA, call.near_channel, leg.ref, leg.allocated))
        for resource, channel_id, target, allocated in ids:
            if _CREATED[resource] not in reached or resource not in allocated:
                continue
            channel = channels.get(channel_id)
            if channel is None:
                task.post(ChannelDestroyed(at, resource, text=_MISSED, target=target))
                continue
            if _ENTERED[resource] not in reached:
                task.post(StasisStarted(at, resource, target))
            if resource is Resource.EXTERNAL_MEDIA and channel.connected.number:
                line = channel.connected
                task.post(ConnectedLineChanged(at, resource, target, line.number, line.name))
            if resource is Resource.FAR and call.direction is Direction.OUTBOUND:
                if channel.state == "Up" and Milestone.FAR_ANSWERED not in call.milestones:
                    task.post(FarAnswered(at))
                elif channel.state == "Ringing":
                    task.post(FarRinging(at))
        if call.near_present and call.near and call.near.id not in channels:
            task.post(ChannelDestroyed(at, Resource.NEAR, text=_MISSED))
        if Milestone.PHONE_CREATED in call.milestones and Resource.PHONE in call.allocated:
            phone = channels.get(call.phone_channel)
            if phone is None:
                task.post(ChannelDestroyed(at, Resource.PHONE, text=_MISSED))
            else:
                task.post(PhoneAnswered(at) if phone.state == "Up" else StasisStarted(at, Resource.PHONE))
        self._post_missed_of_parties(task, call, channels, at)

    def _post_missed_of_parties(self, task: CallTask, call: Call, channels: Mapping[str, Channel], at: float) -> None:
        for party in call.parties:
            if party.state is PartyState.GONE or Step.CREATE_PARTY in party.pending:
                continue
            channel = channels.get(party.channel)
            if channel is None:
                task.post(ChannelDestroyed(at, Resource.PARTY, text=_MISSED, target=party.ref))
            elif channel.state == "Up":
                task.post(PartyAnswered(at, party.number))
            else:
                task.post(StasisStarted(at, Resource.PARTY, party.ref))

    async def _check_recordings(self, before: float) -> None:
        """Recordings whose end was missed. One that was started after `before` may not exist yet."""
        for task in list(self._registry.tasks.values()):
            if (recording := task.call.recording) is None or recording.started_at >= before:
                continue
            try:
                live = await self._backends.ari.recordings.live(recording.name)
            except PeerError as error:
                log.warning("cannot query a recording", name=recording.name, reason=str(error))
                continue
            if live is None:
                task.post(RecordingEnded(time.time(), recording.name))

    async def _check_holds(self, channels: Mapping[str, Channel]) -> None:
        """Far sides, and SIP clients of our users, that held or resumed the call, which was missed."""
        for task in list(self._registry.tasks.values()):
            if task.call.state is not CallState.UP:
                continue
            held = await self._holds(task.call, channels.get(task.call.far_channel))
            if held is not None and held != task.call.held_by_far:
                task.post(FarHeld(time.time(), held))
            if near := task.call.near:
                held = await self._holds(task.call, channels.get(near.id))
                if held is not None and held != near.holds:
                    task.post(NearHeld(time.time(), held))

    async def _holds(self, call: Call, channel: Channel | None) -> bool | None:
        """Whether the phone behind one of the call's channels holds the call; None if that is not known."""
        try:
            return await self._backends.ari.channels.held_by_phone(channel) if channel else None
        except PeerError as error:
            log.warning("cannot query whether a phone holds a call", call=call.id, reason=str(error))
            return None

    # --- the sweep ---------------------------------------------------------------------

    async def sweep(self) -> None:
        """Reap the channels, bridges and sessions that are orphans, and were so in the last sweep."""
        try:
            application = await self._backends.ari.application()
            snapshot = await take_snapshot(self._backends)
        except PeerError as error:
            log.warning("cannot list Asterisk's channels for the sweep", reason=str(error))
            return
        self._adopt_strangers(snapshot)
        calls = {call_id: task.call for call_id, task in self._registry.tasks.items()} | self._registry.unadopted
        self._adopted_ids &= calls.keys()
        findings = classify(
            snapshot,
            application_channels(application, snapshot),
            calls,
            frozenset(self._adopted_ids),
            self._backends.ari.app,
            self._prewarmer.names,
        )
        self._count(findings)
        orphans = {finding for finding in findings if finding.ownership is Ownership.ORPHAN}
        for finding in sorted(orphans & self._suspects, key=lambda one: (one.kind.value, one.name)):
            await reap(self._backends, finding)
        self._suspects = frozenset(orphans)

    def _count(self, findings: list[Finding]) -> None:
        counts = Counter((finding.kind, finding.ownership) for finding in findings)
        for kind in ResourceKind:
            for ownership in Ownership:
                metrics.RESOURCES.labels(kind.value, ownership.value).set(counts[kind, ownership])

    async def hang_up_stray(self, channel_id: str) -> None:
        """Remove a channel of ours that arrived after the end of its call."""
        parsed = parse_resource_id(channel_id)
        await reap(
            self._backends, Finding(ResourceKind.CHANNEL, channel_id, Ownership.ORPHAN, parsed[0] if parsed else None)
        )


async def take_snapshot(backends: Backends) -> PbxSnapshot:
    """What Asterisk and rtpengine have. Raises PeerError if Asterisk fails; without rtpengine, `legs` is None."""
    channels, bridges = await asyncio.gather(backends.ari.channels.list(), backends.ari.bridges.list())
    try:
        legs: frozenset[str] | None = frozenset(await backends.media.sessions())
    except PeerError as error:
        log.warning("cannot list rtpengine's sessions", reason=str(error))
        legs = None
    return PbxSnapshot({one.id: one for one in channels}, {one.id: one for one in bridges}, legs)


def application_channels(application: dict[str, Any], snapshot: PbxSnapshot) -> list[str]:
    """The channels of our Stasis application, without those that ended before the snapshot."""
    return [name for name in application.get("channel_ids", ()) if name in snapshot.channels]


async def reap(backends: Backends, finding: Finding) -> bool:
    """Remove an orphan. False if a peer fails, which is logged."""
    name = finding.name
    try:
        match finding.kind:
            case ResourceKind.CHANNEL if finding.call_id is None:
                # A caller of a process that ended: the dialplan's fallback takes over.
                status = {"ARI_BRIDGE_STATUS": "UNAVAILABLE"}
                await backends.ari.channels.continue_in_dialplan(name, variables=status)
            case ResourceKind.CHANNEL:
                await backends.ari.channels.hangup(name)
            case ResourceKind.BRIDGE:
                # Asterisk 16 may list a destroyed bridge for ever: its cache has taken a late snapshot of it.
                if not await backends.ari.bridges.destroy(name):
                    return True
            case ResourceKind.SESSION:
                await backends.media.delete(name)
    except PeerError as error:
        log.error("cannot remove an orphaned resource", what=finding.kind.value, name=name, reason=str(error))
        return False
    metrics.ORPHANS_REMOVED.labels(finding.kind.value).inc()
    log.warning("removed an orphaned resource", what=finding.kind.value, name=name, call=finding.call_id)
    return True
