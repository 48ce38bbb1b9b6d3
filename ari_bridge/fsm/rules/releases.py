"""Rules of releases that have come back. Pure."""

import dataclasses

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, Notify
from ari_bridge.fsm.call import Call, PartyRef, PartyState, Resource
from ari_bridge.fsm.decisions import ENDED, ENDS, Decision, leads_to, release, without_resource
from ari_bridge.fsm.notifications import StateChanged
from ari_bridge.fsm.rules import parties
from ari_bridge.outcomes import Cause, Detail, Outcome


@leads_to(*ENDS)
def released_in_call(call: Call, event: events.Released) -> Decision:
    """A resource of an earlier leg, or of a party that was leaving."""
    if isinstance(event.target, PartyRef):
        return parties.destroyed(call, event.target.number, event.at, Outcome.COMPLETED)
    return without_resource(call, event.resource, event.target), []


@leads_to(ENDED)
def released(call: Call, event: events.Released) -> Decision:
    if isinstance(event.target, PartyRef):
        return clear_still_connected(*parties.destroyed(call, event.target.number, event.at, Outcome.COMPLETED))
    return clear_still_connected(*release(without_resource(call, event.resource, event.target)))


@leads_to()
def release_failed(call: Call, event: events.ReleaseFailed) -> Decision:
    """The call has ended for our user, but the far side or a party may still be on the line: the user is notified."""
    if event.resource not in (Resource.FAR, Resource.PARTY) or call.left_outcome or call.outcome is Outcome.FAILED_PBX:
        return call, []
    cause = call.cause or Cause()
    if cause.detail is not None:
        return call, []
    return replace(call, cause=dataclasses.replace(cause, detail=Detail.STILL_CONNECTED)), [Notify(StateChanged())]


def clear_still_connected(call: Call, actions: list[Action]) -> Decision:
    """Once everybody is disconnected, the notification of STILL_CONNECTED is taken back."""
    if call.cause is None or call.cause.detail is not Detail.STILL_CONNECTED:
        return call, actions
    if Resource.FAR in call.allocated or any(party.state is not PartyState.GONE for party in call.parties):
        return call, actions
    return replace(call, cause=dataclasses.replace(call.cause, detail=None)), [*actions, Notify(StateChanged())]
