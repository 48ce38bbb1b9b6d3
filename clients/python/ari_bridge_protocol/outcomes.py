"""How calls end: a closed set of outcomes, and the details that some of them need. The server and its clients share it.

Which SIP status or Q.850 cause becomes which outcome, the server knows.
"""

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


class Detail(Enum):
    """What stands behind an outcome: who refused, and so what helps. The values are the words of the protocol."""

    MOVED = "moved"  # the far side names another number, which is in `Cause.forward` where it does
    NO_SUCH_NUMBER = "no_such_number"
    NUMBER_CHANGED = "number_changed"
    INCOMPLETE_NUMBER = "incomplete_number"
    OFFLINE = "offline"  # nobody is signed in there, or the phone is off
    NOT_RESPONDING = "not_responding"  # nothing answered the request in time: nobody was rung
    CONGESTION = "congestion"  # no line is free, or one on the way is out of order
    NOT_CONNECTED = "not_connected"  # the call failed on the way, nobody says why
    REFUSED = "refused"  # refused before it rang: nobody there has heard of it
    LINE_FORBIDS = "line_forbids"  # the trunk, or the system behind it, does not let this number be called
    LINE_SIGN_IN = "line_sign_in"  # the trunk does not take the PBX's own credentials
    INCOMPATIBLE_MEDIA = "incompatible_media"  # the two sides have no codec in common
    MEDIA_SETUP = "media_setup"  # our media could not be set up: it was never connected
    NO_ROUTE = "no_route"  # the PBX has no endpoint, or no dialplan context, to dial the number with
    PBX_REFUSES = "pbx_refuses"  # the PBX answers, and does not do as it is asked: its fault
    STILL_CONNECTED = "still_connected"  # ended for us, but the PBX refuses to let the other side go: it is tried on
    USED_UP = "used_up"  # the user has called as much as a day allows
    OUTGOING_STOPPED = "outgoing_stopped"  # an operator has stopped all outgoing calls
    PBX_RESTARTS = "pbx_restarts"  # a restart of the PBX is pending: it begins no calls until that is over
