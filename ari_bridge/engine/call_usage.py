"""How long the legs that users have called out talk, added up by user and class of number.

A leg is added up once a second, and whenever its call changes. What is not added up yet when the process is killed
is known after the restart: until when each leg was counted is kept with the sums.
"""

import time
from collections.abc import Callable

import msgspec

from ari_bridge.dial_permissions import OUTSIDE, NumberClass
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.outgoing_legs import OutgoingLeg, outgoing_legs
from ari_bridge.fsm.call import Call
from ari_bridge.guest_names import counted_name
from ari_bridge.hooks import CallAdopted, CallChanged, CallEnded, HookEvent
from ari_bridge.usage import StateTable, UsageCounters

_KEPT_S = 8 * 86400.0  # longer than a call can last
_MAX_CLASSES = 10_000


class CountedLeg(msgspec.Struct, frozen=True):
    """A leg that talks. `user`: the key of the user's counters. `until`: counted so far, Unix seconds."""

    user: str
    number_class: str
    until: float


class CallUsage:
    """Of all users.

    Args:
        gate: Says what a number is.
        live: All calls that have not ended.
        counters: The sums.
        table: Keeps which legs talk.
    """

    def __init__(
        self, gate: DialGate, live: Callable[[], list[Call]], counters: UsageCounters, table: StateTable
    ) -> None:
        self._gate = gate
        self._live = live
        self._counters = counters
        self._table = table
        self._classes: dict[str, NumberClass] = {}  # by number: reading one takes longer than all the rest here

    def on_hook(self, event: HookEvent) -> None:
        if isinstance(event, CallChanged | CallEnded | CallAdopted):
            self._add_up(event.call, time.time())

    def add_up(self, now: float) -> None:
        """All legs that talk, up to `now` (Unix seconds)."""
        for call in self._live():
            self._add_up(call, now)

    def class_of(self, number: str) -> NumberClass:
        if number not in self._classes:
            if len(self._classes) >= _MAX_CLASSES:
                self._classes.clear()
            self._classes[number] = self._gate.decide(None, number).number.number_class
        return self._classes[number]

    def count(self, channel: str, user: str, number_class: NumberClass, until: float, *, over: bool) -> None:
        """What a leg has talked since it was last counted, from its first count on. `over`: it has ended then."""
        key = f"talking/{channel}"
        kept, kept_for = self._table.get(key), self._counters.key_of(user)
        if kept is not None:
            counted = msgspec.convert(kept, CountedLeg)
            seconds, kept_for = max(0.0, until - counted.until), counted.user
            self._counters.add_seconds(counted.user, counted.number_class, seconds, time.time())
        if over:
            self._table.delete(key)
        else:
            leg = CountedLeg(kept_for, number_class.value, until)
            self._table.set(key, msgspec.to_builtins(leg), until + _KEPT_S)

    def _add_up(self, call: Call, now: float) -> None:
        if call.user is None:
            return
        for leg in outgoing_legs(call):
            self._add_leg(counted_name(call.user), leg, now)

    def _add_leg(self, user: str, leg: OutgoingLeg, now: float) -> None:
        number_class = self.class_of(leg.number)
        if number_class not in OUTSIDE:
            return
        if leg.present and leg.answered:
            self.count(leg.channel, user, number_class, now, over=False)
        elif not leg.present and self._table.get(f"talking/{leg.channel}") is not None:
            self.count(leg.channel, user, number_class, min(leg.ended_at or now, now), over=True)
