"""Whether a new call, or a leg prepared for one, is admitted: limits, ids, and whether the PBX and we take calls."""

import re

from ari_bridge.ari.client import Ari
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.leg_limits import LegLimits
from ari_bridge.engine.limits import Limits
from ari_bridge.engine.prewarm import MediaPrewarmer
from ari_bridge.engine.registry import CallRegistry
from ari_bridge.errors import InvalidRequest, TooMany, Unavailable, WrongState
from ari_bridge.ids import CALL_ID_CHARACTERS, is_call_id
from ari_bridge.outcomes import Detail

DRAINING_RETRY_S = 2.0
"""When a client that is refused by a process about to end may try again, at the next one."""

_CALLER = re.compile(r"[0-9A-Za-z+ ._-]{0,64}")


class CallAdmission:
    """`draining`: no new calls are admitted; existing ones continue.

    Args:
        ari: asked whether the PBX takes new calls.
        registry: the calls that there are.
        prewarmer: the legs prepared for calls; each counts as one.
        limits: how many there may be.
        gate: which numbers are those of emergency services.
        leg_limits: how many legs a user may cause.
    """

    def __init__(
        self,
        ari: Ari,
        registry: CallRegistry,
        prewarmer: MediaPrewarmer,
        limits: Limits,
        gate: DialGate,
        leg_limits: LegLimits,
    ) -> None:
        self._ari = ari
        self._registry = registry
        self._prewarmer = prewarmer
        self._limits = limits
        self._gate = gate
        self._leg_limits = leg_limits
        self.draining = False

    def admit(self, user: str | None, number: str, endpoint: str) -> None:
        """A new call, which the dial gate allows. Raises TooMany, Unavailable; once it returns, its leg is counted."""
        if not self._gate.is_emergency(number):
            self.check_limits(user)
        self.check_available()
        self._check_route(endpoint)
        self._leg_limits.start_leg(user, number)

    def check_caller(self, caller: str) -> None:
        """Raises InvalidRequest."""
        if not _CALLER.fullmatch(caller):
            raise InvalidRequest(
                "The caller may have letters, digits, spaces and + . _ -, at most 64 in all.", field="caller"
            )

    def check_new_id(self, call_id: str) -> None:
        """Raises InvalidRequest, WrongState (it is taken)."""
        if not is_call_id(call_id):
            raise InvalidRequest(
                f"A call id has 1 to {CALL_ID_CHARACTERS} printable characters, whichever you like.", field="callId"
            )
        if self._registry.is_taken(call_id):
            raise WrongState(f"The call id {call_id} is taken.", field="callId")

    def check_limits(self, user: str | None, adding: int = 1) -> None:
        """Not for emergency calls. `adding`: 0 if the call is counted already. Raises TooMany."""
        if len(self._registry.tasks) + len(self._prewarmer.names) + adding > self._limits.max_calls:
            raise TooMany(f"All {self._limits.max_calls} lines are in use: try again later.", rule="MAX_CALLS")
        if user is not None:
            own = sum(call.user == user and not call.left_outcome for call in self._registry.live())
            if own >= self._limits.max_calls_per_user:
                raise TooMany(f"{user} has {own} calls already: end one first.", rule="MAX_CALLS_PER_USER")

    def check_available(self) -> None:
        """Raises Unavailable."""
        if self.draining:
            raise Unavailable("the server is being replaced", retry_after=DRAINING_RETRY_S)
        self._ari.check_available()

    def _check_route(self, endpoint: str) -> None:
        """Raises Unavailable if the PBX is known not to have the dialplan context that `endpoint` starts in."""
        missing = self._ari.missing_context
        if missing and endpoint.endswith(f"@{missing}/n"):
            raise Unavailable(f"the PBX's dialplan has no context {missing}", 5.0, Detail.NO_ROUTE)

    def has_room_for_caller(self) -> bool:
        return len(self._registry.tasks) < self._limits.max_calls
