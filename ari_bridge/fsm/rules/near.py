"""Rules of a call whose near side is a SIP client of our user, and not a page with a media leg. Pure.

It hangs up, cancels and holds by itself, as SIP clients do; what Asterisk does of itself then is not requested of it
again. `setup_plan.FROM_SIP` has its set-up.
"""

from msgspec.structs import replace

from ari_bridge.errors import WrongState
from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Notify
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.decisions import UP, Decision, end, leads_to, update_sound
from ari_bridge.fsm.notifications import HoldChanged
from ari_bridge.outcomes import Cause, Outcome


def hung_up(call: Call, at: float, cause: Cause) -> Decision:
    """The client has ended the call, or cancelled it before its answer."""
    return end(call, at, Outcome.COMPLETED if call.state is UP else Outcome.CANCELLED, cause)


def check_not_held_there(call: Call) -> None:
    """Raises WrongState if the client itself holds the call: only it can resume."""
    if call.near and call.near.holds:
        raise WrongState("The SIP client holds the call: resume it there.", field="held")


def check_page(call: Call) -> None:
    """Raises WrongState if no page has the call."""
    if call.near:
        raise WrongState("A SIP client has the call: it has no media of a page.", field="callId")


@leads_to()
def near_holds(call: Call, event: events.NearHeld) -> Decision:
    """Asterisk has passed the hold on to the far side, and plays music to it where that is its task."""
    if call.near is None or event.held is call.near.holds or call.left_outcome:
        return call, []
    call, sound = update_sound(replace(call, held=event.held, near=replace(call.near, holds=event.held)))
    return call, [*sound, Notify(HoldChanged(by_us=True))]
