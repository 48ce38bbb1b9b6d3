"""Calls as clients see them: the messages and objects that describe a call."""

import time

from ari_bridge.fsm.call import Call, CallState, PartyState, RecordingStatus
from ari_bridge.fsm.notifications import (
    DigitReceived,
    HoldChanged,
    MediaNeeded,
    MediaReady,
    Notification,
    PartyChanged,
    RecordingChanged,
    RequestRefused,
    StateChanged,
    TransferEnded,
)
from ari_bridge.fsm.rules.parties import FAR_PARTY, far_identity
from ari_bridge.outcomes import Detail, Outcome
from ari_bridge_protocol import messages

_CLIENT_STATES: dict[CallState, messages.ClientState] = {
    CallState.TRYING: "trying",
    CallState.RINGING: "ringing",
    CallState.EARLY: "early",
    CallState.ACCEPTING: "trying",
    CallState.UP: "accepted",
    CallState.ENDING: "ended",
    CallState.ENDED: "ended",
}

_FAR_STATES: dict[CallState, messages.PartyState] = {
    CallState.TRYING: "trying",
    CallState.RINGING: "ringing",
    CallState.EARLY: "ringing",
    CallState.UP: "accepted",
}
_PARTY_STATES: dict[PartyState, messages.PartyState] = {
    PartyState.CALLED: "trying",
    PartyState.RINGING: "ringing",
    PartyState.UP: "accepted",
}

OUTCOME_REASONS = {
    Outcome.COMPLETED: "The call was answered, and has ended normally.",
    Outcome.BUSY: "The far side is busy.",
    Outcome.NO_ANSWER: "The far side did not answer in time.",
    Outcome.REJECTED: "The far side declined the call.",
    Outcome.CANCELLED: "The call was cancelled before it was answered.",
    Outcome.UNREACHABLE: "The number cannot be reached.",
    Outcome.FORBIDDEN: "Calls to this number are not permitted.",
    Outcome.FAILED_MEDIA: "The media path could not be set up.",
    Outcome.FAILED_PBX: "The PBX failed, or is not connected.",
    Outcome.TRANSFERRED: "The call was transferred.",
    Outcome.LOST: "No page took the call back within the grace period.",
    Outcome.ANSWERED_ELSEWHERE: "Another device answered the call.",
}
"""For developers, in English: what users read is in the page's catalogue, by `outcome` and `detail`."""
DETAIL_REASONS = {
    Detail.MOVED: "The far side names another number to call.",
    Detail.NO_SUCH_NUMBER: "The number does not exist.",
    Detail.NUMBER_CHANGED: "The number has changed.",
    Detail.INCOMPLETE_NUMBER: "The number is incomplete.",
    Detail.OFFLINE: "No phone is registered for the number.",
    Detail.NOT_RESPONDING: "The far side does not respond.",
    Detail.CONGESTION: "No circuit is available, or the network is out of order.",
    Detail.NOT_CONNECTED: "The call failed on its way through the network.",
    Detail.REFUSED: "The far side refused the call before it rang.",
    Detail.LINE_FORBIDS: "The trunk does not permit calls to this number.",
    Detail.LINE_SIGN_IN: "The trunk did not accept the PBX's credentials.",
    Detail.INCOMPATIBLE_MEDIA: "The far side supports none of the offered codecs.",
    Detail.MEDIA_SETUP: "Setting up the media path failed: nothing was connected.",
    Detail.NO_ROUTE: "The PBX has no route to the number.",
    Detail.PBX_REFUSES: "The PBX rejects the server's requests.",
    Detail.STILL_CONNECTED: "The PBX did not end the call: the far side may still be connected.",
    Detail.USED_UP: "The user has called as much as a day allows.",
    Detail.OUTGOING_STOPPED: "An operator has stopped all outgoing calls.",
    Detail.PBX_RESTARTS: "The PBX is about to restart, and accepts no new calls.",
}
"""More specific than the outcome."""
PARTY_REASONS = {
    Outcome.COMPLETED: "The party has left the call.",
    Outcome.CANCELLED: "The party is not being called any more.",
}
REFUSED_REQUESTS = {
    "hold": "The PBX did not change the hold state.",
    "digits": "The PBX did not send the DTMF digits.",
    "record": "The PBX did not change the recording.",
}
"""What our side requested, and the PBX did not do."""


def client_state(call: Call) -> messages.ClientState:
    """For its own user a call that our side has left is over."""
    return "ended" if call.left_outcome else _CLIENT_STATES[call.state]


def state_message(call: Call) -> messages.State:
    """The `state` message for the call as it is now."""
    detail = call.cause.detail if call.cause and not call.left_outcome else None
    return messages.State(
        call_id=call.id,
        state=client_state(call),
        direction=call.direction,
        target=call.target,
        caller=call.caller,
        at=time.time(),
        outcome=call.left_outcome or call.outcome,
        q850=call.cause.q850 if call.cause else 0,
        sip=call.cause.sip if call.cause else 0,
        reason=reason(outcome, detail) if (outcome := call.left_outcome or call.outcome) else "",
        detail=detail,
        forward=call.cause.forward if call.cause else "",
        connected_number=call.far_number,
        connected_name=call.far_name,
    )


def incoming_message(call: Call) -> messages.IncomingCall:
    return messages.IncomingCall(call.id, call.caller, call.caller_name, call.target, call.far_number, call.far_name)


def reason(outcome: Outcome, detail: Detail | None) -> str:
    """One sentence for developers."""
    return DETAIL_REASONS[detail] if detail else OUTCOME_REASONS[outcome]


def party_reason(outcome: Outcome, detail: Detail | None) -> str:
    return DETAIL_REASONS[detail] if detail else PARTY_REASONS.get(outcome, OUTCOME_REASONS[outcome])


def message_of(call: Call, notification: Notification) -> messages.ServerMessage:
    """What the page that owns the call is sent when the engine reports this about it."""
    match notification:
        case MediaReady():
            return messages.Answer(call.id, call.answer)
        case MediaNeeded(reason=reason):
            return messages.MediaLost(call.id, reason)
        case StateChanged():
            return state_message(call)
        case DigitReceived(digit=digit):
            return messages.Dtmf(call.id, digit)
        case HoldChanged(by_us=by_us):
            return hold_message(call, by_us=by_us)
        case RequestRefused(what=what):
            field = {"digits": "digits", "hold": "held"}.get(what)
            return messages.Error("pbx_refuses", REFUSED_REQUESTS[what], field, call_id=call.id)
        case PartyChanged(party=party):
            return party_message(call, party)
        case TransferEnded(party=party, failure=failure):
            return transfer_message(call, party, failure)
        case RecordingChanged(failure=failure):
            return recording_message(call, failure)


def hold_message(call: Call, *, by_us: bool) -> messages.Hold:
    return messages.Hold(call.id, call.held if by_us else call.held_by_far, "us" if by_us else "far")


def party_message(call: Call, number: int) -> messages.Party:
    """The current state of the party. The far side is party 1."""
    if number == FAR_PARTY:
        target, name = far_identity(call)
        state = _far_state(call) or "ended"
        return messages.Party(call.id, number, target, name, state, None if call.far_present else Outcome.COMPLETED)
    party = call.party(number)
    assert party, "only parties that were created are reported"
    return messages.Party(
        call.id,
        number,
        party.target,
        party.name,
        party.state.value,
        party.outcome,
        party_reason(party.outcome, party.detail) if party.outcome else "",
        party.detail if party.outcome else None,
    )


def transfer_message(
    call: Call, number: int, failure: Outcome | None
) -> messages.Transferred | messages.TransferFailed:
    party = call.party(number)
    target = party.target if party else ""
    if failure is None:
        return messages.Transferred(call.id, target)
    detail = party.detail if party else None
    return messages.TransferFailed(call.id, target, failure, party_reason(failure, detail), detail)


def recording_message(call: Call, failure: str = "") -> messages.Recording:
    last = call.recordings[-1].name if call.recordings else ""
    reason = f"The call could not be recorded: {failure}" if failure else ""
    return messages.Recording(call.id, recording_state(call), last, reason)


def recording_state(call: Call) -> messages.RecordingState:
    running = call.recording
    if running is None:
        return "off"
    return "paused" if running.state is RecordingStatus.PAUSED else "on"


def _far_state(call: Call) -> messages.PartyState | None:
    """None: it is not there, or not to be talked to yet."""
    return _FAR_STATES.get(call.state) if call.far_present else None


def parties(call: Call) -> tuple[messages.PartySummary, ...]:
    """Everybody but this user who has not left."""
    number, name = far_identity(call)
    state = _far_state(call)
    far = (messages.PartySummary(FAR_PARTY, number, name, state),) if state else ()
    others = [one for one in call.parties if one.present]
    return (
        *far,
        *(messages.PartySummary(one.number, one.target, one.name, _PARTY_STATES[one.state]) for one in others),
    )


def summary(call: Call, *, here: bool, attached: bool) -> messages.CallSummary:
    """The call as the message `calls` has it."""
    return messages.CallSummary(
        call_id=call.id,
        direction=call.direction,
        state=client_state(call),
        target=call.target,
        caller=call.caller,
        caller_name=call.caller_name,
        created_at=call.created_at,
        held_by_far=call.held_by_far,
        here=here,
        attached=attached,
        answered_at=call.answered_at,
        held=call.held,
        parties=parties(call),
        transferring=taker.target if (taker := call.party(call.transferring)) else "",
        recording=recording_state(call),
        connected_number=call.far_number,
        connected_name=call.far_name,
    )
