"""The Q.850 cause with which a SIP client of our user is hung up, so that it gets the fitting SIP response. Pure.

chan_pjsip makes the response of it (`hangup_cause2sip`): 1 is 404, 17 is 486, 18 is 408, 19 and 20 are 480, 21 is 403,
28 is 484, 34 and 42 are 503, 38 is 500, 58 is 488; after the answer it goes into the BYE (RFC 3326).
"""

from ari_bridge.errors import DialForbidden, InvalidTarget
from ari_bridge.fsm.call import Call
from ari_bridge.outcomes import NORMAL, Detail, Outcome

NORMAL_CLEARING, USER_BUSY, NO_ANSWER, REJECTED, CONGESTION = 16, 17, 19, 21, 34
ANSWERED_ELSEWHERE = 26
UNALLOCATED, ABSENT, INCOMPLETE, INCOMPATIBLE = 1, 20, 28, 58

_BY_DETAIL = {
    Detail.NO_SUCH_NUMBER: UNALLOCATED,
    Detail.NUMBER_CHANGED: UNALLOCATED,
    Detail.NO_ROUTE: UNALLOCATED,
    Detail.INCOMPLETE_NUMBER: INCOMPLETE,
    Detail.OFFLINE: ABSENT,
    Detail.INCOMPATIBLE_MEDIA: INCOMPATIBLE,
}
_BY_OUTCOME = {
    Outcome.COMPLETED: NORMAL_CLEARING,
    Outcome.TRANSFERRED: NORMAL_CLEARING,
    Outcome.CANCELLED: NORMAL_CLEARING,
    Outcome.BUSY: USER_BUSY,
    Outcome.NO_ANSWER: NO_ANSWER,
    Outcome.REJECTED: REJECTED,
    Outcome.FORBIDDEN: REJECTED,
}


def q850_for_near(call: Call) -> int:
    """Of a call that ends, or that our side has left: the far side's own cause, if it says more than that it ended."""
    if call.answered_at is not None or call.outcome is None or call.cause is None:
        return NORMAL_CLEARING
    if call.cause.q850 not in NORMAL:
        return call.cause.q850
    if call.cause.detail in _BY_DETAIL:
        return _BY_DETAIL[call.cause.detail]
    return _BY_OUTCOME.get(call.outcome, CONGESTION)


def q850_of_refusal(error: Exception) -> int:
    """Of a call that is refused before it starts."""
    match error:
        case DialForbidden():
            return REJECTED
        case InvalidTarget():
            return UNALLOCATED
        case _:
            return CONGESTION
