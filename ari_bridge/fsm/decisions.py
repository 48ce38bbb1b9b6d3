"""What the rules of `transitions` are made of: steps begun, states told, ends decided, resources released.

Pure, as they are.
"""

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
    """`to`: the states it may lead to, besides leaving the call where it is."""

    apply: Callable[[Call, Any], Decision]
    to: tuple[CallState, ...] = ()

    @property
    def name(self) -> str:
        return self.apply.__name__


def leads_to(*states: CallState) -> Callable[[Callable[[Call, Any], Decision]], Rule]:
    return lambda apply: Rule(apply, states)


def check_present(call: Call) -> None:
    """Raises WrongState where our side has left the call: it has no say in it any more."""
    if call.left_outcome:
        raise WrongState("Our side has left the call.", field="callId")


def advance(call: Call) -> Decision:
    """Begin every set-up step whose facts are there. What it makes is held from now on."""
    steps = setup_plan.ready(call)
    if not steps:
        return call, []
    made = {setup_plan.MAKES[step] for step in steps if step in setup_plan.MAKES}
    call = replace(
        call, started=call.started | {*steps}, pending=call.pending | {*steps}, allocated=call.allocated | made
    )
    actions: list[Action] = [Do(step, call.leg if step.of_leg else 0) for step in steps]
    if Step.BRIDGE_EXTERNAL_MEDIA in steps:  # the new leg takes the place of the old one, and of the music
        call, releases = release_superseded(call)
        call, sound = update_sound(replace(call, client_silent=False))
        actions = [*sound, *actions, *releases]
    return call, actions


def enter_state(call: Call, state: CallState) -> Decision:
    """The state, told to who listens; but no client hears of a state before it has its SDP answer."""
    told = Milestone.ANSWER_SENT in call.milestones and state is not ACCEPTING
    return replace(call, state=state), [Notify(StateChanged())] if told else []


# --- who hears what -----------------------------------------------------------------


def count_talking(call: Call) -> int:
    """How many there are besides our side, and have answered."""
    return (call.far_present and call.state is UP) + sum(party.talking for party in call.parties)


def update_sound(call: Call) -> Decision:
    """The call with its sound as it ought to be.

    Our side is kept apart while it holds or transfers. Who then waits alone, or waits for a page that is not heard,
    hears music.
    """
    apart = call.state is UP and not call.left_outcome and (call.held or call.transferring != 0)
    taker = call.party(call.transferring)
    waits = call.client_silent or call.held or (taker is not None and not taker.talking)
    music = call.state is UP and waits and count_talking(call) == 1
    actions: list[Action] = []
    if apart is not call.isolated:
        actions.append(Mute(apart))
    if music is not call.moh_on:
        actions.append(PlayMusic(music))
    return (replace(call, isolated=apart, moh_on=music), actions) if actions else (call, actions)


# --- a set-up that fails -------------------------------------------------------------

_OF_OUR_MEDIA = {Step.OFFER_MEDIA, Step.REOFFER_MEDIA, Step.ANSWER_MEDIA}


def setup_failure(step: Step, *, refused: bool, status: int) -> tuple[Outcome, Detail | None]:
    """What a call is told whose set-up step failed. `status`: the HTTP status by which ARI refused, else 0."""
    if step in _OF_OUR_MEDIA:
        return Outcome.FAILED_MEDIA, Detail.MEDIA_SETUP
    if not refused:
        return Outcome.FAILED_PBX, None  # it does not answer
    if step in (Step.CREATE_FAR, Step.CREATE_PARTY) and status not in (401, 403):
        return Outcome.UNREACHABLE, Detail.NO_ROUTE  # ARI says 500 where there is no such endpoint
    return Outcome.FAILED_PBX, Detail.PBX_REFUSES


# --- the end ----------------------------------------------------------------------

_OUR_FAULT = {Outcome.FAILED_MEDIA, Outcome.FAILED_PBX, Outcome.LOST}
_STOP_REASONS = {
    Outcome.NO_ANSWER: "no_answer",
    Outcome.REJECTED: "declined",
    Outcome.ANSWERED_ELSEWHERE: "answered_elsewhere",
}


def end(call: Call, at: float, outcome: Outcome, cause: Cause | None = None, dialplan_status: str = "") -> Decision:
    """Decide that the call ends, and release whatever is made already; the rest when its request comes back.

    One that our side has left was told as ended already, with that outcome.
    """
    actions: list[Action] = [CancelTimers()] if call.left_outcome else [CancelTimers(), Notify(StateChanged())]
    if Milestone.PAGES_RING in call.milestones and Milestone.ACCEPTED not in call.milestones:
        actions.append(StopRinging(None, _STOP_REASONS.get(outcome, "cancelled")))
    if call.direction is Direction.INBOUND and call.state is not UP and outcome in _OUR_FAULT:
        dialplan_status = "UNAVAILABLE"  # the caller is not to suffer: the dialplan's fallback takes over
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
    """What the dialplan is told (ARI_BRIDGE_STATUS), by where the caller is to go: see `Call.forward`."""
    if forward == "voicemail":
        return "VOICEMAIL"
    return "FORWARD" if forward else otherwise


def release(call: Call) -> Decision:
    """Release what is held and not asked for at this moment; ENDED when nothing is left."""
    now = [r for r in Resource if r in call.allocated - call.releasing and setup_plan.MADE_BY[r] not in call.pending]
    call = replace(call, releasing=call.releasing | {*now})
    actions: list[Action] = [Release(resource, call.leg if resource.of_leg else 0) for resource in now]
    call, spares = release_superseded(call)
    call, parties = release_parties(call)
    if not (call.allocated or call.pending or call.superseded or call.stale_steps or any(map(_exists, call.parties))):
        call = replace(call, state=ENDED)
    return call, [*actions, *spares, *parties]


def without_resource(call: Call, resource: Resource, leg: int = 0) -> Call:
    """The call without a resource that is gone; `leg`: whose, where it is a leg's."""
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
    """Release those that are to go: all of them where the call ends. One that is just being made: when it is."""
    actions: list[Action] = []
    for party in call.parties:
        goes = _exists(party) and (party.leaving_outcome is not None or not call.state.live)
        if goes and not party.releasing and Step.CREATE_PARTY not in party.pending:
            call = with_party(call, replace(party, releasing=True))
            actions.append(Release(Resource.PARTY, party.number))
    return call, actions


# --- media legs -------------------------------------------------------------------


def supersede_leg(call: Call) -> Call:
    """The call without a media leg: what it has of the present one is spare. No number is used a second time."""
    held = {resource for resource in call.allocated if resource.of_leg}
    begun = {step for step in call.started if step.of_leg}
    number = max(call.leg, call.last_leg) + 1
    return replace(
        call,
        leg=number,
        last_leg=number,
        superseded=call.superseded | {SupersededResource(resource, call.leg) for resource in held},
        superseded_releasing=call.superseded_releasing
        | {SupersededResource(resource, call.leg) for resource in call.releasing & held},
        stale_steps=call.stale_steps | {(step, call.leg) for step in call.pending & begun},
        allocated=call.allocated - held,
        releasing=call.releasing - held,
        started=call.started - begun,
        pending=call.pending - begun,
        milestones=call.milestones - LEG_MILESTONES,
        media_address=None,
        external_media_address=None,
        offer="",
        answer="",
    )


def release_superseded(call: Call) -> Decision:
    """Release what earlier legs still have, except what is just being made."""
    now = [
        spare
        for spare in sorted(call.superseded - call.superseded_releasing, key=lambda one: (one.leg, one.resource.value))
        if (setup_plan.MADE_BY[spare.resource], spare.leg) not in call.stale_steps
    ]
    call = replace(call, superseded_releasing=call.superseded_releasing | {*now}, reusable_leg=None)
    return call, [Release(spare.resource, spare.leg) for spare in now]
