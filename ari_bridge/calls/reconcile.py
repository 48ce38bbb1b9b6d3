"""Bringing what we believe and what Asterisk has together.

`reconcile` runs after every connect of the event stream: events were missed, so
each live call is told what it should have heard. `sweep` removes what nobody
owns: what a killed process or a release that was given up has left behind.
"""

import asyncio
import time

import structlog

from ari_bridge import metrics
from ari_bridge.ari.resources import Channel
from ari_bridge.calls.events import ChannelEntered, ChannelGone, FarAnswered, FarRinging
from ari_bridge.calls.state import Call, Direction, Fact, Resource
from ari_bridge.calls.task import CallTask, Peers
from ari_bridge.errors import PeerError
from ari_bridge.ids import Kind, parse_resource_id, resource_id

SWEEP_SECONDS = 30.0

log = structlog.get_logger(__name__)

_CREATED = {Resource.FAR: Fact.FAR_CREATED, Resource.EXTERNAL_MEDIA: Fact.EXTERNAL_MEDIA_CREATED}
_ENTERED = {Resource.FAR: Fact.FAR_ENTERED, Resource.EXTERNAL_MEDIA: Fact.EXTERNAL_MEDIA_ENTERED}


class Reconciler:
    """`tasks` (by call id) and `inbound` (channel id → call id) are the manager's own, looked at each time."""

    def __init__(self, peers: Peers, tasks: dict[str, CallTask], inbound: dict[str, str]) -> None:
        self._peers = peers
        self._tasks = tasks
        self._inbound = inbound
        self._suspects: frozenset[str] = frozenset()  # looked ownerless in the last sweep

    async def reconcile(self) -> None:
        """Tell every live call what it missed, then sweep. A peer that fails is logged: the next sweep comes."""
        try:
            await self._catch_up()
        except PeerError as error:
            log.error("cannot compare calls with the PBX", reason=str(error))
        await self.sweep()

    async def sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if self._peers.ari.connected:
                await self.sweep()

    async def _catch_up(self) -> None:
        # Only what was known to stand before we asked can be missed in the answer.
        stood = {call_id: task.call for call_id, task in self._tasks.items() if task.call.state.live}
        if not stood:
            return
        channels = {channel.id: channel for channel in await self._peers.ari.channels.list()}
        for call_id, call in stood.items():
            if task := self._tasks.get(call_id):
                self._tell(task, call, channels)

    def _tell(self, task: CallTask, call: Call, channels: dict[str, Channel]) -> None:
        at = time.time()
        ids = {Resource.FAR: call.far_channel, Resource.EXTERNAL_MEDIA: resource_id(call.id, Kind.EXTERNAL_MEDIA)}
        for resource, channel_id in ids.items():
            if _CREATED[resource] not in call.facts or resource not in call.holds:
                continue
            channel = channels.get(channel_id)
            if channel is None:
                task.post(ChannelGone(at, resource, text="it ended while the PBX could not be heard"))
                continue
            if _ENTERED[resource] not in call.facts:
                task.post(ChannelEntered(at, resource))
            if resource is Resource.FAR and call.direction is Direction.OUTBOUND:
                if channel.state == "Up" and Fact.FAR_ANSWERED not in call.facts:
                    task.post(FarAnswered(at))
                elif channel.state == "Ringing":
                    task.post(FarRinging(at))

    async def sweep(self) -> None:
        """Remove channels and bridges of ours that belong to no call.

        A channel that we named is ours for certain. A caller's channel, or an empty bridge, may be
        about to be told to us: it goes only when it was ownerless in the sweep before as well.
        """
        try:
            application = await self._peers.ari.application()
            bridges = await self._peers.ari.bridges.list()
        except PeerError as error:
            log.warning("the sweep cannot see the PBX's channels", reason=str(error))
            return
        suspects: set[str] = set()
        for channel_id in application.get("channel_ids", ()):
            if self._owned(channel_id):
                continue
            if parse_resource_id(channel_id):
                await self.reap_channel(channel_id)
            elif channel_id in self._suspects:
                await self._send_on(channel_id)
            else:
                suspects.add(channel_id)
        for bridge in bridges:
            name = parse_resource_id(bridge.id)
            if not name or name[1] is not Kind.BRIDGE or bridge.channels or name[0] in self._tasks:
                continue
            if bridge.id in self._suspects:
                await self._reap_bridge(bridge.id)
            else:
                suspects.add(bridge.id)
        self._suspects = frozenset(suspects)

    def _owned(self, channel_id: str) -> bool:
        name = parse_resource_id(channel_id)
        return channel_id in self._inbound or bool(name and name[0] in self._tasks)

    async def reap_channel(self, channel_id: str) -> None:
        """Hang up a channel that we named, and end the media session of its call."""
        name = parse_resource_id(channel_id)
        assert name, "only for channels that we named"
        call_id, kind = name
        try:
            if await self._peers.ari.channels.hangup(channel_id):
                metrics.REAPED.labels(kind.value).inc()
                log.warning("a channel without a call was hung up", channel=channel_id, call=call_id)
            if call_id not in self._tasks:
                await self._peers.media.delete(call_id)
        except PeerError as error:
            log.error("a channel without a call could not be removed", channel=channel_id, reason=str(error))

    async def _send_on(self, channel_id: str) -> None:
        """A caller whom no process serves any more: the dialplan's fallback takes over."""
        try:
            status = {"ARI_BRIDGE_STATUS": "UNAVAILABLE"}
            await self._peers.ari.channels.continue_in_dialplan(channel_id, variables=status)
            metrics.REAPED.labels("caller").inc()
            log.warning("a caller without a call was sent on in the dialplan", channel=channel_id)
        except PeerError as error:
            log.error("a caller without a call could not be sent on", channel=channel_id, reason=str(error))

    async def _reap_bridge(self, bridge_id: str) -> None:
        try:
            await self._peers.ari.bridges.destroy(bridge_id)
            metrics.REAPED.labels("bridge").inc()
            log.warning("an empty bridge without a call was removed", bridge=bridge_id)
        except PeerError as error:
            log.error("an empty bridge could not be removed", bridge=bridge_id, reason=str(error))
