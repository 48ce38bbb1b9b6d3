"""What the rules have in common: starting set-up steps, entering a state, ending calls, releasing resources. Pure."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from msgspec.structs import replace

from ari_bridge.errors import WrongState
from ari_bridge.fsm import setup_plan
from ari_bridge.fsm.actions import (
    Action,
    AwaitEarlyMedia,
    CancelTimers,
    Do,
    Mute,
    Notify,
    PlayMusic,
    Record,
    Release,
    StartTimer,
    StopRinging,
)
from ari_bridge.fsm.call import (
    Call,
    CallState,
    Direction,
    LegRef,
    MediaLeg,
    Milestone,
    Party,
    PartyState,
    Resource,
    Step,
    Target,
)
from ari_bridge.fsm.events import RecordingVerb, Timer
from ari_bridge.fsm.notifications import StateChanged
from ari_bridge.outcomes import Cause, Detail, Outcome

Decision = tuple[Call, list[Action]]
Part = TypeVar("Part", Call, MediaLeg)  # each with set-up steps and resources of its own

TRYING, RINGING, EARLY, ACCEPTING, UP, ENDING, ENDED = CallState
ENDS = (ENDING, ENDED)


@dataclass(frozen=True)
class Rule:
    """`to`: the states that it may lead to, besides the present one."""

    apply: Callable[[Call, Any], Decision]
    to: tuple[CallState, ...] = ()

    @property
    def name(self) -> str:
        return self.apply.__name__


def leads_to(*states: CallState) -> Callable[[Callable[[Call, Any], Decision]], Rule]:
    return lambda apply: Rule(apply, states)


def check_present(call: Call) -> None:
    """Raises WrongState if our side has left the call."""
    if call.left_outcome:
        raise WrongState("Our side has left the call.", field="callId")


def advance(call: Call) -> Decision:
    """Start every set-up step whose milestones are reached. What it creates counts as allocated from now on."""
    reached = call.reached
    steps = setup_plan.ready(setup_plan.plan_of(call), call.started, reached)
    actions: list[Action] = [Do(step) for step in steps]
    if steps:
        call = with_steps(call, steps)
    if call.leg is None:
        return call, actions
    steps = setup_plan.ready(setup_plan.MEDIA_LEG, call.leg.started, reached)
    actions += [Do(step, call.leg.ref) for step in steps]
    if steps:
        call = replace(call, leg=with_steps(call.leg, steps))
    if Step.BRIDGE_EXTERNAL_MEDIA in steps:  # the new leg replaces the earlier one, and the music
        call, releases = release_old_legs(call)
        call, sound = update_sound(replace(call, client_silent=False))
        actions = [*sound, *actions, *releases]
    return call, actions


def with_steps(part: Part, steps: Collection[Step]) -> Part:
    """The part of a call with steps that are started now."""
    made = {setup_plan.MAKES[step] for step in steps if step in setup_plan.MAKES}
    return replace(
        part, started=part.started | {*steps}, pending=part.pending | {*steps}, allocated=part.allocated | made
    )


def enter_state(call: Call, state: CallState) -> Decision:
    """Enter the state, and notify the listeners; but none is notified of a state before its SDP answer."""
    visible = (Milestone.ANSWER_SENT in call.milestones or call.near is not None) and state is not ACCEPTING
    return replace(call, state=state), [Notify(StateChanged())] if visible else []


# --- who hears what -----------------------------------------------------------------


def count_talking(call: Call) -> int:
    """How many participants besides our side have answered."""
    return (call.far_present and call.state is UP) + sum(party.talking for party in call.parties)


def update_sound(call: Call) -> Decision:
    """Isolate our side and play music on hold as the call requires.

    Our side is isolated while it holds or transfers. A single participant who waits for it, or for a browser that sends
    no RTP, hears music. Where a SIP client holds the call, Asterisk does the same by itself.
    """
    held = call.held and not (call.near and call.near.holds)
    isolated = call.state is UP and not call.left_outcome and (held or call.transferring != 0)
    taker = call.party(call.transferring)
    waits = call.client_silent or held or (taker is not None and not taker.talking)
    music = call.state is UP and waits and count_talking(call) == 1
    actions: list[Action] = []
    if isolated is not call.isolated:
        actions.append(Mute(isolated))
    if music is not call.moh_on:
        actions.append(PlayMusic(music))
    return (replace(call, isolated=isolated, moh_on=music), actions) if actions else (call, actions)


# --- what Asterisk does by itself where our side is a SIP client --------------------------


def watch_media(call: Call) -> list[Action]:
    """See, over and over, that RTP comes from the browser of an answered call."""
    return [] if call.near else [StartTimer(Timer.MEDIA)]


def await_early_media(call: Call) -> list[Action]:
    """See when the far side is heard before its answer."""
    return [] if call.near else [AwaitEarlyMedia()]


# --- a set-up that fails -------------------------------------------------------------

_OF_OUR_MEDIA = {Step.OFFER_MEDIA, Step.REOFFER_MEDIA, Step.ANSWER_MEDIA}


def setup_failure(step: Step, *, refused: bool, status: int) -> tuple[Outcome, Detail | None]:
    """The outcome of a call whose set-up step failed. `status`: the HTTP status of ARI's refusal, else 0."""
    if step in _OF_OUR_MEDIA:
        return Outcome.FAILED_MEDIA, Detail.MEDIA_SETUP
    if not refused:
        return Outcome.FAILED_PBX, None  # the PBX does not respond
    if step in (Step.CREATE_FAR, Step.CREATE_PARTY) and status not in (401, 403):
        return Outcome.UNREACHABLE, Detail.NO_ROUTE  # ARI responds 500 if there is no such endpoint
    return Outcome.FAILED_PBX, Detail.PBX_REFUSES


# --- the end ----------------------------------------------------------------------

_OUR_FAULT = {Outcome.FAILED_MEDIA, Outcome.FAILED_PBX, Outcome.LOST}
_STOP_REASONS = {
    Outcome.NO_ANSWER: "no_answer",
    Outcome.REJECTED: "declined",
    Outcome.ANSWERED_ELSEWHERE: "answered_elsewhere",
}


def end(call: Call, at: float, outcome: Outcome, cause: Cause | None = None, dialplan_status: str = "") -> Decision:
    """Decide that the call ends, and release what is created already; the rest is released when its request comes back.

    If our side has left the call, its listeners were notified of the end already, with that outcome.
    """
    actions: list[Action] = [CancelTimers()] if call.left_outcome else [CancelTimers(), Notify(StateChanged())]
    if Milestone.PAGES_RING in call.milestones and Milestone.ACCEPTED not in call.milestones:
        actions.append(StopRinging(None, _STOP_REASONS.get(outcome, "cancelled")))
    if call.direction is Direction.INBOUND and call.state is not UP and outcome in _OUR_FAULT:
        dialplan_status = "UNAVAILABLE"  # our fault must not cost the caller: the dialplan's fallback takes over
    if call.moh_on:
        actions.append(PlayMusic(False))
    if call.recording:
        actions.append(Record(RecordingVerb.STOP, call.recording.name))
    call = replace(
        call,
        state=ENDING,
        outcome=call.left_outcome or outcome,
        cause=cause or Cause(),
        ended_at=at,
        dialplan_status=dialplan_status,
        moh_on=False,
    )
    call, releases = release(call)
    return call, actions + releases


def forward_status(forward: str, otherwise: str) -> str:
    """ARI_BRIDGE_STATUS for the dialplan, by where the caller is forwarded (`Call.forward`)."""
    if forward == "voicemail":
        return "VOICEMAIL"
    return "FORWARD" if forward else otherwise


def release(call: Call) -> Decision:
    """Release what is allocated, except what is still being created; ENDED once everything is released.

    A SIP client is told the cause of its own hang-up only if it comes first: Asterisk gives whoever is in a bridge that
    ends the cause 16.
    """
    now = _releasable(call)
    if Resource.NEAR in call.allocated:
        now = [resource for resource in now if resource is not Resource.BRIDGE]
    call = replace(call, releasing=call.releasing | {*now})
    actions: list[Action] = [Release(resource) for resource in now]
    for leg in call.legs:
        call, releases = release_leg(call, leg)
        actions += releases
    call, parties = release_parties(call)
    standing = any(not leg.gone for leg in call.legs) or any(map(_exists, call.parties))
    if not (call.allocated or call.pending or standing):
        call = replace(call, state=ENDED)
    return call, [*actions, *parties]


def _releasable(part: Call | MediaLeg) -> list[Resource]:
    """What it has allocated, except what is still being created, or being released already."""
    return [
        r for r in Resource if r in part.allocated - part.releasing and setup_plan.MADE_BY.get(r) not in part.pending
    ]


def without_resource(call: Call, resource: Resource, target: Target) -> Call:
    """The call without a resource that is released. A party keeps track of its channel itself."""
    if not isinstance(target, LegRef):
        return without(call, resource)
    leg = call.media_leg(target)
    return with_leg(call, without(leg, resource)) if leg else call


def without(part: Part, resource: Resource) -> Part:
    return replace(part, allocated=part.allocated - {resource}, releasing=part.releasing - {resource})


# --- further parties ------------------------------------------------------------------


def _exists(party: Party) -> bool:
    return party.state is not PartyState.GONE


def with_party(call: Call, party: Party) -> Call:
    return replace(call, parties=(*call.parties[: party.number - 2], party, *call.parties[party.number - 1 :]))


def release_parties(call: Call) -> Decision:
    """Release the parties that are leaving, and all if the call ends; one that is being created, once it is."""
    actions: list[Action] = []
    for party in call.parties:
        goes = _exists(party) and (party.leaving_outcome is not None or not call.state.live)
        if goes and not party.releasing and Step.CREATE_PARTY not in party.pending:
            call = with_party(call, replace(party, releasing=True))
            actions.append(Release(Resource.PARTY, party.ref))
    return call, actions


def release_near(call: Call) -> Decision:
    """Hang up our user's SIP client."""
    if not call.near_present:
        return call, []
    return replace(call, releasing=call.releasing | {Resource.NEAR}), [Release(Resource.NEAR)]


# --- media legs -------------------------------------------------------------------


def with_leg(call: Call, leg: MediaLeg) -> Call:
    """The call with a media leg of this number as it is now; an earlier one of which nothing is left is dropped."""
    if call.leg and call.leg.number == leg.number:
        return replace(call, leg=leg)
    old_legs = (leg if one.number == leg.number else one for one in call.old_legs)
    return replace(call, old_legs=tuple(one for one in old_legs if not one.gone))


def supersede_leg(call: Call) -> Call:
    """The call without a present media leg. Leg numbers are never reused."""
    if call.leg is None:
        return call
    old_legs = call.old_legs if call.leg.gone else (*call.old_legs, call.leg)
    return replace(call, leg=None, old_legs=old_legs, last_leg=max(call.last_leg, call.leg.number))


def release_leg(call: Call, leg: MediaLeg) -> Decision:
    """Release what a media leg has allocated, except what is still being created."""
    now = _releasable(leg)
    return with_leg(call, replace(leg, releasing=leg.releasing | {*now})), [
        Release(resource, leg.ref) for resource in now
    ]


def release_old_legs(call: Call, kept: MediaLeg | None = None) -> Decision:
    """Release the earlier media legs, except one that is kept."""
    actions: list[Action] = []
    for leg in call.old_legs:
        if leg is not kept:
            call, releases = release_leg(call, leg)
            actions += releases
    return call, actions
