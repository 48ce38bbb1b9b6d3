"""Calls that the dialplan forwards to outside for a user: admitted, counted, and ended by the user's limits.

Once a caller is forwarded, the dialplan has the channel and the call has ended for us. What is forwarded is therefore
kept by channel, over restarts, and looked up in Asterisk every few seconds until it is gone. Forwards to inside, and
to voicemail, cost nothing and are not bounded.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

import msgspec
import structlog

from ari_bridge.ari.client import Ari
from ari_bridge.dial_permissions import LegKind, NumberClass
from ari_bridge.engine.call_usage import CallUsage
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.leg_limits import LegLimits
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.ports import RingPolicy
from ari_bridge.errors import DialForbidden, PeerError, TooMany
from ari_bridge.fsm.call import Call
from ari_bridge.preferences import VOICEMAIL
from ari_bridge.preferences.ring_decision import RingDecision
from ari_bridge.usage import StateTable

WATCH_INTERVAL_S = 2.0
_UNBOUNDED = (NumberClass.INTERNAL, NumberClass.EMERGENCY)
_KEPT_S = 86400.0  # after the time at which Asterisk ends it

log = structlog.get_logger(__name__)


class Forward(msgspec.Struct, frozen=True):
    """One that goes on. `started_at`: Unix seconds."""

    user: str
    number: str
    number_class: str
    started_at: float


class Forwards:
    """Of all users.

    Args:
        ari: Asked whether a channel still exists.
        gate: Says where a user may have calls forwarded to.
        limits: The bounds.
        leg_limits: A forward is a leg of its user.
        usage: How long legs have talked.
        table: Keeps the forwards that go on.
    """

    def __init__(
        self, ari: Ari, gate: DialGate, limits: Limits, leg_limits: LegLimits, usage: CallUsage, table: StateTable
    ) -> None:
        self._ari = ari
        self._gate = gate
        self._limits = limits
        self._leg_limits = leg_limits
        self._usage = usage
        self._table = table

    # --- before a forward -----------------------------------------------------------------

    def refusal(self, user: str, number: str) -> str:
        """Why a call to `user` may not be forwarded to `number` now; "" if it may."""
        try:
            self._gate.check(user, number, LegKind.FORWARD)
            if self._usage.class_of(number) not in _UNBOUNDED:
                self._leg_limits.check_forward(user, number, sum(one.user == user for one in self.open().values()))
        except (DialForbidden, TooMany) as error:
            return str(error)
        return ""

    def start(self, call: Call) -> float | None:
        """The dialplan is about to forward the caller. After how many seconds Asterisk is to end it; None: refused."""
        if call.forward == VOICEMAIL or self._usage.class_of(call.forward) in _UNBOUNDED:
            return math.inf
        now, user = time.time(), call.target
        if call.far_channel not in self.open():
            if why := self.refusal(user, call.forward):
                log.warning("a call is not forwarded", call=call.id, user=user, number=call.forward, reason=why)
                return None
            self._leg_limits.count_leg(user, call.forward)
            number_class = self._usage.class_of(call.forward)
            forward = Forward(user, call.forward, number_class.value, now)
            ends_at = now + self._limits.max_left_call_seconds
            self._table.set(f"forward/{call.far_channel}", msgspec.to_builtins(forward), ends_at + _KEPT_S)
            self._usage.count(call.far_channel, user, number_class, now, over=False)
            log.info("a call is forwarded", call=call.id, user=user, number=call.forward)
        return self._limits.max_left_call_seconds

    # --- while they go on ----------------------------------------------------------------

    def open(self) -> dict[str, Forward]:
        """Those that go on, by the ARI id of the caller's channel."""
        return {channel: msgspec.convert(kept, Forward) for channel, kept in self._table.items("forward/")}

    async def end(self, whose: Callable[[str], bool]) -> int:
        """End those of the users that `whose` says yes to; how many there were."""
        found = [(channel, forward) for channel, forward in self.open().items() if whose(forward.user)]
        await asyncio.gather(*(self._end(channel, forward, "an operator ends it") for channel, forward in found))
        return len(found)

    async def watch_loop(self) -> None:
        while True:
            await asyncio.sleep(WATCH_INTERVAL_S)
            for channel, forward in self.open().items():
                await self._watch(channel, forward)

    async def _watch(self, channel: str, forward: Forward) -> None:
        try:
            exists = await self._ari.channels.get(channel) is not None
        except PeerError:
            return  # it is looked up again
        now, number_class = time.time(), NumberClass(forward.number_class)
        self._usage.count(channel, forward.user, number_class, now, over=not exists)
        if not exists:
            self._table.delete(f"forward/{channel}")
        elif why := self._why_over(forward, now):
            await self._end(channel, forward, why)

    def _why_over(self, forward: Forward, now: float) -> str:
        limit = self._limits.max_left_call_seconds
        if now - forward.started_at > limit:
            return f"it was forwarded MAX_LEFT_CALL_SECONDS ({limit:.0f}) ago"
        bound = self._leg_limits.minutes_over(forward.user, NumberClass(forward.number_class), now)
        return f"the minutes of today are used up ({bound.rule}: {bound.value:g})" if bound else ""

    async def _end(self, channel: str, forward: Forward, why: str) -> None:
        log.warning("a forwarded call is ended", channel=channel, user=forward.user, number=forward.number, reason=why)
        try:
            await self._ari.channels.hangup(channel)
        except PeerError as error:
            log.error("cannot end a forwarded call: still trying", channel=channel, reason=str(error))


class ForwardsWithinLimits:
    """A `RingPolicy` that forwards nobody whose forward would be refused: such a user is not reachable."""

    def __init__(self, policy: RingPolicy, forwards: Forwards) -> None:
        self._policy = policy
        self._forwards = forwards

    def decide(self, call: Call, live: Iterable[Call]) -> RingDecision:
        decision = self._policy.decide(call, live)
        if decision.status != "FORWARD" or not (why := self._forwards.refusal(call.target, decision.forward)):
            return decision
        log.warning("a call is not forwarded", call=call.id, user=call.target, number=decision.forward, reason=why)
        return replace(decision, status="UNAVAILABLE", forward="")
