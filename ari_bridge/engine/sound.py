"""Music on hold, and the isolation of our media leg: switches in Asterisk, each set by one request at a time.

Our side is isolated (its channel muted in both directions) while it holds or transfers. Listeners are notified of a
hold, and music starts, only once Asterisk has confirmed the isolation: until then our side is still heard.
"""

import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ari_bridge.engine.call_context import CallContext
from ari_bridge.errors import PeerError, PeerRefused
from ari_bridge.fsm.events import MuteFailed
from ari_bridge.fsm.notifications import HoldChanged
from ari_bridge.ids import Kind, resource_id
from ari_bridge.outcomes import pbx_at_fault


@dataclass(slots=True)
class _Switch:
    """A feature of the call in Asterisk that is on or off."""

    wanted: bool = False
    in_progress: bool = False


class SoundControl:
    """The switches of one call."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        self._music = _Switch()
        self._isolation = _Switch()
        self._music_deferred = False
        self._hold_deferred = False

    def play_music(self, on: bool) -> None:
        """Play music on hold into the bridge, or stop it."""
        self._music_deferred = on and self._isolation.in_progress
        if not self._music_deferred:
            self._set(self._music, on, self._request_music)

    def isolate(self, on: bool) -> None:
        """Let nothing pass between our media leg and the bridge, or everything again."""
        self._set(self._isolation, on, self._request_mute)

    def notify_hold(self) -> None:
        """Notify of our side's hold once it is so."""
        if self._isolation.in_progress:
            self._hold_deferred = True
        else:
            self._context.notify(HoldChanged(by_us=True))

    def _set(self, switch: _Switch, on: bool, request: Callable[[bool], Coroutine[Any, Any, None]]) -> None:
        switch.wanted = on
        if not switch.in_progress:
            switch.in_progress = True
            self._context.requests.start(self._apply(switch, request))

    async def _apply(self, switch: _Switch, request: Callable[[bool], Coroutine[Any, Any, None]]) -> None:
        """One request at a time: a stop that overtook its start would leave the music on."""
        done, failure = not switch.wanted, ""
        try:
            while switch.wanted is not done:
                done = switch.wanted
                await request(done)
        except PeerError as error:
            what = "music on hold" if switch is self._music else "isolation"
            self._context.log.warning("Asterisk did not change the sound", what=what, on=done, reason=str(error))
            failure = str(error)
        finally:
            switch.in_progress = False
        if switch is self._isolation:
            self._isolation_done(done, failure)

    def _isolation_done(self, on: bool, failure: str) -> None:
        music, hold = self._music_deferred, self._hold_deferred
        self._music_deferred = self._hold_deferred = False
        if failure:
            self._context.post(MuteFailed(time.time(), on, failure))
            return
        if music:
            self._set(self._music, True, self._request_music)
        if hold:
            self._context.notify(HoldChanged(by_us=True))

    async def _request_music(self, on: bool) -> None:
        context = self._context
        bridges, bridge = context.backends.ari.bridges, resource_id(context.call.id, Kind.BRIDGE)
        await (bridges.start_music if on else bridges.stop_music)(bridge)

    async def _request_mute(self, on: bool) -> None:
        context = self._context
        channels, near = context.backends.ari.channels, context.call.near_channel
        if not near:
            return  # the next media leg is made as it ought to be
        try:
            await (channels.mute if on else channels.unmute)(near)
        except PeerRefused as error:
            if pbx_at_fault(error.status):
                raise
            # The leg has just been destroyed: nothing passes through it, and the next one is made as it ought to be.
            context.log.info("the media leg to be muted does not exist", on=on, reason=str(error))
