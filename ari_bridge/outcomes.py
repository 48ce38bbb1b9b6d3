"""Why calls end: Q.850 causes and dial results to one closed set of outcomes.

The outcome is what people, programs and metrics are told; the Q.850 cause
(ITU-T Q.850, as Asterisk reports it in `ChannelDestroyed`) stays beside it for
support. SIP statuses reach us only through Asterisk, which maps them to Q.850
(chan_pjsip: 486→17, 603→21, 404→1, 480→19, 503→34, ...).
"""

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """How a call ended. Closed: every end is one of these. Used as a metric label."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    FAILED_MEDIA = "failed_media"
    FAILED_PBX = "failed_pbx"
    TRANSFERRED = "transferred"  # our user gave the other party to somebody else
    LOST = "lost"  # our user's page was gone, and did not come back in time
    ANSWERED_ELSEWHERE = "answered_elsewhere"  # inbound: somebody else, e.g. of the same ring group, took it


@dataclass(frozen=True, slots=True)
class Cause:
    """`q850`: 0 where Asterisk gave none. `text`: for support, not for people.

    `sip`: the SIP status that stands closest (RFC 3398 section 8.2.6.1), 0 where none does.
    """

    q850: int = 0
    text: str = ""
    sip: int = 0


# Q.850 cause → outcome before answer, and the SIP status it stands for.
_BY_Q850: dict[int, tuple[Outcome, int]] = {
    1: (Outcome.UNREACHABLE, 404),  # unallocated number
    2: (Outcome.UNREACHABLE, 404),  # no route to transit network
    3: (Outcome.UNREACHABLE, 404),  # no route to destination
    17: (Outcome.BUSY, 486),  # user busy
    18: (Outcome.NO_ANSWER, 408),  # no user responding
    19: (Outcome.NO_ANSWER, 480),  # no answer from user
    20: (Outcome.UNREACHABLE, 480),  # subscriber absent
    21: (Outcome.REJECTED, 603),  # call rejected
    22: (Outcome.UNREACHABLE, 410),  # number changed
    27: (Outcome.UNREACHABLE, 502),  # destination out of order
    28: (Outcome.UNREACHABLE, 484),  # invalid number format
    29: (Outcome.REJECTED, 501),  # facility rejected
    34: (Outcome.UNREACHABLE, 503),  # no circuit available: congestion
    38: (Outcome.UNREACHABLE, 503),  # network out of order
    41: (Outcome.UNREACHABLE, 503),  # temporary failure
    42: (Outcome.UNREACHABLE, 503),  # switching equipment congestion
    44: (Outcome.UNREACHABLE, 503),  # requested circuit not available
    50: (Outcome.FORBIDDEN, 403),  # facility not subscribed
    52: (Outcome.FORBIDDEN, 403),  # outgoing calls barred
    54: (Outcome.FORBIDDEN, 403),  # incoming calls barred
    57: (Outcome.FORBIDDEN, 403),  # bearer capability not authorised
    58: (Outcome.FAILED_MEDIA, 488),  # bearer capability not available
    65: (Outcome.FAILED_MEDIA, 488),  # bearer capability not implemented
    88: (Outcome.FAILED_MEDIA, 488),  # incompatible destination
}

# ARI `Dial` event's dialstatus → outcome, for ends whose Q.850 cause says nothing.
_BY_DIAL_STATUS: dict[str, Outcome] = {
    "BUSY": Outcome.BUSY,
    "CONGESTION": Outcome.UNREACHABLE,
    "CHANUNAVAIL": Outcome.UNREACHABLE,
    "NOANSWER": Outcome.NO_ANSWER,
    "CANCEL": Outcome.CANCELLED,
    "DONTCALL": Outcome.REJECTED,
    "TORTURE": Outcome.REJECTED,
    "INVALIDARGS": Outcome.UNREACHABLE,
}


_ANSWERED_ELSEWHERE = 26
"""Q.850: non-selected user clearing; Asterisk's AST_CAUSE_ANSWERED_ELSEWHERE.

A caller's channel ends with it where the SIP caller cancels with `Reason: Q.850;cause=26` (RFC 3326), and where a Dial
or a call pickup of the dialplan has given the call to somebody else.
"""


def caller_gave_up(q850: int, text: str, *, requested: int = 0) -> tuple[Outcome, Cause]:
    """The outcome of an inbound call that ended before our user took it. Arguments as of `far_ended`."""
    if requested == _ANSWERED_ELSEWHERE and q850 != requested:
        q850, text = requested, "as its hang-up request says"
    outcome = Outcome.ANSWERED_ELSEWHERE if q850 == _ANSWERED_ELSEWHERE else Outcome.CANCELLED
    return outcome, Cause(q850, text, 487)


def far_ended(
    q850: int, text: str, dial_status: str, *, requested: int = 0, rang: bool, answered: bool
) -> tuple[Outcome, Cause]:
    """The outcome of a call whose far side ended it.

    `q850` and `text` are those of ARI `ChannelDestroyed`, `dial_status` that of the
    last `Dial` event ("" where none came). `requested` is the cause of `ChannelHangupRequest`
    (0 where none came): a `Local` channel that is hung up while it enters a bridge ends
    as 16, whatever the far side said. After an answer every end is `completed`.
    A far side that rang and then ended normally (16) did not answer; one that never
    rang was not there: so a dialplan without the number ends a `Local` channel.
    """
    if not answered and q850 not in _BY_Q850 and requested in _BY_Q850:
        q850, text = requested, "as its hang-up request says"
    outcome, sip = _BY_Q850.get(q850, (None, 0))
    cause = Cause(q850, text, sip)
    if answered:
        return Outcome.COMPLETED, cause
    if outcome is None:
        outcome = _BY_DIAL_STATUS.get(dial_status, Outcome.NO_ANSWER if q850 == 16 and rang else Outcome.UNREACHABLE)
    return outcome, cause
