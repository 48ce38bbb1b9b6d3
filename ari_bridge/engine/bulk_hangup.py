"""Ends many calls at once: all of a user, of a tenant, or all that go outside. Also those that nobody's page holds.

Emergency calls go on: such a call ends by itself, or one by one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from ari_bridge.dial_permissions import OUTSIDE
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.emergency_calls import EmergencyCalls
from ari_bridge.engine.forwards import Forwards
from ari_bridge.engine.outgoing_legs import outgoing_legs
from ari_bridge.fsm.call import Call
from ari_bridge.guest_names import counted_name, shown_name

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """What was decided to end: ids of calls, and how many calls that were forwarded."""

    calls: list[str]
    forwards: int


class BulkHangup:
    """Ends calls of many users.

    Args:
        gate: Says what a number is, and which tenant a user has.
        live: All calls that have not ended.
        hang_up: Ends the call of an id.
        forwards: The calls that are forwarded.
    """

    def __init__(
        self, gate: DialGate, live: Callable[[], list[Call]], hang_up: Callable[[str], None], forwards: Forwards
    ) -> None:
        self._gate = gate
        self._emergency = EmergencyCalls(gate)
        self._live = live
        self._hang_up = hang_up
        self._forwards = forwards

    async def end_of_user(self, user: str, why: str) -> Ended:
        """`user` may also be the id of an API key, or what others read of the names of its guests: for them, too."""
        return await self._end(lambda one: user in (one, counted_name(one), shown_name(one)), lambda _: True, why)

    async def end_of_tenant(self, tenant: str, why: str) -> Ended:
        return await self._end(lambda one: self._gate.tenant_of(one) == tenant, lambda _: True, why)

    async def end_outgoing(self, why: str) -> Ended:
        """All calls with a leg that we have called outside."""
        return await self._end(lambda _: True, self._goes_outside, why)

    async def _end(self, whose: Callable[[str], bool], which: Callable[[Call], bool], why: str) -> Ended:
        found = [
            call
            for call in self._live()
            if whose(call.user or "") and which(call) and not self._emergency.has_leg(call)
        ]
        if found:
            log.warning("calls are ended", reason=why, calls=[call.id for call in found])
        for call in found:
            self._hang_up(call.id)
        return Ended([call.id for call in found], await self._forwards.end(whose))

    def _goes_outside(self, call: Call) -> bool:
        numbers = (leg.number for leg in outgoing_legs(call) if leg.present)
        return any(self._gate.decide(None, number).number.number_class in OUTSIDE for number in numbers)
