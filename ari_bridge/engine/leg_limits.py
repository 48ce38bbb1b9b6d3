"""How many legs a user may have and cause, how long calls last, and who may be left talking without our side.

What counts are the legs that a user has called out, in whatever call they are now: one that the user has left or
transferred is still one that the user has caused. What is checked at a request is checked again once a second
(`LegLimits.overdue`), because calls change by themselves: a party leaves, a page does not come back, a deadline
passes while the server was down. Emergency calls are not bounded, nor ended. The guests of an API key count as one
user, under its id.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ari_bridge.audit import Action, Audit, NoAudit, Result
from ari_bridge.dial_permissions import OUTSIDE, NumberClass
from ari_bridge.engine.call_usage import CallUsage
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.emergency_calls import EmergencyCalls
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.outgoing_legs import outgoing_legs
from ari_bridge.engine.usage_alarms import UsageAlarms
from ari_bridge.errors import TooMany
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.rules.parties import far_identity
from ari_bridge.guest_names import counted_name
from ari_bridge.outcomes import Detail
from ari_bridge.usage import UsageCounters

CHECK_INTERVAL_S = 1.0


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit: its value, and its name as the settings or the file of dial permissions have it."""

    value: float
    rule: str


@dataclass(frozen=True, slots=True)
class LimitUsage:
    """How much of a limit a user has used.

    Args:
        what: `legs` and `forwards` at once, `legs_per_minute`, `legs_per_day`, `minutes_per_day`.
        used: In the unit of the limit.
        bound: The limit.
        number_class: Of which numbers the minutes are; None: of all.
    """

    what: str
    used: float
    bound: Bound
    number_class: NumberClass | None = None


class LegLimits:
    """Of all users.

    Args:
        limits: The bounds of the settings; a class of service may have others.
        gate: Says which numbers are outside, and which class of service a user has.
        live: All calls that have not ended.
        counters: What users have caused so far.
        usage: How long legs have talked.
        alarms: Are told before a limit is reached.
        forwarding: Whose each call is that is forwarded to outside now.
        audit: Where a limit that is reached is recorded.
    """

    def __init__(
        self,
        limits: Limits,
        gate: DialGate,
        live: Callable[[], list[Call]],
        counters: UsageCounters,
        usage: CallUsage,
        alarms: UsageAlarms,
        forwarding: Callable[[], list[str]] = list,
        audit: Audit | None = None,
    ) -> None:
        self._audit: Audit = audit or NoAudit()
        self._limits = limits
        self._gate = gate
        self._emergency = EmergencyCalls(gate)
        self._live = live
        self._counters = counters
        self._usage = usage
        self._alarms = alarms
        self._forwarding = forwarding

    # --- before a leg ---------------------------------------------------------------------

    def start_leg(self, user: str | None, number: str) -> None:
        """A user is about to cause one more leg. Raises TooMany. Once it returns, the leg is counted."""
        user = user and counted_name(user)
        self._check(user, number)
        if user is not None and not self._gate.is_emergency(number):
            self.count_leg(user, number)

    def count_leg(self, user: str, number: str) -> None:
        """The user has caused one more."""
        user, now, counters = counted_name(user), time.time(), self._counters
        counters.count_leg(user, now)
        minute, day = self.minute_bound(user), self.day_bound(user)
        self._alarms.measure(user, minute.rule, counters.legs_of_minute(user, now), minute.value, now)
        self._alarms.measure(user, day.rule, counters.legs_of_day(user, now), day.value, now, of_day=True)
        self._alarms.leg(user, self._gate.decide(None, number).number, now)

    def check_forward(self, user: str, number: str, open_forwards: int) -> None:
        """A call to `user`, of which `open_forwards` are forwarded already, is to be forwarded too. Raises TooMany."""
        user = counted_name(user)
        bound = self.forwards_bound(user)
        if open_forwards >= bound.value:
            message = f"{user} has {open_forwards} calls forwarded already ({bound.rule})."
            refusal = TooMany(message, rule=bound.rule)
            self._record(refusal, user, number)
            raise refusal
        self._check(user, number)

    def _check(self, user: str | None, number: str) -> None:
        """Raises TooMany."""
        if self._gate.is_emergency(number):
            return
        try:
            self._check_at_once(user)
            if user is not None:
                now = time.time()
                self._check_pace(user, now)
                self._check_minutes(user, number, now)
        except TooMany as refusal:
            self._record(refusal, user, number)
            raise

    def _record(self, refusal: TooMany, user: str | None, number: str) -> None:
        rule = refusal.rule or ""
        self._audit.record(Action.LIMIT_REFUSE, number, result=Result.REFUSED, limit=rule, user=user or "")

    def _check_at_once(self, user: str | None) -> None:
        legs = Counter(self._callers())
        every = legs.total()
        if every >= self._limits.max_legs:
            raise TooMany(f"There are {every} outgoing legs, which is the limit: try again later.", rule="MAX_LEGS")
        if user is None:
            return
        tenant = self._gate.tenant_of(user)
        of_tenant = sum(count for one, count in legs.items() if one and self._gate.tenant_of(one) == tenant)
        if of_tenant >= self._limits.max_legs_per_tenant:
            message = f"There are {of_tenant} outgoing legs of this tenant, which is the limit: try again later."
            raise TooMany(message, rule="MAX_LEGS_PER_TENANT")
        bound = self.legs_bound(user)
        if legs[user] >= bound.value:
            message = f"{user} has {legs[user]} parties on the line already ({bound.rule}): end a call first."
            raise TooMany(message, rule=bound.rule)

    def _check_pace(self, user: str, now: float) -> None:
        bound, called = self.minute_bound(user), self._counters.legs_of_minute(user, now)
        if called >= bound.value:
            message = f"{user} has called {called} numbers within a minute ({bound.rule}): wait."
            raise TooMany(message, rule=bound.rule, retry_after=self._counters.minute_frees(user, now))
        bound, called = self.day_bound(user), self._counters.legs_of_day(user, now)
        if called >= bound.value:
            message = f"{user} has called {called} numbers today ({bound.rule}): wait until tomorrow."
            raise TooMany(message, rule=bound.rule, retry_after=self._counters.day_frees(now), detail=Detail.USED_UP)

    def _check_minutes(self, user: str, number: str, now: float) -> None:
        number_class = self._usage.class_of(number)
        if (bound := self.minutes_over(user, number_class, now)) is not None:
            message = (
                f"{user} has talked to {number_class.value} numbers for {bound.value:g} minutes today ({bound.rule}): "
                "wait until tomorrow."
            )
            raise TooMany(message, rule=bound.rule, retry_after=self._counters.day_frees(now), detail=Detail.USED_UP)

    def check_left(self, user: str | None, numbers: Iterable[str]) -> None:
        """Our side is about to leave these talking. Raises DialForbidden if all of them are outside."""
        self._gate.check_left(user, list(numbers))

    # --- the bounds of a user -----------------------------------------------------------------

    def legs_bound(self, user: str) -> Bound:
        """At once."""
        return self._bound(user, "legs", self._limits.max_legs_per_user, "MAX_LEGS_PER_USER")

    def minute_bound(self, user: str) -> Bound:
        return self._bound(user, "legs_per_minute", self._limits.max_legs_per_minute, "MAX_LEGS_PER_MINUTE")

    def day_bound(self, user: str) -> Bound:
        return self._bound(user, "legs_per_day", self._limits.max_legs_per_day, "MAX_LEGS_PER_DAY")

    def forwards_bound(self, user: str) -> Bound:
        """At once."""
        return self._bound(user, "forwards", self._limits.max_forwards_per_user, "MAX_FORWARDS_PER_USER")

    def minutes_bound(self, user: str, number_class: NumberClass) -> Bound | None:
        """Minutes a day; None: without limit."""
        own = self._gate.limits_of(user).minutes(number_class)
        if own is not None:
            rule = f"limits.{self._gate.class_of(user)}.minutes_per_day.{number_class.value}"
            return Bound(own, rule)
        minutes = self._limits.max_minutes_per_day.get(number_class.value)
        return None if minutes is None else Bound(minutes, f"MAX_MINUTES_PER_DAY {number_class.value}")

    def _bound(self, user: str, name: str, default: int, setting: str) -> Bound:
        own = getattr(self._gate.limits_of(user), name)
        return Bound(default, setting) if own is None else Bound(own, f"limits.{self._gate.class_of(user)}.{name}")

    def minutes_over(self, user: str, number_class: NumberClass, now: float) -> Bound | None:
        """The limit, if the user has talked for so long today."""
        user = counted_name(user)
        bound = self.minutes_bound(user, number_class)
        if bound is None or self._counters.seconds_of_day(user, number_class.value, now) < bound.value * 60:
            return None
        return bound

    def _callers(self) -> list[str | None]:
        """Whose each outgoing leg is that there is now."""
        called = [call.user for call in self._live() for leg in outgoing_legs(call) if leg.present]
        return [user and counted_name(user) for user in (*called, *self._forwarding())]

    def measure(self, now: float) -> None:
        """Alarms about what there is at this moment, and about minutes of the day."""
        legs = Counter(self._callers())
        forwards = Counter(self._forwarding())
        tenants: Counter[str] = Counter()
        self._alarms.measure("", "MAX_LEGS", legs.total(), self._limits.max_legs, now)
        for user, count in legs.items():
            if user is None:
                continue
            tenants[self._gate.tenant_of(user)] += count
            bound = self.legs_bound(user)
            self._alarms.measure(user, bound.rule, count, bound.value, now)
            bound = self.forwards_bound(user)
            self._alarms.measure(user, bound.rule, forwards[user], bound.value, now)
            for number_class in OUTSIDE:
                if (minutes := self.minutes_bound(user, number_class)) is not None:
                    used = self._counters.seconds_of_day(user, number_class.value, now) / 60
                    self._alarms.measure(user, minutes.rule, used, minutes.value, now, of_day=True)
        for tenant, count in tenants.items():
            rule = f"MAX_LEGS_PER_TENANT {tenant}".rstrip()
            self._alarms.measure("", rule, count, self._limits.max_legs_per_tenant, now)

    def usage_of(self, user: str, now: float) -> list[LimitUsage]:
        """Each limit of the user, and how much of it is used at `now` (Unix seconds)."""
        user = counted_name(user)
        at_once, forwards = Counter(self._callers()), Counter(self._forwarding())
        found = [
            LimitUsage("legs", at_once[user], self.legs_bound(user)),
            LimitUsage("forwards", forwards[user], self.forwards_bound(user)),
            LimitUsage("legs_per_minute", self._counters.legs_of_minute(user, now), self.minute_bound(user)),
            LimitUsage("legs_per_day", self._counters.legs_of_day(user, now), self.day_bound(user)),
        ]
        for number_class in NumberClass:
            if (bound := self.minutes_bound(user, number_class)) is not None:
                used = self._counters.seconds_of_day(user, number_class.value, now) / 60
                found.append(LimitUsage("minutes_per_day", used, bound, number_class))
        return found

    # --- while calls go on ---------------------------------------------------------------------

    def overdue(self, now: float) -> list[tuple[Call, str]]:
        """The calls that must end, and why. `now`: Unix seconds."""
        found = [(call, self._why_over(call, now)) for call in self._live()]
        return [(call, why) for call, why in found if why and not self._emergency.has_leg(call)]

    def _why_over(self, call: Call, now: float) -> str:
        limits = self._limits
        if call.answered_at and now - call.answered_at > limits.max_call_seconds:
            return f"it has lasted MAX_CALL_SECONDS ({limits.max_call_seconds:.0f})"
        if call.left_outcome and call.left_at:
            if now - call.left_at > limits.max_left_call_seconds:
                return f"our side left it MAX_LEFT_CALL_SECONDS ({limits.max_left_call_seconds:.0f}) ago"
            if self._gate.all_outside(parties_of(call)):
                return "only parties outside are left in it, and ALLOW_OUTSIDE_TO_OUTSIDE is false"
        return self._why_minutes_over(call, now)

    def _why_minutes_over(self, call: Call, now: float) -> str:
        if call.user is None:
            return ""
        for leg in outgoing_legs(call):
            if not (leg.present and leg.answered):
                continue
            if bound := self.minutes_over(call.user, self._usage.class_of(leg.number), now):
                return f"the minutes of today are used up ({bound.rule}: {bound.value:g})"
        return ""


def parties_of(call: Call) -> list[str]:
    """The numbers of all but our side."""
    far = [far_number(call)] if call.far_present else []
    return [*far, *(party.target for party in call.parties if party.present)]


def far_number(call: Call) -> str:
    """As it was dialled: what the far side reports of itself counts for nothing."""
    return call.target if call.endpoint else far_identity(call)[0]
