"""Emergency numbers, and calls with an emergency service on the line: no limit refuses or ends these, whoever is in."""

from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.outgoing_legs import outgoing_legs
from ari_bridge.fsm.call import Call
from ari_bridge.number import normalize_number


class EmergencyCalls:
    """`gate`: says what a number is."""

    def __init__(self, gate: DialGate) -> None:
        self._gate = gate

    def is_emergency(self, target: str) -> bool:
        """Whether it is an emergency number, as a client writes it. Raises InvalidTarget."""
        return self._gate.is_emergency(normalize_number(target))

    def has_leg(self, call: Call) -> bool:
        """Whether an emergency number that we have called is called now, or talks, in the call."""
        return any(leg.present and self._gate.is_emergency(leg.number) for leg in outgoing_legs(call))
