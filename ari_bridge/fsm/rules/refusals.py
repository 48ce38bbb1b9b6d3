"""Where the table decides nothing: a request is refused, an observation comes too late, or an event is a bug. Pure."""

from ari_bridge.errors import IllegalEvent, WrongState
from ari_bridge.fsm import events
from ari_bridge.fsm.call import Call
from ari_bridge.fsm.decisions import Decision, leads_to
from ari_bridge.fsm.events import Event


@leads_to()
def refuse(call: Call, event: Event) -> Decision:
    what = _VERBS[type(event)]
    raise WrongState(f"The call is {call.state.value}: it cannot be {what} now.", field="callId")


_VERBS: dict[type[Event], str] = {
    events.Accepted: "accepted",
    events.Declined: "declined",
    events.HungUp: "hung up",
    events.DigitsPressed: "sent digits",
    events.Reoffered: "given new media",
    events.Held: "held",
    events.PartyInvited: "given another party",
    events.PartyGiven: "given another party",
    events.PartyDropped: "left by a party",
    events.FarGivenAway: "joined with another",
    events.Left: "left",
    events.RecordingRequested: "recorded",
}


@leads_to()
def illegal(call: Call, event: Event) -> Decision:
    raise IllegalEvent(call.id, call.state.value, type(event).__name__)


@leads_to()
def ignore(call: Call, event: Event) -> Decision:
    """The observation is too late to matter."""
    return call, []
