"""Rules of a caller who has arrived: who rings, and where the caller goes if no page does. Pure."""

from msgspec.structs import replace

from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, Notify, RingPages, StartTimer, StopRinging
from ari_bridge.fsm.call import Call, Milestone
from ari_bridge.fsm.decisions import ENDS, RINGING, Decision, advance, end, leads_to
from ari_bridge.fsm.events import Timer
from ari_bridge.fsm.notifications import StateChanged
from ari_bridge.outcomes import Cause, Outcome


@leads_to()
def arrive(call: Call, event: events.Arrived) -> Decision:
    return call, [RingPages(), StartTimer(Timer.RING)]


@leads_to(RINGING, *ENDS)
def pages_rang(call: Call, event: events.PagesRang) -> Decision:
    call = replace(call, forward=event.forward, ring_seconds=event.ring_seconds)
    if not event.users:
        return _end(call, event)
    reached = call.milestones | {Milestone.PAGES_RING}
    if event.phone:
        reached |= {Milestone.PHONE_WANTED}
    call = replace(call, state=RINGING, ringing_at=event.at, users=event.users, phone=event.phone, milestones=reached)
    call, steps = advance(call)
    restart: list[Action] = [StartTimer(Timer.RING)] if call.ring_seconds else []  # runs since the arrival
    return call, [*steps, *restart, Notify(StateChanged())]


_NO_PAGE_RINGS = {
    "DND": (Outcome.REJECTED, "the user is not to be disturbed"),
    "BUSY": (Outcome.BUSY, "the user is in a call"),
    "FORWARD": (Outcome.TRANSFERRED, "the user has calls forwarded"),
    "VOICEMAIL": (Outcome.TRANSFERRED, "the user has calls forwarded to voicemail"),
}


@leads_to(*ENDS)
def nobody_rings(call: Call, event: events.NobodyRings) -> Decision:
    return _end(replace(call, forward=event.forward), event)


def _end(call: Call, event: events.PagesRang | events.NobodyRings) -> Decision:
    outcome, text = _NO_PAGE_RINGS.get(event.status, (Outcome.UNREACHABLE, "no page is open, and no phone answers"))
    return end(call, event.at, outcome, Cause(text=text), event.status)


@leads_to()
def pages_rang_late(call: Call, event: events.PagesRang) -> Decision:
    return call, [StopRinging(None, "cancelled")]
