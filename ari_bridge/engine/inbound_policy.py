"""Who rings for a caller: do not disturb, forwarding and call waiting, decided from preferences and presence.

The rules themselves are pure (`preferences.ring_decision`); here they get what is true at this moment. docs/PEOPLE.md
describes them from the user's side.
"""

from collections.abc import Iterable

from ari_bridge.engine.ports import Registrar
from ari_bridge.fsm.call import Call
from ari_bridge.preferences import PreferenceStore, decide_ringing
from ari_bridge.preferences.ring_decision import RingDecision


class InboundCallPolicy:
    """The number that is called is the user's name.

    Args:
        preferences: what users want done with their calls.
        presence: who is registered.
    """

    def __init__(self, preferences: PreferenceStore, presence: Registrar) -> None:
        self._preferences = preferences
        self._presence = presence

    def decide(self, call: Call, live: Iterable[Call]) -> RingDecision:
        """Who rings for `call`. `live`: every call that has not ended, `call` included."""
        user = call.target
        in_call = any(other.user == user and not other.left_outcome for other in live)
        has_page = self._presence.is_registered(user)
        return decide_ringing(user, self._preferences.of(user), has_page=has_page, in_call=in_call)
