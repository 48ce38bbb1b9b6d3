"""Every ARI event, brought to the call whose channel it is about; and callers who arrive, made calls of."""

import re
import time
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any

import structlog

from ari_bridge import metrics
from ari_bridge.ari import events as ari_events
from ari_bridge.ari import mailboxes, readiness
from ari_bridge.ari.client import Ari
from ari_bridge.ari.models import Channel
from ari_bridge.engine import ari_translation
from ari_bridge.errors import PeerError
from ari_bridge.fsm.call import Call, Direction, Fact, Resource
from ari_bridge.fsm.events import ChannelReplaced, Event
from ari_bridge.hooks import AriReceived, Hooks
from ari_bridge.ids import Kind, leg_number, parse_resource_id, party_number
from ari_bridge.tasks import TaskSet
from ari_bridge_protocol.call_ids import new_call_id

Owner = tuple[str, Resource, int]
"""Whose a channel is: the call's id, what the call has it for, and the number of the media leg or party, else 0."""

log = structlog.get_logger(__name__)


class AriEventDispatcher:
    """`post(call_id, event)`: False where there is no such call. `arrived`: takes a caller's new call, False where
    there is no room for it. `stray`: removes a channel of ours that came too late.

    `owners`: of the channels whose name does not tell whose they are, as with callers and with parties that another
    call gave; by Asterisk's channel id. Kept by the manager, looked at each time. `id_of`: the call's id, of the stem
    that names of its resources begin with. `recorded(name, failure)`: a
    recording of ours is over.
    """

    def __init__(
        self,
        ari: Ari,
        hooks: Hooks,
        owners: Mapping[str, Owner],
        *,
        id_of: Callable[[str], str],
        post: Callable[[str, Event], bool],
        arrived: Callable[[Call], bool],
        stray: Callable[[str], Coroutine[Any, Any, None]],
        recorded: Callable[[str, str], None],
    ) -> None:
        self._ari = ari
        self._hooks = hooks
        self._owners = owners
        self._id_of = id_of
        self._post = post
        self._arrived = arrived
        self._stray = stray
        self._recorded = recorded
        self._retired: set[str] = set()  # channels that gave their place to others: what becomes of them is no matter
        self._background = TaskSet()
        ari.on_event(self._on_event)

    async def close(self) -> None:
        await self._background.cancel()

    def _on_event(self, event: ari_events.AriEvent) -> None:
        at = time.time()
        metrics.count_event(_label(event))
        if (lag := _lag(event.timestamp, at)) is not None:
            metrics.ARI_EVENT_LAG.observe(lag)
        channel = ari_translation.channel_id(event)
        if channel and channel.startswith(f"{readiness.MARK}-"):
            return  # our own, to see whether one can be made
        owner = self._owner(channel) if channel else None
        self._hooks.emit(AriReceived(event.type, event.raw, call_id=owner[0] if owner else None))
        if isinstance(event, ari_events.StasisStart) and event.replace_channel:
            self._replace(event.channel, event.replace_channel.id, at)
            return
        if channel in self._retired:
            if isinstance(event, ari_events.ChannelDestroyed):
                self._retired.discard(channel)
            return
        if owner:
            call_id, resource, number = owner
            told = ari_translation.translate(event, resource, number, at)
            if told is None or self._post(call_id, told):
                return
        match event:
            case ari_events.StasisStart():
                self._entered(event, owner is not None)
            case ari_events.RecordingFinished(recording=recording):
                self._recorded(recording.name, "")
            case ari_events.RecordingFailed(recording=recording):
                self._recorded(recording.name, recording.cause or "Asterisk could not record")
            case _:
                pass

    def _replace(self, channel: Channel, before: str, at: float) -> None:
        """A far side has transferred its call, by its own means: somebody else is there now."""
        owner = self._owner(before)
        number, name = _who_is_there(channel)
        if owner and self._post(owner[0], ChannelReplaced(at, owner[1], owner[2], channel.id, number, name)):
            log.info("the far side gave its place to somebody else", call=owner[0], channel=channel.id, number=number)
            self._retired.add(before)
            self._background.start(self._stray(before))
        else:
            log.error("a channel took the place of one that is none of ours", channel=channel.id, before=before)

    def _owner(self, channel: str) -> Owner | None:
        if owner := self._owners.get(channel):
            return owner
        name = parse_resource_id(channel)
        match name:
            case (stem, Kind.EXTERNAL_MEDIA):
                return self._id_of(stem), Resource.EXTERNAL_MEDIA, leg_number(channel)
            case (stem, Kind.FAR):
                call_id, number = self._id_of(stem), party_number(channel)
                return (call_id, Resource.PARTY, number) if number > 1 else (call_id, Resource.FAR, 0)
            case _:
                return None

    def _entered(self, event: ari_events.StasisStart, ours: bool) -> None:
        """A channel that belongs to no call of ours entered our application."""
        channel = event.channel
        match event.args:
            case _ if ours:
                log.warning("a channel came after its call had ended: hung up", channel=channel.id)
                self._background.start(self._stray(channel.id))
            case ["inbound", number]:
                if self._arrived(_call_of(channel, number)):
                    self._background.start(self._follow(channel.id))
                else:
                    log.error("all lines are in use: the caller goes on in the dialplan", channel=channel.id)
                    self._background.start(self._send_on(channel.id))
            case [mailboxes.MARK]:
                pass  # our own: whoever made it ends it
            case args:
                log.error(
                    "a channel came with arguments that mean nothing: it goes on in the dialplan",
                    channel=channel.id,
                    args=args,
                    expected="Stasis(APP,inbound,NUMBER)",
                )
                self._background.start(self._send_on(channel.id))

    async def _follow(self, channel: str) -> None:
        try:
            await self._ari.channels.follow(channel)
        except PeerError as error:
            log.warning("the end of a caller's channel may not be told", channel=channel, reason=str(error))

    async def _send_on(self, channel: str) -> None:
        try:
            await self._ari.channels.continue_in_dialplan(channel, variables={"ARI_BRIDGE_STATUS": "UNAVAILABLE"})
        except PeerError as error:
            log.error("the caller could not be sent on", channel=channel, reason=str(error))


_LOCAL = re.compile(r"Local/([0-9A-Za-z+*#._-]+)@")


def _who_is_there(channel: Channel) -> tuple[str, str]:
    """The number and name of whoever took the place: the one that was dialled, by the name of a Local channel.

    Its caller id still is the one that was there before.
    """
    dialled = _LOCAL.match(channel.name)
    return (dialled[1], "") if dialled else (channel.connected.number, channel.connected.name)


def _call_of(channel: Channel, number: str) -> Call:
    return Call(
        id=new_call_id(),
        direction=Direction.INBOUND,
        target=number,
        caller=channel.caller.number,
        caller_name=channel.caller.name,
        created_at=time.time(),
        far_channel=channel.id,
        facts=frozenset({Fact.FAR_CREATED, Fact.FAR_ENTERED}),
        holds=frozenset({Resource.FAR}),
    )


def _label(event: ari_events.AriEvent) -> str:
    """Unknown types share one label: what a peer sends must not make up new metrics."""
    return "unknown" if isinstance(event, ari_events.UnknownEvent) else event.type


def _lag(timestamp: str, now: float) -> float | None:
    """Seconds since Asterisk stamped the event; None where it has no stamp that can be read."""
    try:
        return max(0.0, now - datetime.fromisoformat(timestamp).timestamp())
    except ValueError:
        return None
