"""Why calls end: SIP statuses, Q.850 causes and dial results to one closed set of outcomes.

The outcome is shown to people, programs and in metrics, with a `Detail` if it alone would make people do the
wrong thing. The Q.850 cause (ITU-T Q.850, as Asterisk reports it in `ChannelDestroyed`) and the SIP status are kept
for support. Asterisk maps many statuses to one cause (401, 403, 407 and 603 are all 21, call rejected): so the
status takes precedence if it is known. Asterisk 22 reports it as `tech_cause`; for an older one see
`engine.call_task`.
"""

from dataclasses import dataclass

from ari_bridge_protocol.outcomes import Detail as Detail
from ari_bridge_protocol.outcomes import Outcome as Outcome


@dataclass(frozen=True, slots=True)
class Cause:
    """`q850`: 0 if Asterisk gave none. `text`: for support, not for people.

    `sip`: the SIP status; if it is not known, the closest one (RFC 3398 section 8.2.6.1), 0 if there is
    none. `forward`: the number that the far side names in its place.
    """

    q850: int = 0
    text: str = ""
    sip: int = 0
    detail: Detail | None = None
    forward: str = ""


@dataclass(frozen=True, slots=True)
class _Means:
    """`unrung`: if the far side never rang, so that no one there noticed the call."""

    outcome: Outcome
    detail: Detail | None = None
    unrung: "_Means | None" = None

    def to(self, rang: bool) -> "_Means":
        return self if rang or self.unrung is None else self.unrung


_MOVED = _Means(Outcome.UNREACHABLE, Detail.MOVED)
_NO_SUCH_NUMBER = _Means(Outcome.UNREACHABLE, Detail.NO_SUCH_NUMBER)
_NUMBER_CHANGED = _Means(Outcome.UNREACHABLE, Detail.NUMBER_CHANGED)
_INCOMPLETE = _Means(Outcome.UNREACHABLE, Detail.INCOMPLETE_NUMBER)
_CONGESTION = _Means(Outcome.UNREACHABLE, Detail.CONGESTION)
_NOT_CONNECTED = _Means(Outcome.UNREACHABLE, Detail.NOT_CONNECTED)
_OFFLINE = _Means(Outcome.UNREACHABLE, Detail.OFFLINE)
_LINE_FORBIDS = _Means(Outcome.FORBIDDEN, Detail.LINE_FORBIDS)
_LINE_SIGN_IN = _Means(Outcome.FORBIDDEN, Detail.LINE_SIGN_IN)
_INCOMPATIBLE = _Means(Outcome.FAILED_MEDIA, Detail.INCOMPATIBLE_MEDIA)
_BUSY = _Means(Outcome.BUSY)
_DECLINED = _Means(Outcome.REJECTED)
_UNAVAILABLE = _Means(Outcome.NO_ANSWER, unrung=_Means(Outcome.NO_ANSWER, Detail.OFFLINE))
_SILENT = _Means(Outcome.NO_ANSWER, unrung=_Means(Outcome.NO_ANSWER, Detail.NOT_RESPONDING))
_ENDED = _Means(Outcome.NO_ANSWER, unrung=_NO_SUCH_NUMBER)

# Final SIP response → what it means before an answer (RFC 3261 section 21). The others go by their hundred.
_BY_SIP: dict[int, _Means] = {
    401: _LINE_SIGN_IN,
    403: _LINE_FORBIDS,
    404: _NO_SUCH_NUMBER,
    407: _LINE_SIGN_IN,
    408: _SILENT,
    410: _NUMBER_CHANGED,
    415: _INCOMPATIBLE,
    433: _LINE_FORBIDS,  # anonymous calls are not taken (RFC 5079)
    480: _UNAVAILABLE,
    484: _INCOMPLETE,
    485: _NO_SUCH_NUMBER,  # ambiguous
    486: _BUSY,
    488: _INCOMPATIBLE,
    600: _BUSY,
    603: _DECLINED,
    604: _NO_SUCH_NUMBER,
    606: _INCOMPATIBLE,
    607: _DECLINED,  # unwanted (RFC 8197): somebody there has said so
    608: _Means(Outcome.REJECTED, Detail.REFUSED),  # by somebody between the two, e.g. against spam (RFC 8688)
}
_BY_HUNDRED: dict[int, _Means] = {3: _MOVED, 4: _NOT_CONNECTED, 5: _CONGESTION, 6: _NOT_CONNECTED}
_NOT_CONGESTED = {501: _NOT_CONNECTED, 505: _NOT_CONNECTED, 513: _NOT_CONNECTED, 555: _NOT_CONNECTED}
"""Of the 5xx those that will not be otherwise a moment later."""

# Q.850 cause → what it means before an answer, and the SIP status that it stands for.
_BY_Q850: dict[int, tuple[_Means, int]] = {
    1: (_NO_SUCH_NUMBER, 404),  # unallocated number
    2: (_CONGESTION, 404),  # no route to transit network
    3: (_NO_SUCH_NUMBER, 404),  # no route to destination
    8: (_NOT_CONNECTED, 480),  # preemption
    17: (_BUSY, 486),  # user busy
    18: (_SILENT, 408),  # no user responding
    19: (_UNAVAILABLE, 480),  # no answer from user
    20: (_OFFLINE, 480),  # subscriber absent
    # Asterisk has made it of 603, but also of 401, 403 and 407: only if it rang has somebody declined.
    21: (_Means(Outcome.REJECTED, unrung=_Means(Outcome.REJECTED, Detail.REFUSED)), 603),  # call rejected
    22: (_NUMBER_CHANGED, 410),  # number changed
    23: (_MOVED, 302),  # redirected to new destination
    25: (_CONGESTION, 483),  # exchange routing error
    26: (_NOT_CONNECTED, 480),  # non-selected user clearing
    27: (_CONGESTION, 502),  # destination out of order
    28: (_INCOMPLETE, 484),  # invalid number format
    29: (_NOT_CONNECTED, 501),  # facility rejected
    30: (_NOT_CONNECTED, 480),  # response to status enquiry
    34: (_CONGESTION, 503),  # no circuit available
    38: (_CONGESTION, 503),  # network out of order
    41: (_CONGESTION, 503),  # temporary failure
    42: (_CONGESTION, 503),  # switching equipment congestion
    43: (_CONGESTION, 503),  # access information discarded
    44: (_CONGESTION, 503),  # requested circuit not available
    46: (_CONGESTION, 503),  # precedence call blocked
    47: (_CONGESTION, 503),  # resource unavailable
    50: (_LINE_FORBIDS, 403),  # facility not subscribed
    52: (_LINE_FORBIDS, 403),  # outgoing calls barred
    53: (_LINE_FORBIDS, 403),  # outgoing calls barred within the closed user group
    54: (_LINE_FORBIDS, 403),  # incoming calls barred
    55: (_LINE_FORBIDS, 403),  # incoming calls barred within the closed user group
    57: (_LINE_FORBIDS, 403),  # bearer capability not authorised
    58: (_INCOMPATIBLE, 488),  # bearer capability not available
    65: (_INCOMPATIBLE, 488),  # bearer capability not implemented
    66: (_INCOMPATIBLE, 488),  # channel type not implemented
    69: (_NOT_CONNECTED, 501),  # facility not implemented
    79: (_NOT_CONNECTED, 501),  # service not implemented
    87: (_LINE_FORBIDS, 403),  # not a member of the closed user group
    88: (_INCOMPATIBLE, 488),  # incompatible destination
    102: (_CONGESTION, 504),  # recovery on timer expiry
    111: (_NOT_CONNECTED, 500),  # protocol error
}

# ARI `Dial` event's dialstatus → what it means, for ends whose Q.850 cause is not informative.
_BY_DIAL_STATUS: dict[str, _Means] = {
    "BUSY": _BUSY,
    "CONGESTION": _CONGESTION,
    "CHANUNAVAIL": _OFFLINE,
    "NOANSWER": _SILENT,
    "CANCEL": _NOT_CONNECTED,  # not by our user: that end is decided when he asks for it
    "DONTCALL": _DECLINED,
    "TORTURE": _DECLINED,
    "INVALIDARGS": _Means(Outcome.UNREACHABLE, Detail.NO_ROUTE),
}


_ANSWERED_ELSEWHERE = 26
"""Q.850: non-selected user clearing; Asterisk's AST_CAUSE_ANSWERED_ELSEWHERE.

A caller's channel ends with it if the SIP caller cancels with `Reason: Q.850;cause=26` (RFC 3326), and if a Dial
or a call pickup of the dialplan has given the call to somebody else.
"""


def caller_gave_up(q850: int, text: str, *, requested: int = 0) -> tuple[Outcome, Cause]:
    """The outcome of an inbound call that ended before our user took it. Arguments as of `far_ended`."""
    if requested == _ANSWERED_ELSEWHERE and q850 != requested:
        q850, text = requested, "as its hang-up request says"
    outcome = Outcome.ANSWERED_ELSEWHERE if q850 == _ANSWERED_ELSEWHERE else Outcome.CANCELLED
    return outcome, Cause(q850, text, 487)


def pbx_at_fault(status: int) -> bool:
    """Whether an HTTP status of ARI means that the PBX fails, rather than that the request came too late.

    401 and 403: our credentials are refused. 500 and above: it lacks descriptors, memory or a module, for example.
    """
    return status in (401, 403) or status >= 500


NORMAL = (0, 16, 31)
"""Q.850 causes that do not say why a channel ended: none, normal clearing, normal unspecified."""


def far_ended(
    q850: int,
    text: str,
    dial_status: str,
    *,
    requested: int = 0,
    sip: int = 0,
    forward: str = "",
    rang: bool,
    answered: bool,
) -> tuple[Outcome, Cause]:
    """The outcome of a call whose far side ended it.

    `q850` and `text` are those of ARI `ChannelDestroyed`, `dial_status` and `forward` those of the
    last `Dial` event ("" if none came). `requested` is the cause of `ChannelHangupRequest`
    (0 if none came): a `Local` channel that is hung up while it enters a bridge ends
    as 16, whatever the far side said. `sip`: the final SIP response, 0 if it is not known. After an answer every
    end is `completed`. A far side that rang and then ended normally (16) did not answer; one that never rang was not
    there: so a dialplan without the number ends a `Local` channel. `rang`: whether ringing was reported;
    if it was not, the outcome does not claim that anybody is there.
    """
    if not answered and q850 not in _BY_Q850 and requested in _BY_Q850:
        q850, text = requested, "as its hang-up request says"
    sip = sip if 300 <= sip <= 699 else 0
    by_cause, stands_for = _BY_Q850.get(q850, (None, 0))
    if answered:
        return Outcome.COMPLETED, Cause(q850, text, sip or stands_for)
    if forward:
        means = _MOVED
    elif sip:
        means = _BY_SIP.get(sip) or _NOT_CONGESTED.get(sip) or _BY_HUNDRED[sip // 100]
    else:
        means = by_cause or _BY_DIAL_STATUS.get(dial_status) or (_ENDED if q850 in NORMAL else _NOT_CONNECTED)
    means = means.to(rang)
    return means.outcome, Cause(q850, text, sip or (302 if forward else stands_for), means.detail, forward)
