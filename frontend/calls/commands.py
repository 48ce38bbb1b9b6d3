"""The commands for an existing call, from WebSocket messages and HTTP requests alike: both are executed here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ari_bridge.audit import Action, recorded
from ari_bridge.engine.call_manager import CallManager
from ari_bridge.errors import DialForbidden, InvalidRequest
from ari_bridge.fsm.events import RecordingVerb
from ari_bridge_protocol import messages
from frontend.auth.errors import Forbidden
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal
from frontend.calls.permissions import NumberNotAllowed, check_may, check_number, owns

REFUSALS = (Forbidden, NumberNotAllowed, DialForbidden)
"""They say that something was not allowed."""

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
    with controlling(calls, command.call_id, str(type(command).__struct_config__.tag), principal):
        _check_rights(command, principal)
        _start(calls, command, principal, check_owned)


def _check_rights(command: CallCommand, principal: Principal) -> None:
    """Raises Forbidden, NumberNotAllowed, InvalidTarget."""
    match command:
        case messages.Record():
            check_may(principal, Grant.RECORD)
        case messages.Transfer(_, str(target)) | messages.AddParty(_, str(target)):
            check_may(principal, Grant.DIAL)
            check_number(principal, target)
        case messages.Transfer() | messages.AddParty():
            check_may(principal, Grant.DIAL)


def _start(calls: CallManager, command: CallCommand, principal: Principal, check_owned: Callable[[str], None]) -> None:
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


@contextmanager
def controlling(calls: CallManager, call_id: str, command: str, principal: Principal) -> Iterator[None]:
    """What is done within to another user's call is recorded in the audit log, as it went. Raises UnknownCall."""
    call = calls.get(call_id)
    if owns(principal, call):
        yield
        return
    who = principal.actor
    with recorded(
        calls.audit, Action.CALL_CONTROL, call_id, refusals=REFUSALS, actor=who, command=command, user=call.user
    ):
        yield


def _feedback(score: int, issue: str | None, comment: str) -> dict[str, Any]:
    """What was given of it. No database takes NUL, and UTF-8 has no lone surrogates."""
    text = comment.replace("\0", "").encode("utf-8", "replace").decode()
    return {"score": score} | ({"issue": issue} if issue else {}) | ({"comment": text} if text else {})
