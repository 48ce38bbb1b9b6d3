"""A call as clients are told of it."""

import time

from ari_bridge.calls.causes import Outcome
from ari_bridge.calls.state import Call, CallState
from frontend.messages import CallSummary, ClientState, State

_CLIENT_STATES: dict[CallState, ClientState] = {
    CallState.TRYING: "trying",
    CallState.RINGING: "ringing",
    CallState.EARLY: "early",
    CallState.ACCEPTING: "trying",
    CallState.UP: "accepted",
    CallState.ENDING: "ended",
    CallState.ENDED: "ended",
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
}


def client_state(call: Call) -> ClientState:
    return _CLIENT_STATES[call.state]


def state_message(call: Call) -> State:
    """The `state` message for the call as it stands now."""
    return State(
        call_id=call.id,
        state=client_state(call),
        direction=call.direction,
        target=call.target,
        caller=call.caller,
        at=time.time(),
        outcome=call.outcome,
        q850=call.cause.q850 if call.cause else 0,
        sip=call.cause.sip if call.cause else 0,
        reason=REASONS[call.outcome] if call.outcome else "",
    )


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
    )
