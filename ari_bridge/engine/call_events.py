"""The hook events of calls: plugins, `/events`, the CDRs and the pages' lists of calls all follow from these."""

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
    Hooks,
    LegReleased,
)
from ari_bridge.hooks import DigitReceived as DigitHook


class CallEvents:
    """Emits them, for every call."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    def adopted(self, call: Call) -> None:
        """The call was started by an earlier process, and continues."""
        self._hooks.emit(CallAdopted(call))

    def ended(self, call: Call) -> None:
        """The call was decided to end."""
        self._hooks.emit(CallEnded(call))

    def ended_while_down(self, call: Call) -> None:
        """The call ended, and everything of it is released, before this process found it."""
        self._hooks.emit(CallEnded(call))
        self._hooks.emit(CallReleased(call))

    def on_transition(self, before: Call, after: Call, event: Event) -> None:
        match event:
            case events.Placed() | events.Arrived():
                self._hooks.emit(CallStarted(after))
            case events.Released(target=LegRef(number), figures=figures) if figures:
                self._hooks.emit(LegReleased(after.id, number, figures))
            case _:
                pass
        if before.state is not after.state:
            self._state_changed(before, after)
        elif _looks_different(before, after):
            self._hooks.emit(CallChanged(after))

    def on_notification(self, call: Call, notification: Notification) -> None:
        if isinstance(notification, DigitReceived):
            self._hooks.emit(DigitHook(call, notification.digit))

    def _state_changed(self, before: Call, after: Call) -> None:
        if after.state.live:
            self._hooks.emit(CallChanged(after))
            return
        if before.outcome is None and after.outcome:
            self._hooks.emit(CallEnded(after))
        if after.state is CallState.ENDED:
            self._hooks.emit(CallReleased(after))


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
