"""Emergency numbers, and calls with an emergency service on the line: no limit refuses or ends these, whoever is in.

Nor does Asterisk's own limit (`Channels.longest_s`), as long as a server runs: it begins anew every minute.
"""

import asyncio
from collections.abc import Callable, Iterable

from ari_bridge.ari.channels import Channels
from ari_bridge.engine.dial_gate import DialGate
from ari_bridge.engine.outgoing_legs import outgoing_legs
from ari_bridge.fsm.call import Call
from ari_bridge.number import normalize_number

PROLONG_INTERVAL_S = 60.0
"""Shorter than any `Limits.longest_channel_s`."""


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

    async def prolong_loop(self, channels: Channels, live: Callable[[], Iterable[Call]]) -> None:
        """Never ends. `live`: all calls that have not ended."""
        while True:
            await asyncio.sleep(PROLONG_INTERVAL_S)
            for call in list(live()):
                if self.has_leg(call):
                    await asyncio.gather(*map(channels.prolong, _channels_of(call)))
                await asyncio.sleep(0)  # reading the numbers of many calls takes a while


def _channels_of(call: Call) -> list[str]:
    """Whatever ends with one of them: our side's, the far side's, and the parties'."""
    far = [call.far_channel] if call.far_present else []
    near = [call.near_channel] if call.near_channel else []
    return [*near, *far, *(party.channel for party in call.parties if party.present)]
