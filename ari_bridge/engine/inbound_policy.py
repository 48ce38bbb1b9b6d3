"""Who rings for a caller: do not disturb, forwarding and call waiting, decided from preferences and presence.

The rules themselves are pure (`preferences.ring_decision`); here they get what is true at this moment. docs/PEOPLE.md
describes them from the user's side.
"""

import dataclasses
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from ari_bridge.dial_permissions import LegKind
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.ports import Registrar
from ari_bridge.errors import DialForbidden
from ari_bridge.fsm.call import Call
from ari_bridge.preferences import VOICEMAIL, PreferenceStore, decide_ringing
from ari_bridge.preferences.preferences import FORWARDS
from ari_bridge.preferences.ring_decision import RingDecision
from ari_bridge_protocol.preferences import CallPreferences


class InboundCallPolicy:
    """The number that is called is the user's name.

    Args:
        preferences: what users want done with their calls.
        presence: who is registered.
        gate: where a user may have calls forwarded to, asked again at each call.
        phone_of: what to dial so that a user's SIP phones ring; "": none is registered.
    """

    def __init__(
        self,
        preferences: PreferenceStore,
        presence: Registrar,
        gate: DialGate,
        phone_of: Callable[[str], str] = lambda user: "",
    ) -> None:
        self._preferences = preferences
        self._presence = presence
        self._gate = gate
        self._phone_of = phone_of

    def decide(self, call: Call, live: Iterable[Call]) -> RingDecision:
        """Who rings for `call`. `live`: every call that has not ended, `call` included."""
        user = call.target
        in_call = any(other.user == user and not other.left_outcome for other in live)
        phone = "" if call.phone else self._phone_of(user)  # asked again: those that rang cannot be reached
        reachable = self._presence.is_registered(user) or bool(phone)
        decision = decide_ringing(user, self._allowed(user), has_page=reachable, in_call=in_call)
        return dataclasses.replace(decision, phone=phone) if decision.users else decision

    def _allowed(self, user: str) -> CallPreferences:
        """The user's preferences without the forwards that dial permissions refuse."""
        wanted = self._preferences.of(user)
        refused = {}
        for name in FORWARDS:
            number = getattr(wanted, name)
            if number in ("", VOICEMAIL):
                continue
            try:
                self._gate.check(user, number, LegKind.FORWARD)
            except DialForbidden:
                refused[name] = ""
        return replace(wanted, **refused) if refused else wanted
