"""The gate before every leg that a user causes: a call, a further party, a transfer, a forward.

A number is resolved here and nowhere else, so that nothing is dialled that was not asked about. The classes of service
are `dial_permissions`; here they meet the routes. docs/DIAL_PERMISSIONS.md describes it from the operator's side.
"""

import structlog

from ari_bridge import metrics
from ari_bridge.dial_permissions import DialDecision, DialPermissions, LegKind
from ari_bridge.errors import DialForbidden
from ari_bridge.number_routing import Routes

log = structlog.get_logger(__name__)


class DialGate:
    """Asks whether a user may dial a number, and says what Asterisk dials then.

    Args:
        permissions: Who may dial what.
        routes: Which endpoint a number is dialled at.
    """

    def __init__(self, permissions: DialPermissions, routes: Routes) -> None:
        self._permissions = permissions
        self._routes = routes

    def resolve(self, user: str | None, target: str, kind: LegKind) -> tuple[str, str]:
        """The number as it is dialled, and its endpoint. Raises InvalidTarget, DialForbidden."""
        number, endpoint = self._routes.resolve(target)
        self.check(user, number, kind)
        return number, endpoint

    def check(self, user: str | None, number: str, kind: LegKind) -> None:
        """Raises DialForbidden."""
        decision = self.decide(user, number)
        if decision.allowed:
            return
        number_class = decision.number.number_class.value
        metrics.DIAL_REFUSED.labels(kind.value, number_class).inc()
        log.warning(
            "a number was refused",
            user=user or "",
            number=number,
            number_class=number_class,
            kind=kind.value,
            rule=decision.rule,
        )
        raise DialForbidden(number, number_class, decision.number.why, decision.rule)

    def decide(self, user: str | None, number: str) -> DialDecision:
        """Without consequences. `number` is as `number.normalize_number` gives it."""
        return self._permissions.decide(user, number, fixed=self._routes.is_fixed(number))
