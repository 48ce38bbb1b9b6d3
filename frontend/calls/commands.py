"""The commands for an existing call, from WebSocket messages and HTTP requests alike: both are executed here."""

from collections.abc import Callable
from typing import Any

from ari_bridge.audit import Action
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import InvalidRequest
from ari_bridge.fsm.events import RecordingVerb
from ari_bridge_protocol import messages
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.calls.permissions import check_may, check_number, owns

CallCommand = (
    messages.Dtmf
    | messages.Hold
    | messages.Transfer
    | messages.AddParty
    | messages.DropParty
    | messages.Leave
    | messages.Record
    | messages.Feedback
)


def execute(calls: CallManager, command: CallCommand, principal: Principal, check_owned: Callable[[str], None]) -> None:
    """Start executing the command; listeners are notified of the result.

    `check_owned` raises UnknownCall for a call of somebody else. Raises CallerError, Forbidden, Unavailable.
    """
    check_owned(command.call_id)
    record_control(calls, command.call_id, type(command).__struct_config__.tag, principal)
    match command:
        case messages.Record():
            check_may(principal, Grant.RECORD)
        case messages.Transfer(_, str(target)) | messages.AddParty(_, str(target)):
            check_may(principal, Grant.DIAL)
            check_number(principal, target)
        case messages.Transfer() | messages.AddParty():
            check_may(principal, Grant.DIAL)
    match command:
        case messages.Dtmf(call_id, digits):
            calls.control.send_dtmf(call_id, digits)
        case messages.Hold(call_id, held):
            calls.control.hold(call_id, held)
        case messages.Transfer(call_id, str(target), None):
            calls.control.transfer(call_id, target)
        case messages.Transfer(call_id, None, str(other)):
            check_owned(other)
            calls.control.join(call_id, other, transfer=True)
        case messages.Transfer():
            raise InvalidRequest("A transfer needs either a target or the toCallId of a call.", field="target")
        case messages.AddParty(call_id, str(target), None):
            calls.control.add_party(call_id, target)
        case messages.AddParty(call_id, None, str(other)):
            check_owned(other)
            calls.control.join(call_id, other, transfer=False)
        case messages.AddParty():
            raise InvalidRequest("A party is either a target or the fromCallId of a call.", field="target")
        case messages.DropParty(call_id, party):
            calls.control.drop_party(call_id, party)
        case messages.Leave(call_id):
            calls.control.leave(call_id)
        case messages.Record(call_id, action):
            calls.control.record(call_id, RecordingVerb(action))
            calls.audit.record(Action(f"recording.{action}"), call_id, actor=principal.actor)
        case messages.Feedback(call_id, score, issue, comment):
            calls.feedback.rate(call_id, _feedback(score, issue, comment))


def record_control(calls: CallManager, call_id: str, command: object, principal: Principal) -> None:
    """Tell the audit log if it is another user's call."""
    call = calls.get(call_id)
    if not owns(principal, call):
        calls.audit.record(Action.CALL_CONTROL, call_id, actor=principal.actor, command=str(command), user=call.user)


def _feedback(score: int, issue: str | None, comment: str) -> dict[str, Any]:
    """What was given of it. No database takes NUL, and UTF-8 has no lone surrogates."""
    text = comment.replace("\0", "").encode("utf-8", "replace").decode()
    return {"score": score} | ({"issue": issue} if issue else {}) | ({"comment": text} if text else {})
