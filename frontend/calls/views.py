"""A call as clients are told of it."""

import time

from ari_bridge.fsm import call as engine
from ari_bridge.fsm.call import Call, CallState, RecordingStatus
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
from ari_bridge.fsm.rules.parties import FAR_NUMBER, shown
from ari_bridge.outcomes import Detail, Outcome
from ari_bridge_protocol.messages import (
    Answer,
    CallSummary,
    ClientState,
    Dtmf,
    Error,
    Hold,
    IncomingCall,
    MediaLost,
    PartyState,
    PartySummary,
    Recording,
    RecordingState,
    ServerMessage,
    State,
    TransferFailed,
    Transferred,
)
from ari_bridge_protocol.messages import Party as PartyMessage

_CLIENT_STATES: dict[CallState, ClientState] = {
    CallState.TRYING: "trying",
    CallState.RINGING: "ringing",
    CallState.EARLY: "early",
    CallState.ACCEPTING: "trying",
    CallState.UP: "accepted",
    CallState.ENDING: "ended",
    CallState.ENDED: "ended",
}

_FAR_STATES: dict[CallState, PartyState] = {
    CallState.TRYING: "trying",
    CallState.RINGING: "ringing",
    CallState.EARLY: "ringing",
    CallState.UP: "accepted",
}
_PARTY_STATES: dict[engine.PartyState, PartyState] = {
    engine.PartyState.CALLED: "trying",
    engine.PartyState.RINGING: "ringing",
    engine.PartyState.UP: "accepted",
}

REASONS = {
    Outcome.COMPLETED: "The call has ended.",
    Outcome.BUSY: "The line is busy.",
    Outcome.NO_ANSWER: "Nobody answered.",
    Outcome.REJECTED: "The call was declined.",
    Outcome.CANCELLED: "The call was cancelled.",
    Outcome.UNREACHABLE: "This number cannot be reached.",
    Outcome.FORBIDDEN: "This number may not be called from here.",
    Outcome.FAILED_MEDIA: "The audio could not be set up.",
    Outcome.FAILED_PBX: "The phone system cannot be reached.",
    Outcome.TRANSFERRED: "The call was transferred.",
    Outcome.LOST: "The page was away for too long.",
    Outcome.ANSWERED_ELSEWHERE: "Somebody else answered the call.",
}
DETAILS = {
    Detail.MOVED: "Calls to this number go to another one.",
    Detail.NO_SUCH_NUMBER: "This number does not exist.",
    Detail.NUMBER_CHANGED: "This number has changed.",
    Detail.INCOMPLETE_NUMBER: "This number is not complete.",
    Detail.OFFLINE: "No phone is signed in at this number.",
    Detail.NOT_RESPONDING: "Nothing responds at this number.",
    Detail.CONGESTION: "No line is free, or one on the way is out of order.",
    Detail.NOT_CONNECTED: "The call failed on the way.",
    Detail.REFUSED: "The call was refused before it rang.",
    Detail.LINE_FORBIDS: "The line does not let this number be called.",
    Detail.LINE_SIGN_IN: "The line does not take the phone system's sign-in.",
    Detail.INCOMPATIBLE_MEDIA: "The other side takes none of the codecs that are offered.",
    Detail.MEDIA_SETUP: "The audio could not be set up: nothing was connected.",
    Detail.NO_ROUTE: "The phone system has no way to this number.",
    Detail.PBX_REFUSES: "The phone system refuses the server's requests.",
    Detail.STILL_CONNECTED: "The phone system does not end the call: the other side may be on the line.",
    Detail.PBX_RESTARTS: "The phone system is about to be restarted, and begins no calls.",
}
"""Of an outcome that says too little."""
PARTY_REASONS = {
    Outcome.COMPLETED: "It has left the call.",
    Outcome.CANCELLED: "It is not called any more.",
}


def client_state(call: Call) -> ClientState:
    """For its own user a call that our side has left is over."""
    return "ended" if call.left_outcome else _CLIENT_STATES[call.state]


def state_message(call: Call) -> State:
    """The `state` message for the call as it stands now."""
    detail = call.cause.detail if call.cause and not call.left_outcome else None
    return State(
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


def incoming_message(call: Call) -> IncomingCall:
    return IncomingCall(call.id, call.caller, call.caller_name, call.target, call.far_number, call.far_name)


REFUSED = {
    "hold": "The phone system did not change the hold.",
    "digits": "The phone system did not send the tones.",
    "record": "The phone system did not change the recording.",
}
"""What our side asked for, and the PBX did not do."""


def reason(outcome: Outcome, detail: Detail | None) -> str:
    """One short sentence in plain words."""
    return DETAILS[detail] if detail else REASONS[outcome]


def party_reason(outcome: Outcome, detail: Detail | None) -> str:
    return DETAILS[detail] if detail else PARTY_REASONS.get(outcome, REASONS[outcome])


def message_of(call: Call, notification: Notification) -> ServerMessage:
    """What the page that owns the call is sent when the engine reports this about it."""
    match notification:
        case MediaReady():
            return Answer(call.id, call.answer)
        case MediaNeeded(reason=reason):
            return MediaLost(call.id, reason)
        case StateChanged():
            return state_message(call)
        case DigitReceived(digit=digit):
            return Dtmf(call.id, digit)
        case HoldChanged(by_us=by_us):
            return hold_message(call, by_us=by_us)
        case RequestRefused(what=what):
            field = {"digits": "digits", "hold": "held"}.get(what)
            return Error("pbx_refuses", REFUSED[what], field, call_id=call.id)
        case PartyChanged(party=party):
            return party_message(call, party)
        case TransferEnded(party=party, failure=failure):
            return transfer_message(call, party, failure)
        case RecordingChanged(failure=failure):
            return recording_message(call, failure)


def hold_message(call: Call, *, by_us: bool) -> Hold:
    return Hold(call.id, call.held if by_us else call.held_by_far, "us" if by_us else "far")


def party_message(call: Call, number: int) -> PartyMessage:
    """How the party stands now. The far side has 1."""
    if number == FAR_NUMBER:
        target, name = shown(call)
        state = _far_state(call) or "ended"
        return PartyMessage(call.id, number, target, name, state, None if call.far_present else Outcome.COMPLETED)
    party = call.party(number)
    assert party, "only parties that were made are told of"
    return PartyMessage(
        call.id,
        number,
        party.target,
        party.name,
        party.state.value,
        party.outcome,
        party_reason(party.outcome, party.detail) if party.outcome else "",
        party.detail if party.outcome else None,
    )


def transfer_message(call: Call, number: int, failure: Outcome | None) -> Transferred | TransferFailed:
    party = call.party(number)
    target = party.target if party else ""
    if failure is None:
        return Transferred(call.id, target)
    detail = party.detail if party else None
    return TransferFailed(call.id, target, failure, party_reason(failure, detail), detail)


def recording_message(call: Call, failure: str = "") -> Recording:
    last = call.recordings[-1].name if call.recordings else ""
    reason = f"The call could not be recorded: {failure}" if failure else ""
    return Recording(call.id, recording_state(call), last, reason)


def recording_state(call: Call) -> RecordingState:
    running = call.recording
    if running is None:
        return "off"
    return "paused" if running.state is RecordingStatus.PAUSED else "on"


def _far_state(call: Call) -> PartyState | None:
    """None: it is not there, or not to be talked to yet."""
    return _FAR_STATES.get(call.state) if call.far_present else None


def parties(call: Call) -> tuple[PartySummary, ...]:
    """Everybody but this user who has not left."""
    number, name = shown(call)
    state = _far_state(call)
    far = (PartySummary(FAR_NUMBER, number, name, state),) if state else ()
    others = [one for one in call.parties if one.present]
    return (*far, *(PartySummary(one.number, one.target, one.name, _PARTY_STATES[one.state]) for one in others))


def summary(call: Call, *, here: bool, attached: bool) -> CallSummary:
    """The call as the message `calls` has it."""
    return CallSummary(
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
