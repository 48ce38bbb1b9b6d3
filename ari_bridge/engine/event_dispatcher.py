"""Dispatches every ARI event to the call whose channel it is about, and makes calls of the callers who arrive."""

import re
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

import structlog

from ari_bridge import metrics
from ari_bridge.ari import events as ari_events
from ari_bridge.ari import mailboxes, readiness
from ari_bridge.ari.client import Ari
from ari_bridge.ari.models import Channel
from ari_bridge.engine import ari_translation
from ari_bridge.engine.channel_owners import ChannelOwners, Owner
from ari_bridge.errors import PeerError
from ari_bridge.fsm.call import Call, Direction, LegRef, Milestone, PartyRef, Resource
from ari_bridge.fsm.events import ChannelReplaced, Event
from ari_bridge.hooks import AriReceived, Hooks
from ari_bridge.ids import Kind, leg_number, parse_resource_id, party_number
from ari_bridge.tasks import TaskSet
from ari_bridge_protocol.call_ids import new_call_id

log = structlog.get_logger(__name__)


class AriEventDispatcher:
    """Listens to ARI from its construction on.

    Args:
        ari: where events come from.
        hooks: are given every event, as it was sent.
        owners: whose a channel is, if its name does not say so.
        id_of: the id of the call whose resources are named after a stem (`ids.stem_of`).
        post: gives a call, by its id, an event; False if there is no such call.
        on_caller: takes a caller's new call; False if there is no room for it.
        on_sip_client: takes a SIP client's channel, the number that it calls, and its user; False if it is refused.
        hang_up_stray: removes a channel of ours that came too late.
        on_recording_over: called with a recording's name and why it failed, "" if it did not.
    """

    def __init__(
        self,
        ari: Ari,
        hooks: Hooks,
        owners: ChannelOwners,
        *,
        id_of: Callable[[str], str],
        post: Callable[[str, Event], bool],
        on_caller: Callable[[Call], bool],
        on_sip_client: Callable[[Channel, str, str], bool],
        hang_up_stray: Callable[[str], Coroutine[Any, Any, None]],
        on_recording_over: Callable[[str, str], None],
    ) -> None:
        self._ari = ari
        self._hooks = hooks
        self._owners = owners
        self._id_of = id_of
        self._post = post
        self._on_caller = on_caller
        self._on_sip_client = on_sip_client
        self._hang_up_stray = hang_up_stray
        self._on_recording_over = on_recording_over
        self._replaced: set[str] = set()  # channels whose place another one took: their end is of no interest
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
            return  # a test of ours whether the PBX makes channels
        owner = self._owner(channel) if channel else None
        self._hooks.emit(AriReceived(event.type, event.raw, call_id=owner[0] if owner else None))
        if isinstance(event, ari_events.StasisStart) and event.replace_channel:
            self._on_replaced(event.channel, event.replace_channel.id, at)
            return
        if channel in self._replaced:
            if isinstance(event, ari_events.ChannelDestroyed):
                self._replaced.discard(channel)
            return
        if owner:
            call_id, resource, target = owner
            translated = ari_translation.translate(event, resource, target, at)
            if translated is None or self._post(call_id, translated):
                return
        match event:
            case ari_events.StasisStart():
                self._on_stray(event, owner is not None)
            case ari_events.RecordingFinished(recording=recording):
                self._on_recording_over(recording.name, "")
            case ari_events.RecordingFailed(recording=recording):
                self._on_recording_over(recording.name, recording.cause or "Asterisk could not record")
            case _:
                pass

    def _on_replaced(self, channel: Channel, before: str, at: float) -> None:
        """A far side has transferred its call itself: `channel` takes the place of `before`."""
        owner = self._owner(before)
        number, name = _identity(channel)
        if owner and self._post(owner[0], ChannelReplaced(at, owner[1], owner[2], channel.id, number, name)):
            log.info("the far side transferred its call", call=owner[0], channel=channel.id, number=number)
            self._replaced.add(before)
            self._background.start(self._hang_up_stray(before))
        else:
            log.error("a channel replaced one that is not ours", channel=channel.id, before=before)

    def _owner(self, channel: str) -> Owner | None:
        if owner := self._owners.get(channel):
            return owner
        name = parse_resource_id(channel)
        match name:
            case (stem, Kind.EXTERNAL_MEDIA):
                return self._id_of(stem), Resource.EXTERNAL_MEDIA, LegRef(leg_number(channel))
            case (stem, Kind.FAR):
                call_id, number = self._id_of(stem), party_number(channel)
                return (call_id, Resource.PARTY, PartyRef(number)) if number > 1 else (call_id, Resource.FAR, None)
            case (stem, Kind.PHONE):
                return self._id_of(stem), Resource.PHONE, None
            case _:
                return None

    def _on_stray(self, event: ari_events.StasisStart, ours: bool) -> None:
        """A channel that no call of ours owns entered our application. `ours`: it is named after one that has ended."""
        channel = event.channel
        match event.args:
            case _ if ours:
                log.warning("a channel arrived after the end of its call: hanging up", channel=channel.id)
                self._background.start(self._hang_up_stray(channel.id))
            case ["inbound", number]:
                if self._on_caller(_call_of(channel, number)):
                    self._background.start(self._subscribe(channel.id))
                else:
                    log.error("all lines are in use: the caller continues in the dialplan", channel=channel.id)
                    self._background.start(self._continue_in_dialplan(channel.id))
            case ["sip", number, user]:
                if self._on_sip_client(channel, number, user):
                    self._background.start(self._subscribe(channel.id))
            case [mailboxes.MARK]:
                pass  # the voicemail's own: it hangs up itself
            case args:
                log.error(
                    "a channel entered with unknown Stasis arguments: it continues in the dialplan",
                    channel=channel.id,
                    args=args,
                    expected="Stasis(APP,inbound,NUMBER) or Stasis(APP,sip,NUMBER,USER)",
                )
                self._background.start(self._continue_in_dialplan(channel.id))

    async def _subscribe(self, channel: str) -> None:
        try:
            await self._ari.channels.subscribe(channel)
        except PeerError as error:
            log.warning(
                "cannot subscribe to a caller's channel: its end may be missed", channel=channel, reason=str(error)
            )

    async def _continue_in_dialplan(self, channel: str) -> None:
        try:
            await self._ari.channels.continue_in_dialplan(channel, variables={"ARI_BRIDGE_STATUS": "UNAVAILABLE"})
        except PeerError as error:
            log.error("the caller cannot continue in the dialplan", channel=channel, reason=str(error))


_LOCAL = re.compile(r"Local/([0-9A-Za-z+*#._-]+)@")


def _identity(channel: Channel) -> tuple[str, str]:
    """The number and name of who took the place: the number that was dialled, from the name of a Local channel.

    Its caller id is still that of the channel before.
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
        milestones=frozenset({Milestone.FAR_CREATED, Milestone.FAR_ENTERED}),
        allocated=frozenset({Resource.FAR}),
    )


def _label(event: ari_events.AriEvent) -> str:
    """Unknown types share one label: a peer must not be able to create metrics."""
    return "unknown" if isinstance(event, ari_events.UnknownEvent) else event.type


def _lag(timestamp: str, now: float) -> float | None:
    """Seconds since Asterisk stamped the event; None if it has no valid timestamp."""
    try:
        return max(0.0, now - datetime.fromisoformat(timestamp).timestamp())
    except ValueError:
        return None
