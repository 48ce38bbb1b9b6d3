"""What happens after every event of a call and before any of its actions, in this order:

1. save, and with it the events that tell of it: whatever is done next, the next process knows that it was decided;
2. own the call's channels: ARI events of a channel that is new to the call find it;
3. count it, and publish it to the hooks: what they see is saved, and can be looked up;
4. record it, if every call is recorded: the request is queued as a further event;
5. forget it, once it has ended.
"""

from collections.abc import Callable, Sequence

from ari_bridge.engine.call_events import CallEvents
from ari_bridge.engine.call_metrics import CallMetrics
from ari_bridge.engine.channel_owners import ChannelOwners
from ari_bridge.fsm.call import Call, CallState
from ari_bridge.fsm.events import Event, RecordingRequested, RecordingVerb
from ari_bridge.hooks import HookEvent


class CallLifecycle:
    """Of one call.

    Args:
        save: saves it for the next process, and writes the events to the log.
        owners: whose each channel is.
        metrics: its counts.
        events: what the hooks are given.
        post: gives a call, by its id, a further event.
        forget: called once it has ended.
        record_all: whether every call is recorded from its answer on.
    """

    def __init__(
        self,
        *,
        save: Callable[[Call, Sequence[HookEvent]], None],
        owners: ChannelOwners,
        metrics: CallMetrics,
        events: CallEvents,
        post: Callable[[str, Event], object],
        forget: Callable[[Call], None],
        record_all: bool,
    ) -> None:
        self._save = save
        self._owners = owners
        self._metrics = metrics
        self._events = events
        self._post = post
        self._forget = forget
        self._record_all = record_all

    def on_transition(self, before: Call, after: Call, event: Event) -> None:
        happened = self._events.of_transition(before, after, event)
        self._save(after, happened)
        self._own_channels(before, after)
        self._metrics.on_transition(before, after, event)
        self._events.emit(happened)
        self._record_if_required(before, after, event)
        self._forget_if_ended(before, after)

    def _own_channels(self, before: Call, after: Call) -> None:
        moved = after.far_channel != before.far_channel or after.near is not before.near
        if moved or after.parties is not before.parties:
            self._owners.update(after)

    def _record_if_required(self, before: Call, after: Call, event: Event) -> None:
        if self._record_all and after.state is CallState.UP and before.state is not CallState.UP:
            self._post(after.id, RecordingRequested(event.at, RecordingVerb.START))

    def _forget_if_ended(self, before: Call, after: Call) -> None:
        if after.state is CallState.ENDED and before.state is not CallState.ENDED:
            self._owners.forget(after)
            self._forget(after)
