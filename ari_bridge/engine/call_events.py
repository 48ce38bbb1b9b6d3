"""The hook events of calls: plugins, `/events`, the CDRs and the pages' lists of calls all follow from these."""

from collections.abc import Iterable

from ari_bridge.fsm import events
from ari_bridge.fsm.call import Call, CallState, LegRef
from ari_bridge.fsm.events import Event
from ari_bridge.fsm.notifications import DigitReceived, Notification
from ari_bridge.hooks import (
    CallAdopted,
    CallChanged,
    CallEnded,
    CallReleased,
    CallStarted,
    HookEvent,
    Hooks,
    LegReleased,
)
from ari_bridge.hooks import DigitReceived as DigitHook


class CallEvents:
    """Which there are, and emits them, for every call.

    What tells a change of a call is written to the event log with the call, and emitted after that.
    """

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    def emit(self, recorded: Iterable[HookEvent]) -> None:
        """Events that were written with the call."""
        for event in recorded:
            self._hooks.emit(event, recorded=True)

    def adopted(self, call: Call) -> None:
        """The call was started by an earlier process, and continues."""
        self._hooks.emit(CallAdopted(call))

    def of_adoption(self, call: Call) -> list[HookEvent]:
        """What happened before this process found the call: it was decided to end; or it ended and was released."""
        if call.state is CallState.ENDED:
            return [CallEnded(call), CallReleased(call)]
        return [CallEnded(call)] if call.outcome else []

    def not_recorded_before(self, record: Call, happened: list[HookEvent]) -> list[HookEvent]:
        """Without the end that the earlier process wrote to the log with this record of the call."""
        return [event for event in happened if not (record.outcome and isinstance(event, CallEnded))]

    def of_transition(self, before: Call, after: Call, event: Event) -> list[HookEvent]:
        happened: list[HookEvent] = []
        match event:
            case events.Placed() | events.Arrived():
                happened.append(CallStarted(after))
            case events.Released(target=LegRef(number), figures=figures) if figures:
                happened.append(LegReleased(after.id, number, figures))
            case _:
                pass
        if before.state is not after.state:
            happened += _of_state(before, after)
        elif _looks_different(before, after):
            happened.append(CallChanged(after))
        return happened

    def on_notification(self, call: Call, notification: Notification) -> None:
        if isinstance(notification, DigitReceived):
            self._hooks.emit(DigitHook(call, notification.digit))


def _of_state(before: Call, after: Call) -> list[HookEvent]:
    if after.state.live:
        return [CallChanged(after)]
    happened: list[HookEvent] = []
    if before.outcome is None and after.outcome:
        happened.append(CallEnded(after))
    if after.state is CallState.ENDED:
        happened.append(CallReleased(after))
    return happened


def _visible(call: Call) -> tuple[object, ...]:
    """What clients see of a call besides its state."""
    return (
        call.held,
        call.held_by_far,
        call.transferring,
        call.left_outcome,
        call.far_present,
        call.far_number,
        call.far_name,
        call.recording,
    )


def _visible_parties(call: Call) -> list[tuple[object, ...]]:
    return [(party.number, party.name, party.state, party.present) for party in call.parties]


def _looks_different(before: Call, after: Call) -> bool:
    """Whether clients see a change. Evaluated at every event, few of which change what is visible."""
    if before is after:
        return False
    if _visible(before) != _visible(after):
        return True
    return before.parties is not after.parties and _visible_parties(before) != _visible_parties(after)
