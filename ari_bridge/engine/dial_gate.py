"""The gate before every leg that a user causes: a call, a further party, a transfer, a forward.

A number is resolved here and nowhere else, so that nothing is dialled that was not asked about. The classes of service
are `dial_permissions`; here they meet the routes. docs/DIAL_PERMISSIONS.md describes it from the operator's side.
"""

from dataclasses import dataclass, replace

import structlog

from ari_bridge import metrics
from ari_bridge.audit import Action, Audit, NoAudit, Result
from ari_bridge.dial_permissions import ClassLimits, DialDecision, DialPermissions, LegKind, NumberClass, OutgoingSwitch
from ari_bridge.dial_permissions.outgoing_switch import RULE as STOPPED_RULE
from ari_bridge.errors import DialForbidden, OutgoingStopped
from ari_bridge.number import normalize_number
from ari_bridge.number_routing import Routes

_INSIDE = (NumberClass.INTERNAL, NumberClass.EMERGENCY)
_OUTSIDE_RULE = "ALLOW_OUTSIDE_TO_OUTSIDE is false"
_UNKNOWN_RULE = "there is no such user"
_EMERGENCY_FORWARD_RULE = "calls are not forwarded to emergency numbers"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DialExplanation:
    """`class_of_service`: the user's, by which `decision` was made."""

    class_of_service: str
    decision: DialDecision


class DialGate:
    """Asks whether a user may dial a number, and says what Asterisk dials then.

    Args:
        permissions: Who may dial what.
        routes: Which endpoint a number is dialled at.
        outside_to_outside: Whether our side may leave parties talking that are all outside, and forward to outside.
        switch: By which an operator stops all outgoing calls.
        audit: Where each decision is recorded.
    """

    def __init__(
        self,
        permissions: DialPermissions,
        routes: Routes,
        *,
        outside_to_outside: bool = False,
        switch: OutgoingSwitch | None = None,
        audit: Audit | None = None,
    ) -> None:
        self._audit: Audit = audit or NoAudit()
        self._permissions = permissions
        self._routes = routes
        self._outside_to_outside = outside_to_outside
        self.switch = switch or OutgoingSwitch()

    def resolve(self, user: str | None, target: str, kind: LegKind, *, users_only: bool = False) -> tuple[str, str]:
        """The number as it is dialled, and its endpoint. Raises InvalidTarget, DialForbidden."""
        number, endpoint = self._routes.resolve(target)
        self.check(user, number, kind, users_only=users_only)
        return number, endpoint

    def check(self, user: str | None, number: str, kind: LegKind, *, users_only: bool = False) -> None:
        """Raises DialForbidden. `users_only`: a name that no user has is refused, though a client token may have it."""
        decision = self.decide(user, number)
        if decision.allowed and kind is LegKind.FORWARD and self.all_outside([number]):
            decision = replace(decision, allowed=False, rule=_OUTSIDE_RULE)
        if decision.allowed and users_only and self._is_nobodys(user, decision):
            decision = replace(decision, allowed=False, rule=_UNKNOWN_RULE)
        if kind is LegKind.FORWARD and decision.number.number_class is NumberClass.EMERGENCY:
            # The caller does not want it, and no limit would stop a hundred of them.
            decision = replace(decision, allowed=False, rule=_EMERGENCY_FORWARD_RULE)
        stopped = self.is_stopped(decision)
        if stopped:
            decision = replace(decision, allowed=False, rule=STOPPED_RULE)
        number_class = decision.number.number_class.value
        self._audit.record(
            Action.DIAL_ALLOW if decision.allowed else Action.DIAL_DENY,
            number,
            result=Result.OK if decision.allowed else Result.REFUSED,
            user=user,
            kind=kind.value,
            numberClass=number_class,
            rule=decision.rule,
        )
        if decision.allowed:
            return
        metrics.DIAL_REFUSED.labels(kind.value, number_class).inc()
        log.warning(
            "a number was refused",
            user=user or "",
            number=number,
            number_class=number_class,
            kind=kind.value,
            rule=decision.rule,
        )
        if stopped:
            raise OutgoingStopped(number, number_class, STOPPED_RULE)
        raise DialForbidden(number, number_class, decision.number.why, decision.rule)

    def _is_nobodys(self, user: str | None, decision: DialDecision) -> bool:
        """A SIP edge remembers credentials for a while: longer, perhaps, than there is their user."""
        is_emergency = decision.number.number_class is NumberClass.EMERGENCY
        return user is not None and not is_emergency and not self._permissions.is_known(user)

    def is_stopped(self, decision: DialDecision) -> bool:
        """Whether it is allowed, but not while an operator has outgoing calls stopped, as now."""
        return decision.allowed and decision.number.number_class not in _INSIDE and self.switch.stop is not None

    def check_left(self, user: str | None, numbers: list[str]) -> None:
        """Our side is about to leave these talking. Raises DialForbidden."""
        if len(numbers) < 2 or not self.all_outside(numbers):
            return
        log.warning("parties outside may not be left talking", user=user or "", numbers=numbers, rule=_OUTSIDE_RULE)
        self._audit.record(
            Action.DIAL_DENY,
            numbers[-1],
            result=Result.REFUSED,
            user=user,
            kind="left",
            numberClass="outside",
            rule=_OUTSIDE_RULE,
        )
        raise DialForbidden(numbers[-1], "outside", "as are all others in the call", _OUTSIDE_RULE)

    def all_outside(self, numbers: list[str]) -> bool:
        """Whether none of them is inside, and that matters. A caller whose number cannot be read counts as outside."""
        if self._outside_to_outside:
            return False
        return all(self.decide(None, number).number.number_class not in _INSIDE for number in numbers)

    def is_emergency(self, number: str) -> bool:
        return self.decide(None, number).number.number_class is NumberClass.EMERGENCY

    def class_of(self, user: str) -> str:
        """The name of the user's class of service."""
        return self._permissions.class_of(user)

    def limits_of(self, user: str) -> ClassLimits:
        """Those that the user's class of service has of its own."""
        return self._permissions.limits_of(user)

    def tenant_of(self, user: str) -> str:
        """ "" for none."""
        return self._permissions.tenant_of(user)

    def usage_key(self, user: str) -> str:
        """Under what the user's usage is kept: the same after a rename, and never that of another user."""
        return self._permissions.usage_key(user)

    def explain(self, user: str | None, number: str) -> DialExplanation:
        """What would be decided, and why, for a number as somebody may write it. Raises InvalidTarget."""
        return DialExplanation(self._permissions.class_of(user), self.decide(user, normalize_number(number)))

    def decide(self, user: str | None, number: str) -> DialDecision:
        """Without consequences. `number` is as `number.normalize_number` gives it."""
        return self._permissions.decide(user, number, fixed=self._routes.is_fixed(number))
