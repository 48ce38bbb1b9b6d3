"""Every error that the engine raises, in two families under one base.

    BridgeError
    ├── CallerError            the one who asked did wrong: 4xx, or `error` on the WebSocket
    │   ├── InvalidRequest     a value is malformed (field says which)
    │   ├── InvalidSdp         the offer cannot be used
    │   ├── InvalidTarget      the number may not be dialled as written
    │   ├── DialForbidden      the user's class of service refuses the number
    │   │   └── OutgoingStopped  an operator has stopped all outgoing calls
    │   ├── UnknownCall        no such call, or not yours
    │   ├── WrongState         the call is not in a state that allows this
    │   └── TooMany            a bound is reached: try later
    ├── Unavailable            no call can be started now: retry after some seconds (503)
    ├── IllegalEvent           a bug of ours: an event that the state does not know
    ├── CallFailed             the call ended before it gave what was waited for
    └── PeerError              Asterisk or rtpengine did wrong
        ├── PeerTimeout        it did not answer in time: it may have done what we asked
        ├── PeerRefused        it answered no: it did not do what we asked
        └── PeerUnreachable    it cannot be reached at all

An exception carries its data; `__str__` makes the sentence. A timeout is never
taken for a refusal: after a timeout the resource may exist, and is released.
"""

from ari_bridge.outcomes import Cause, Detail, Outcome


class BridgeError(Exception):
    """Base of every error raised here. `code` is stable and meant for programs."""

    code = "error"


class CallerError(BridgeError):
    """The one who asked did wrong; asking again unchanged will fail again."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return self.message


class InvalidRequest(CallerError):
    code = "invalid_request"


class InvalidSdp(CallerError):
    code = "invalid_sdp"


class InvalidTarget(CallerError):
    code = "invalid_target"


class DialForbidden(CallerError):
    """The user may not dial this number.

    Args:
        number: What was to be dialled.
        number_class: What kind of number it is, e.g. premium.
        why: Why it is one, as the end of a sentence.
        rule: The rule that decided.
    """

    code = "forbidden"

    def __init__(self, number: str, number_class: str, why: str, rule: str) -> None:
        super().__init__(
            f"{number} may not be dialled: it is {number_class} ({why}), and the dial permissions say “{rule}”.",
            field="target",
        )
        self.rule = rule


class OutgoingStopped(DialForbidden):
    """An operator has stopped all outgoing calls.

    Args:
        number: What was to be dialled.
        number_class: What kind of number it is.
        rule: What a refusal names.
    """

    detail = Detail.OUTGOING_STOPPED

    def __init__(self, number: str, number_class: str, rule: str) -> None:
        CallerError.__init__(
            self,
            f"{number} cannot be dialled now: an operator has stopped all outgoing calls. Emergency numbers and "
            "numbers inside can.",
            field="target",
        )
        self.number_class = number_class
        self.rule = rule


class UnknownCall(CallerError):
    code = "unknown_call"

    @classmethod
    def named(cls, call_id: str) -> "UnknownCall":
        """The same for a call that never was, and for one that the caller may not see."""
        return cls(f"There is no call {call_id[:64]!r}.", field="callId")


class WrongState(CallerError):
    code = "wrong_state"


class TooMany(CallerError):
    """A bound is reached.

    Args:
        rule: The limit's name, as the settings or the file of dial permissions have it; "" if it has none.
        retry_after: In how many seconds it may have become possible; None: not known.
        detail: For people, if the code does not say enough.
    """

    code = "too_many"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        rule: str = "",
        retry_after: float | None = None,
        detail: Detail | None = None,
    ) -> None:
        super().__init__(message, field=field)
        self.rule = rule or None
        self.retry_after = retry_after
        self.detail = detail


class Unavailable(BridgeError):
    """No call can be started now; retry after `retry_after` seconds. Existing calls are not affected.

    `detail`: the text for people, if it is not simply that the PBX is unavailable.

    Neither the caller's fault (the same request may work later) nor a peer's response (no request was sent).
    """

    code = "unavailable"

    def __init__(self, reason: str, retry_after: float, detail: Detail | None = None) -> None:
        super().__init__(reason, retry_after)
        self.reason = reason
        self.retry_after = retry_after
        self.detail = detail

    def __str__(self) -> str:
        return f"No call can be started now: {self.reason}. Try again in {self.retry_after:.0f} s."


class IllegalEvent(BridgeError):
    """An event that cannot happen in the call's state; the call was left as it is."""

    code = "illegal_event"

    def __init__(self, call_id: str, state: str, event: str) -> None:
        super().__init__(call_id, state, event)
        self.call_id = call_id
        self.state = state
        self.event = event

    def __str__(self) -> str:
        return f"call {self.call_id}: {self.event} cannot happen while {self.state}"


class CallFailed(BridgeError):
    """The call ended first; `outcome` and `cause` say why."""

    code = "call_failed"

    def __init__(self, call_id: str, outcome: Outcome, cause: Cause) -> None:
        super().__init__(call_id, outcome)
        self.call_id = call_id
        self.outcome = outcome
        self.cause = cause

    def __str__(self) -> str:
        text = f" ({self.cause.text})" if self.cause.text else ""
        return f"call {self.call_id} ended: {self.outcome.value}{text}"


class PeerError(BridgeError):
    """Asterisk or rtpengine did not do what was asked."""

    def __init__(self, peer: str, request: str) -> None:
        super().__init__(peer, request)
        self.peer = peer
        self.request = request


class PeerTimeout(PeerError):
    code = "peer_timeout"

    def __init__(self, peer: str, request: str, seconds: float) -> None:
        super().__init__(peer, request)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.peer} did not answer {self.request} within {self.seconds:g} s"


class PeerRefused(PeerError):
    """`status` is the peer's own (an HTTP status for ARI, 0 for NG); `reason` its words."""

    code = "peer_refused"

    def __init__(self, peer: str, request: str, reason: str, status: int = 0) -> None:
        super().__init__(peer, request)
        self.reason = reason
        self.status = status

    def __str__(self) -> str:
        status = f" ({self.status})" if self.status else ""
        return f"{self.peer} refused {self.request}{status}: {self.reason}"


class PeerUnreachable(PeerError):
    code = "peer_unreachable"

    def __init__(self, peer: str, request: str, reason: str) -> None:
        super().__init__(peer, request)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.peer} cannot be reached for {self.request}: {self.reason}"
