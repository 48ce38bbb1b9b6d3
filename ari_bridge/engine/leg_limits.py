"""How many legs a user may have and cause, how long calls last, and who may be left talking without our side.

A call that its user has left or transferred is still one that the user has caused: its legs count as long as they are
there. What is checked at a request is checked again once a second (`LegLimits.overdue`), because calls change by
themselves: a party leaves, a page does not come back, a deadline passes while the server was down.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable

from ari_bridge.audit import Action, Audit, NoAudit, Result
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.limits import Limits
from ari_bridge.errors import TooMany
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.rules.parties import far_identity

CHECK_INTERVAL_S = 1.0
_MINUTE_S = 60.0


class LegLimits:
    """Of all users.

    Args:
        limits: The bounds.
        gate: Says which numbers are outside.
        live: All calls that have not ended.
        audit: Where a limit that is reached is recorded.
    """

    def __init__(
        self, limits: Limits, gate: DialGate, live: Callable[[], list[Call]], audit: Audit | None = None
    ) -> None:
        self._audit: Audit = audit or NoAudit()
        self._limits = limits
        self._gate = gate
        self._live = live
        self._started: dict[str, deque[float]] = {}  # by user: when legs were caused, of the last minute

    def start_leg(self, user: str | None, number: str) -> None:
        """A user is about to cause one more leg; emergency calls are not bounded. Raises TooMany."""
        if user is None or self._gate.is_emergency(number):
            return
        legs = sum(legs_of(call) for call in self._live() if call.user == user)
        if legs >= self._limits.max_legs_per_user:
            self._audit.record(
                Action.LIMIT_REFUSE, number, result=Result.REFUSED, limit="MAX_LEGS_PER_USER", user=user, reached=legs
            )
            raise TooMany(f"{user} has {legs} parties on the line already (MAX_LEGS_PER_USER): end a call first.")
        now = time.monotonic()
        started = self._started.setdefault(user, deque())
        while started and started[0] <= now - _MINUTE_S:
            started.popleft()
        if len(started) >= self._limits.max_legs_per_minute:
            self._audit.record(
                Action.LIMIT_REFUSE, number, result=Result.REFUSED, limit="MAX_LEGS_PER_MINUTE", user=user
            )
            raise TooMany(f"{user} has called {len(started)} numbers within a minute (MAX_LEGS_PER_MINUTE): wait.")
        started.append(now)

    def check_left(self, user: str | None, numbers: Iterable[str]) -> None:
        """Our side is about to leave these talking. Raises DialForbidden if all of them are outside."""
        self._gate.check_left(user, list(numbers))

    def overdue(self, now: float) -> list[tuple[Call, str]]:
        """The calls that must end, and why. `now`: Unix seconds."""
        found = [(call, self._why_over(call, now)) for call in self._live()]
        return [(call, why) for call, why in found if why]

    def _why_over(self, call: Call, now: float) -> str:
        limits = self._limits
        if call.answered_at and now - call.answered_at > limits.max_call_seconds:
            return f"it has lasted MAX_CALL_SECONDS ({limits.max_call_seconds:.0f})"
        if not call.left_outcome or not call.left_at:
            return ""
        if now - call.left_at > limits.max_left_call_seconds:
            return f"our side left it MAX_LEFT_CALL_SECONDS ({limits.max_left_call_seconds:.0f}) ago"
        if self._gate.all_outside(parties_of(call)):
            return "only parties outside are left in it, and ALLOW_OUTSIDE_TO_OUTSIDE is false"
        return ""


def legs_of(call: Call) -> int:
    """Besides our own."""
    return int(call.far_present) + sum(party.present for party in call.parties)


def parties_of(call: Call) -> list[str]:
    """The numbers of all but our side."""
    far = [far_number(call)] if call.far_present else []
    return [*far, *(party.target for party in call.parties if party.present)]


def far_number(call: Call) -> str:
    """As it was dialled: what the far side reports of itself counts for nothing."""
    return call.target if call.endpoint else far_identity(call)[0]
