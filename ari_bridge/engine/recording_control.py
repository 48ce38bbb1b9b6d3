"""Recording a call: Asterisk records its bridge, on request.

Listeners are notified of a change once no request is pending: until then it may still fail.
"""

import time

from ari_bridge.engine.call_context import CallContext
from ari_bridge.errors import PeerError, PeerRefused
from ari_bridge.fsm.events import RecordingEnded, RecordingRefused, RecordingVerb
from ari_bridge.fsm.notifications import RecordingChanged
from ari_bridge.ids import Kind, resource_id
from ari_bridge.outcomes import pbx_at_fault


class RecordingControl:
    """The recordings of one call."""

    def __init__(self, context: CallContext) -> None:
        self._context = context
        self._requests_pending = 0
        self._change_deferred = False

    def request(self, verb: RecordingVerb, name: str) -> None:
        """Ask Asterisk; a failure is posted as RecordingEnded or RecordingRefused."""
        self._requests_pending += 1
        self._context.requests.start(self._request(verb, name))

    def notify(self, failure: str) -> None:
        """Notify of the change once it is so."""
        if self._requests_pending and not failure:
            self._change_deferred = True
        else:
            self._change_deferred = False
            self._context.notify(RecordingChanged(failure))

    async def _request(self, verb: RecordingVerb, name: str) -> None:
        context = self._context
        try:
            await self._send(verb, name)
        except PeerError as error:
            self._requests_pending -= 1
            context.log.error("a recording request failed", verb=verb.value, name=name, reason=str(error))
            if verb is RecordingVerb.START:
                context.post(RecordingEnded(time.time(), name, str(error)))
            elif isinstance(error, PeerRefused) and not pbx_at_fault(error.status):
                context.post(RecordingEnded(time.time(), name))  # it has ended already
            else:
                context.post(RecordingRefused(time.time(), verb, name, str(error)))
        else:
            self._requests_pending -= 1
        if self._change_deferred and not self._requests_pending:
            self._change_deferred = False
            context.notify(RecordingChanged())

    async def _send(self, verb: RecordingVerb, name: str) -> None:
        recordings = self._context.backends.ari.recordings
        match verb:
            case RecordingVerb.START:
                bridge = resource_id(self._context.call.id, Kind.BRIDGE)
                if announcement := self._context.limits.announcement:
                    await recordings.play(bridge, announcement)
                await recordings.start(bridge, name)
            case RecordingVerb.PAUSE:
                await recordings.pause(name)
            case RecordingVerb.RESUME:
                await recordings.resume(name)
            case RecordingVerb.STOP:
                await recordings.stop(name)
