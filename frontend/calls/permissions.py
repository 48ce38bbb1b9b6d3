"""Who may see and command a call, a call record or a recording: the rules for the WebSocket and the HTTP API.

A call that a client may not see does not exist for it: the response is the same as for an id that was never used, so
that guessing ids reveals nothing. User names may be reused: a call older than its user's account is not the user's.
"""

from collections.abc import Callable, Iterable
from typing import Literal

from ari_bridge.cdr import owner
from ari_bridge.errors import CallerError, TooMany, UnknownCall
from ari_bridge.event_log import EventCall
from ari_bridge.fsm.call import Call
from ari_bridge.guest_names import counted_name
from ari_bridge.number import normalize_number
from ari_bridge.preferences import VOICEMAIL
from ari_bridge.preferences.preferences import FORWARDS
from ari_bridge_protocol.preferences import CallPreferences
from frontend.auth.authenticator import Forbidden
from frontend.auth.grants import Grant
from frontend.auth.principal import Principal


class NumberNotAllowed(CallerError):
    """The token is for other numbers."""

    code = "forbidden"
    rule = "the numbers of the token"


def owns(principal: Principal, call: Call | EventCall) -> bool:
    """Whether the call was placed or accepted by this user."""
    return principal.unrestricted or _is_of(principal, call.user, call.created_at)


def takes_part(principal: Principal, call: Call) -> bool:
    """The user's own call, or one that rings for the user and is not accepted.

    Only who takes part brings in parties, joins calls, transfers, records and sends digits: what is dialled counts as
    dialled by the call's user, and whoever is brought in listens.
    """
    if owns(principal, call):
        return True
    return call.user is None and principal.name in call.users and call.created_at >= principal.since


def commands(principal: Principal, call: Call) -> bool:
    """Whether the principal may end it or hold it, drop a party, or take its user out."""
    return takes_part(principal, call) or principal.may(Grant.CALLS_CONTROL)


def sees(principal: Principal, call: Call | EventCall) -> bool:
    """A call of the user, one that has rung for the user, one to the user's number; with a grant every call."""
    if owns(principal, call) or principal.may(Grant.CALLS_READ):
        return True
    rang = principal.name is not None and principal.name in call.users and call.created_at >= principal.since
    return rang or _is_of(principal, owner(call), call.created_at)


def sees_record(principal: Principal, user: str | None, created_at: float) -> bool:
    """The call record of a call of `user` that began then; None: of a call that belongs to no user."""
    return principal.may(Grant.RECORDS_READ) or _is_of(principal, user, created_at)


def hears_recording(principal: Principal, user: str | None, started_at: float) -> bool:
    """Whether the principal may see the recording of a call of `user` that started then."""
    return principal.may(Grant.RECORDINGS_READ) or _is_of(principal, user, started_at)


def deletes_recording(principal: Principal, user: str | None, started_at: float) -> bool:
    return principal.may(Grant.RECORDINGS_DELETE) or _is_of(principal, user, started_at)


def event_view(principal: Principal, name: str, call: Call | EventCall | None) -> Literal["whole", "masked", "hidden"]:
    """How an event of `/events` is shown: the keys that somebody presses are for the call's own user alone."""
    if principal.unrestricted:
        return "whole"
    if name == "ari":
        return "masked" if principal.may(Grant.EVENTS_RAW) else "hidden"
    if call and owns(principal, call):
        return "whole"
    seen = principal.may(Grant.EVENTS_READ) or (call is not None and sees(principal, call))
    return "masked" if seen else "hidden"


def check_owns(principal: Principal, call: Call) -> None:
    """Raises UnknownCall."""
    _check(owns(principal, call), call)


def check_takes_part(principal: Principal, call: Call) -> None:
    """Raises UnknownCall."""
    _check(takes_part(principal, call), call)


def check_commands(principal: Principal, call: Call) -> None:
    """Raises UnknownCall."""
    _check(commands(principal, call), call)


def check_sees(principal: Principal, call: Call) -> None:
    """Raises UnknownCall."""
    _check(sees(principal, call), call)


def check_rang(principal: Principal, call: Call) -> None:
    """Whether the call rings, or has rung, for the principal. Raises UnknownCall."""
    _check(principal.name in call.users or owns(principal, call), call)


def check_dials(principal: Principal, target: str, live: Iterable[Call], is_emergency: Callable[[str], bool]) -> None:
    """Before the dial permissions, which look at the number: whether the principal may dial it now.

    `live`: all calls. Raises Forbidden, NumberNotAllowed, InvalidTarget, TooMany (not for an emergency number).
    """
    check_may(principal, Grant.DIAL)
    check_number(principal, target)
    if principal.max_calls:
        of_key = sum(counted_name(call.user or "") == principal.key_id for call in live)
        if of_key >= principal.max_calls and not is_emergency(target):
            raise TooMany(f"At most {principal.max_calls} calls are made at once with this API key.")


def check_number(principal: Principal, target: str) -> None:
    """Raises NumberNotAllowed, InvalidTarget."""
    if not principal.numbers:
        return
    number = normalize_number(target)
    for pattern in principal.numbers:
        if number == pattern or (pattern.endswith("*") and number.startswith(pattern[:-1])):
            return
    raise NumberNotAllowed(f"{number} is none of the numbers that may be dialled with this token.", field="target")


def check_forwards(principal: Principal, wanted: CallPreferences) -> None:
    """Nobody gets further by a forward than by a call. Raises Forbidden, NumberNotAllowed, InvalidTarget."""
    if principal.unrestricted:
        return
    if principal.is_guest:
        raise Forbidden(Grant.RECEIVE, of="no guest")
    for number in filter(None, (getattr(wanted, name) for name in FORWARDS)):
        if number == VOICEMAIL and principal.kind != "token":
            continue  # it dials nothing
        check_may(principal, Grant.DIAL)
        if number != VOICEMAIL:
            check_number(principal, number)


def check_may(principal: Principal, grant: Grant) -> None:
    """Raises Forbidden."""
    if not principal.may(grant):
        raise Forbidden(grant)


def _is_of(principal: Principal, user: str | None, at: float) -> bool:
    if principal.unrestricted:
        return True
    return principal.name is not None and principal.name == user and at >= principal.since


def _check(allowed: bool, call: Call) -> None:
    if not allowed:
        raise UnknownCall.named(call.id)
