"""What bounds and ends calls, put together: limits, usage, alarms, forwards, and ending many calls at once."""

from collections.abc import Callable

from ari_bridge.ari.client import Ari
from ari_bridge.audit import Audit
from ari_bridge.engine.bulk_hangup import BulkHangup
from ari_bridge.engine.call_usage import CallUsage
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.forwards import Forwards
from ari_bridge.engine.leg_limits import LegLimits
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.usage_alarms import UsageAlarms
from ari_bridge.fsm.call import Call
from ari_bridge.hooks import Hooks
from ari_bridge.usage import Calendar, StateTable, UsageCounters


class Safeguards:
    """Of all calls.

    Args:
        ari: Asterisk.
        hooks: Report changes of calls, and are told of alarms.
        gate: What a user may dial.
        limits: The bounds.
        audit: Where alarms, and limits that are reached, are recorded.
        live: All calls that have not ended.
        hang_up: Ends the call of an id.
        table: Keeps what users have caused; None: until the process ends.
        calendar: When a day of it begins; None: in UTC.
    """

    def __init__(
        self,
        ari: Ari,
        hooks: Hooks,
        gate: DialGate,
        limits: Limits,
        audit: Audit,
        live: Callable[[], list[Call]],
        hang_up: Callable[[str], None],
        table: StateTable | None,
        calendar: Calendar | None,
    ) -> None:
        table, calendar = table or StateTable(None), calendar or Calendar()
        counters = UsageCounters(table, calendar, gate.usage_key)
        alarms = UsageAlarms(hooks, table, calendar, limits.alarms, audit, gate.usage_key)
        self.usage = CallUsage(gate, live, counters, table)
        hooks.tap(self.usage.on_hook)
        self.leg_limits = LegLimits(limits, gate, live, counters, self.usage, alarms, self._forwarding, audit)
        self.forwards = Forwards(ari, gate, limits, self.leg_limits, self.usage, table)
        self.bulk = BulkHangup(gate, live, hang_up, self.forwards)

    def _forwarding(self) -> list[str]:
        """Whose each call is that is forwarded to outside now."""
        return [one.user for one in self.forwards.open().values()]
