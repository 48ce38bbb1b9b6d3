"""What the rules have in common: starting set-up steps, entering a state, ending calls, releasing resources. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from ari_bridge.errors import WrongState
from ari_bridge.fsm import setup_plan
from ari_bridge.fsm.actions import Action, CancelTimers, Do, Mute, Notify, PlayMusic, Record, Release, StopRinging
from ari_bridge.fsm.call import (
    LEG_MILESTONES,
    Call,
    CallState,
    Direction,
    Milestone,
    Party,
    PartyState,
    Resource,
    Step,
    SupersededResource,
)
from ari_bridge.fsm.events import RecordingVerb
from ari_bridge.fsm.notifications import StateChanged
from ari_bridge.outcomes import Cause, Detail, Outcome

Decision = tuple[Call, list[Action]]

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
    steps = setup_plan.ready(call)
    if not steps:
        return call, []
    made = {setup_plan.MAKES[step] for step in steps if step in setup_plan.MAKES}
    call = replace(
        call, started=call.started | {*steps}, pending=call.pending | {*steps}, allocated=call.allocated | made
    )
    actions: list[Action] = [Do(step, call.leg if step.of_leg else 0) for step in steps]
    if Step.BRIDGE_EXTERNAL_MEDIA in steps:  # the new leg replaces the earlier one, and the music
        call, releases = release_superseded(call)
        call, sound = update_sound(replace(call, client_silent=False))
        actions = [*sound, *actions, *releases]
    return call, actions


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
    """Release what is allocated, except what is still being created; ENDED once everything is released."""
    now = [
        r for r in Resource if r in call.allocated - call.releasing and setup_plan.MADE_BY.get(r) not in call.pending
    ]
    call = replace(call, releasing=call.releasing | {*now})
    actions: list[Action] = [Release(resource, call.leg if resource.of_leg else 0) for resource in now]
    call, spares = release_superseded(call)
    call, parties = release_parties(call)
    if not (call.allocated or call.pending or call.superseded or call.stale_steps or any(map(_exists, call.parties))):
        call = replace(call, state=ENDED)
    return call, [*actions, *spares, *parties]


def without_resource(call: Call, resource: Resource, leg: int = 0) -> Call:
    """The call without a resource that is released. `leg`: of which leg, if it belongs to one."""
    if resource.of_leg and leg != call.leg:
        gone = {SupersededResource(resource, leg)}
        return replace(call, superseded=call.superseded - gone, superseded_releasing=call.superseded_releasing - gone)
    return replace(call, allocated=call.allocated - {resource}, releasing=call.releasing - {resource})


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
            actions.append(Release(Resource.PARTY, party.number))
    return call, actions


def release_near(call: Call) -> Decision:
    """Hang up our user's SIP client."""
    if not call.near_present:
        return call, []
    return replace(call, releasing=call.releasing | {Resource.NEAR}), [Release(Resource.NEAR)]


# --- media legs -------------------------------------------------------------------


def supersede_leg(call: Call) -> Call:
    """The call without a media leg: the resources of the present one are superseded. Leg numbers are never reused."""
    held = {resource for resource in call.allocated if resource.of_leg}
    started = {step for step in call.started if step.of_leg}
    number = max(call.leg, call.last_leg) + 1
    return replace(
        call,
        leg=number,
        last_leg=number,
        superseded=call.superseded | {SupersededResource(resource, call.leg) for resource in held},
        superseded_releasing=call.superseded_releasing
        | {SupersededResource(resource, call.leg) for resource in call.releasing & held},
        stale_steps=call.stale_steps | {(step, call.leg) for step in call.pending & started},
        allocated=call.allocated - held,
        releasing=call.releasing - held,
        started=call.started - started,
        pending=call.pending - started,
        milestones=call.milestones - LEG_MILESTONES,
        media_address=None,
        external_media_address=None,
        offer="",
        answer="",
    )


def release_superseded(call: Call) -> Decision:
    """Release the resources of earlier legs, except those that are still being created."""
    now = [
        spare
        for spare in sorted(call.superseded - call.superseded_releasing, key=lambda one: (one.leg, one.resource.value))
        if (setup_plan.MADE_BY[spare.resource], spare.leg) not in call.stale_steps
    ]
    call = replace(call, superseded_releasing=call.superseded_releasing | {*now}, reusable_leg=None)
    return call, [Release(spare.resource, spare.leg) for spare in now]
