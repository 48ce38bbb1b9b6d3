"""What users request of calls that exist: digits, hold, transfer, conference, recording.

Nothing here waits for a peer: a request is checked, then started, and the listeners are notified of its progress.
"""

import re
import time

from ari_bridge.ari.client import Ari
from ari_bridge.dial_permissions import LegKind
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.leg_limits import LegLimits, far_number, parties_of
from ari_bridge.engine.registry import CallRegistry
from ari_bridge.errors import InvalidRequest, WrongState
from ari_bridge.fsm.call import CallState, PartyState
from ari_bridge.fsm.events import (
    DigitsPressed,
    FarGivenAway,
    Held,
    Left,
    PartyDropped,
    PartyGiven,
    PartyInvited,
    RecordingRequested,
    RecordingVerb,
)
from ari_bridge.fsm.rules.parties import far_identity

_DIGITS = re.compile(r"[0-9*#A-D]{1,32}")


class CallControl:
    """`CallManager.control`.

    Args:
        registry: the calls.
        gate: what a user may dial, and which endpoint a number is dialled at.
        limits: how many legs a user may cause, and who may be left talking.
        ari: asked whether the PBX takes new calls.
    """

    def __init__(self, registry: CallRegistry, gate: DialGate, limits: LegLimits, ari: Ari) -> None:
        self._registry = registry
        self._gate = gate
        self._limits = limits
        self._ari = ari

    def send_dtmf(self, call_id: str, digits: str) -> None:
        """Send digits to the far side. Raises InvalidRequest, UnknownCall, WrongState, TooMany."""
        if not _DIGITS.fullmatch(digits):
            raise InvalidRequest("Digits are 0-9 * # A-D, 1 to 32 of them.", field="digits")
        task = self._registry.task(call_id)
        task.dtmf.check(digits)
        task.submit(DigitsPressed(time.time(), digits))

    def hold(self, call_id: str, held: bool) -> None:
        """Hold: the others hear music, and no sound passes to or from the page. Raises UnknownCall, WrongState."""
        self._registry.task(call_id).submit(Held(time.time(), held))

    def transfer(self, call_id: str, target: str) -> None:
        """Blind transfer: `target` is called, and takes our side's place when it answers; until then music plays.

        Raises UnknownCall, WrongState, InvalidTarget, DialForbidden, InvalidRequest (it is in the call already),
        TooMany.
        """
        self._invite(call_id, target, transfer=True)

    def add_party(self, call_id: str, target: str) -> None:
        """Conference: `target` is called, and joins when it answers. Raises the same as `transfer`."""
        self._invite(call_id, target, transfer=False)

    def join(self, call_id: str, from_call_id: str, *, transfer: bool) -> None:
        """The far side of another call comes over, and that call ends.

        With `transfer` (attended transfer) our side leaves `call_id` as well; the other call may still be ringing then.
        Raises UnknownCall, WrongState, DialForbidden, InvalidRequest (it is the same call), TooMany.
        """
        if call_id == from_call_id:
            raise InvalidRequest("A call cannot be joined with itself.", field="callId")
        task, other = self._registry.task(call_id), self._registry.task(from_call_id)
        given = other.call
        if any(party.present for party in given.parties) or not given.far_present:
            raise WrongState("Only a call of two can be joined to another.", field="callId")
        answered = given.state is CallState.UP
        if not (answered or (transfer and given.state in (CallState.RINGING, CallState.EARLY) and given.endpoint)):
            raise WrongState(f"The call {from_call_id} has not been answered.", field="callId")
        if given.endpoint:  # since it was called, the user's class of service may have become another
            kind = LegKind.TRANSFER if transfer else LegKind.PARTY
            self._gate.check(task.call.user, given.target, kind)
        now = time.time()
        given_away = FarGivenAway(now)
        other.check(given_away)
        number, name = far_identity(given)
        state = PartyState.UP if answered else PartyState.RINGING
        party_given = PartyGiven(now, given.far_channel, number, name, state, transfer)
        task.check(party_given)
        if transfer:
            self._limits.check_left(task.call.user, [*parties_of(task.call), far_number(given)])
        task.submit(party_given)
        other.post(given_away)  # from here on its channel is the other's: so it was saved, in this order

    def drop_party(self, call_id: str, party: int) -> None:
        """Remove one party, 1 for the far side; if it is the target of a pending transfer, cancel that.

        Raises UnknownCall, WrongState, InvalidRequest (there is no such party).
        """
        self._registry.task(call_id).submit(PartyDropped(time.time(), party))

    def leave(self, call_id: str) -> None:
        """Our side leaves, and the others continue. Raises UnknownCall, WrongState (there are not two others),
        DialForbidden (all others are outside)."""
        task = self._registry.task(call_id)
        left = Left(time.time())
        task.check(left)
        self._limits.check_left(task.call.user, parties_of(task.call))
        task.submit(left)

    def record(self, call_id: str, verb: RecordingVerb) -> None:
        """Start, pause, resume or stop recording; no error if that is so already.

        Raises UnknownCall, WrongState, TooMany.
        """
        self._registry.task(call_id).submit(RecordingRequested(time.time(), verb))

    def _invite(self, call_id: str, target: str, *, transfer: bool) -> None:
        task = self._registry.task(call_id)
        kind = LegKind.TRANSFER if transfer else LegKind.PARTY
        number, endpoint = self._gate.resolve(task.call.user, target, kind)
        self._ari.check_available()
        invited = PartyInvited(time.time(), number, endpoint, transfer)
        task.check(invited)
        if transfer:
            self._limits.check_left(task.call.user, [*parties_of(task.call), number])
        self._limits.start_leg(task.call.user, number)
        task.submit(invited)
