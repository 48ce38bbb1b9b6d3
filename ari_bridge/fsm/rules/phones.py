"""Rules of a called user's SIP phones: they ring beside the pages, by one channel, and the first answer wins. Pure.

The edge rings every phone that the user has registered. That none is registered, or none can be reached, is no
failure: the pages ring on. Where no page is open the caller goes on as with a user who cannot be reached. A phone that
declines does so for its user, as a page does.
"""

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, CheckRinging, Release, StartTimer, StopRinging
from ari_bridge.fsm.call import Call, Milestone, Resource, SipChannel, Step
from ari_bridge.fsm.decisions import ACCEPTING, RINGING, Decision, advance, end, enter_state, leads_to
from ari_bridge.fsm.events import Timer
from ari_bridge.outcomes import Outcome

_DECLINED = {17: "BUSY", 21: "DECLINED"}
"""The Q.850 cause of 486 and 600, and of 603, by the status that the dialplan gets (ARI_BRIDGE_STATUS)."""


@leads_to(ACCEPTING)
def phone_answers(call: Call, event: events.PhoneAnswered) -> Decision:
    """The channel is the call's near side from now on."""
    if call.near or Resource.PHONE not in call.allocated - call.releasing:
        return call, []
    call = replace(
        call,
        user=min(call.users, default=call.target),
        near=SipChannel(call.phone_channel),
        allocated=call.allocated - {Resource.PHONE} | {Resource.NEAR},
        milestones=call.milestones | {Milestone.ACCEPTED},
    )
    call, notifications = enter_state(call, ACCEPTING)
    call, steps = advance(call)
    return call, [*steps, *notifications, StopRinging(None, "accepted_elsewhere"), StartTimer(Timer.SETUP)]


def phone_ended(call: Call, event: events.ChannelDestroyed) -> Decision:
    """Nobody is registered there, or nobody answers; or somebody declined."""
    if call.state is RINGING and event.q850 in _DECLINED and len(call.users) == 1:
        return end(call, event.at, Outcome.REJECTED, dialplan_status=_DECLINED[event.q850])
    return call, _unless_a_page_rings(call)


def release_phone(call: Call) -> Decision:
    """The phones stop ringing, as a page has the call: at once, or when the channel has been made."""
    if Resource.PHONE not in call.allocated - call.releasing or Step.CREATE_PHONE in call.pending:
        return call, []
    actions: list[Action] = [Release(Resource.PHONE)]
    return replace(call, releasing=call.releasing | {Resource.PHONE}), actions


def step_failed(call: Call) -> Decision:
    """Asterisk does not make or dial the phones' channel: one that was made ends by itself."""
    call, actions = step_came_back(call)
    return call, actions if Resource.PHONE in call.allocated else [*actions, *_unless_a_page_rings(call)]


def _unless_a_page_rings(call: Call) -> list[Action]:
    return [CheckRinging()] if call.state is RINGING else []


def step_came_back(call: Call) -> Decision:
    """A request of the phones' channel has come back, done or not."""
    return advance(call) if Milestone.ACCEPTED not in call.milestones else release_phone(call)
