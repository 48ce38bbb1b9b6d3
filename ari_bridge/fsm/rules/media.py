"""Rules by which a call survives the loss of its media or of its page: media renegotiation, and music meanwhile. Pure.

A call loses its leg when rtpengine dies, and its page when the browser reloads or loses its network. Neither ends it:
the far side stays, hears music after two seconds of silence, and the call continues once the page has sent a new
offer. It ends only when the grace has expired and no RTP arrives from the browser.
"""

from msgspec.structs import replace

from ari_bridge.errors import WrongState
from ari_bridge.fsm import events, setup_plan
from ari_bridge.fsm.actions import Action, CancelTimer, CheckMedia, Mute, Notify, StartTimer
from ari_bridge.fsm.call import Call, Direction, Milestone, PreparedLeg, Resource, ReusableLeg, Step, SupersededResource
from ari_bridge.fsm.decisions import (
    ACCEPTING,
    ENDS,
    UP,
    Decision,
    advance,
    check_present,
    count_talking,
    end,
    leads_to,
    release,
    release_superseded,
    supersede_leg,
    update_sound,
    without_resource,
)
from ari_bridge.fsm.events import Failure, Timer
from ari_bridge.fsm.notifications import MediaNeeded, MediaReady, StateChanged
from ari_bridge.fsm.rules.near import check_page
from ari_bridge.fsm.rules.parties import leave_lost
from ari_bridge.outcomes import Cause, Detail, Outcome

SILENCE_TIMEOUT_S = 2.0
"""Without RTP from the browser for this long, the far side hears music."""
ROUNDING_S = 0.1
"""Tolerance between the time of a timer and that of a request."""
MAX_SUPERSEDED_RESOURCES = 8
"""Unreleased resources of earlier legs; a page that sends further offers is refused until some are released."""
MAX_SETUP_LEGS = 3
"""Legs that a set-up tries, on one rtpengine after another, before its page has an answer."""


# --- a new leg ----------------------------------------------------------------------


@leads_to()
def renew(call: Call, event: events.Reoffered) -> Decision:
    """The page sends a new offer: its leg replaces the present one once it is ready."""
    check_present(call)
    check_page(call)
    if call.direction is Direction.INBOUND and Milestone.ACCEPTED not in call.milestones:
        raise WrongState("The call rings: it can be accepted, and has no media yet.", field="callId")
    if len(call.superseded) >= MAX_SUPERSEDED_RESOURCES:
        raise WrongState("The call is being given new media already: try again in a second.", field="callId")
    call = replace(call, session=event.session or call.session, prefer=event.prefer or call.prefer)
    if call.media_lost and (leg := find_reusable_leg(call)):
        return _reuse_leg(call, leg, event.offer)
    in_bridge = _leg_in_bridge(call)
    call, actions = new_leg(call, event.offer)
    return replace(call, reusable_leg=in_bridge), actions


def _leg_in_bridge(call: Call) -> ReusableLeg | None:
    """The leg that is in the bridge: the present one, or the one that it was to replace."""
    if call.media_lost:
        return None
    if Milestone.EXTERNAL_MEDIA_BRIDGED in call.milestones and call.media_address and call.external_media_address:
        return ReusableLeg(call.leg, call.media_address, call.external_media_address)
    return call.reusable_leg


def find_reusable_leg(call: Call) -> ReusableLeg | None:
    """The leg that can be used again: all of its resources exist, and no request for them is pending."""
    leg = call.reusable_leg
    if leg is None or leg.number in {number for _, number in call.stale_steps}:
        return None
    return leg if _resources_of(leg) <= call.superseded - call.superseded_releasing else None


def keep_leg_in_bridge(call: Call, leg: ReusableLeg, reason: str) -> Decision:
    """Asterisk creates no channel, as while its restart is pending: the next offer goes to the leg in the bridge.

    Not the present offer: the browser has started ICE with the session that is released now, and would stay with it.
    """
    dropped = supersede_leg(call)
    call, releases = release_superseded(
        replace(dropped, superseded=dropped.superseded - _resources_of(leg), media_lost=True)
    )
    call = replace(call, superseded=call.superseded | _resources_of(leg), reusable_leg=leg)
    return call, [*releases, Notify(MediaNeeded(reason)), StartTimer(Timer.GRACE), StartTimer(Timer.MUSIC)]


def _reuse_leg(call: Call, leg: ReusableLeg, offer: str) -> Decision:
    call = replace(
        call,
        leg=leg.number,
        offer=offer,
        media_lost=False,
        media_address=leg.media_address,
        external_media_address=leg.external_media_address,
        milestones=call.milestones | _REUSED,
        started=call.started | {Step.OFFER_MEDIA, Step.CREATE_EXTERNAL_MEDIA, Step.BRIDGE_EXTERNAL_MEDIA},
        allocated=call.allocated | {spare.resource for spare in _resources_of(leg)},
        superseded=call.superseded - _resources_of(leg),
        client_silent=False,
    )
    call, releases = release_superseded(call)
    call, sound = update_sound(call)
    isolation: list[Action] = [Mute(call.isolated)] if call.state is UP else []  # it may have changed meanwhile
    call, timers = leg_bridged(call)
    call, steps = advance(call)
    return call, [*steps, *releases, *sound, *isolation, *timers, StartTimer(Timer.SETUP)]


_REUSED = {
    Milestone.LEG_REUSED,
    Milestone.EXTERNAL_MEDIA_CREATED,
    Milestone.EXTERNAL_MEDIA_ENTERED,
    Milestone.EXTERNAL_MEDIA_BRIDGED,
}


def _resources_of(leg: ReusableLeg) -> frozenset[SupersededResource]:
    return frozenset(
        SupersededResource(resource, leg.number) for resource in (Resource.MEDIA_SESSION, Resource.EXTERNAL_MEDIA)
    )


def new_leg(call: Call, offer: str) -> Decision:
    call = replace(call if call.media_lost else supersede_leg(call), offer=offer, media_lost=False)
    call, steps = advance(call)
    return call, [*steps, StartTimer(Timer.SETUP)]


def lose_media(call: Call, at: float, reason: str) -> Decision:
    """The leg is lost, and the call continues."""
    if Milestone.ANSWER_SENT not in call.milestones:  # its offer is unanswered: another leg can use it
        if call.leg >= MAX_SETUP_LEGS:
            return end(call, at, Outcome.FAILED_MEDIA, Cause(text=reason, detail=Detail.MEDIA_SETUP))
        return new_leg(call, call.offer)
    call, releases = release_superseded(replace(supersede_leg(call), media_lost=True))
    return call, [*releases, Notify(MediaNeeded(reason)), StartTimer(Timer.GRACE), StartTimer(Timer.MUSIC)]


@leads_to(*ENDS)
def media_lost(call: Call, event: events.MediaLost) -> Decision:
    if event.leg != call.leg or call.media_lost or call.left_outcome or call.near:
        return call, []
    if call.direction is Direction.INBOUND and Milestone.ACCEPTED not in call.milestones:
        return call, []  # it has no media yet
    return lose_media(call, event.at, event.reason)


def survives_leg_loss(call: Call) -> bool:
    """Whether the call continues without its media leg: there is a page that can send another offer."""
    return Milestone.ANSWER_SENT in call.milestones and (call.state is UP or call.last_leg > 1)


def is_of_earlier_leg(call: Call, step: Step, leg: int) -> bool:
    return step.of_leg and leg != call.leg


def stale_step_done(call: Call, event: events.StepDone) -> Decision:
    """A step of an earlier leg has come back: what it created is released once the new leg is in the bridge."""
    return _after_stale_step(replace(call, stale_steps=call.stale_steps - {(event.step, event.instance)}))


def stale_step_failed(call: Call, event: events.StepFailed) -> Decision:
    call = replace(call, stale_steps=call.stale_steps - {(event.step, event.instance)})
    if event.failure is Failure.REFUSED and event.step in setup_plan.MAKES:
        call = without_resource(call, setup_plan.MAKES[event.step], event.instance)
    return _after_stale_step(call)


def _after_stale_step(call: Call) -> Decision:
    if not call.state.live:
        return release(call)
    if (call.media_lost and call.reusable_leg is None) or Step.BRIDGE_EXTERNAL_MEDIA in call.started:
        return release_superseded(call)
    return call, []


def answer_ready(call: Call, sdp: str) -> Decision:
    """The SDP answer is ready. The first one of a call precedes every state, and is followed by the present one."""
    first = Milestone.ANSWER_SENT not in call.milestones
    call = replace(call, answer=sdp, milestones=call.milestones | {Milestone.ANSWER_SENT})
    actions: list[Action] = [Notify(MediaReady())]
    if first and call.state is not ACCEPTING:
        actions.append(Notify(StateChanged()))
    return call, actions


def use_prepared_leg(call: Call, leg: PreparedLeg | None) -> Decision:
    """The call with its prepared leg, in place of the steps that make one."""
    if leg is None:
        return call, []
    reached = {Milestone.MEDIA_OFFERED, Milestone.EXTERNAL_MEDIA_CREATED, Milestone.MEDIA_ANSWERED}
    if leg.entered:
        reached.add(Milestone.EXTERNAL_MEDIA_ENTERED)
    call = replace(
        call,
        leg=leg.number,
        last_leg=leg.number,
        media_address=leg.media_address,
        external_media_address=leg.external_media_address,
        milestones=call.milestones | reached,
        started=call.started | {Step.OFFER_MEDIA, Step.CREATE_EXTERNAL_MEDIA, Step.ANSWER_MEDIA},
        allocated=call.allocated | {Resource.MEDIA_SESSION, Resource.EXTERNAL_MEDIA},
    )
    return answer_ready(call, leg.answer)


def leg_bridged(call: Call) -> Decision:
    """The leg is in the bridge: both sides hear each other."""
    timers: list[Action] = [StartTimer(Timer.MEDIA)] if call.state is UP else []
    if call.owner_away:
        return call, timers
    return call, [*timers, CancelTimer(Timer.GRACE), CancelTimer(Timer.MUSIC)]


# --- the page is away -----------------------------------------------------------------


@leads_to()
def owner_lost(call: Call, event: events.OwnerLost) -> Decision:
    if call.owner_away or call.left_outcome:
        return call, []
    return replace(call, owner_away=True), [StartTimer(Timer.GRACE), StartTimer(Timer.MUSIC)]


@leads_to()
def owner_back(call: Call, event: events.OwnerBack) -> Decision:
    if not call.owner_away:
        return call, []
    call = replace(call, owner_away=False)
    if call.media_lost:
        return call, [Notify(MediaNeeded("the sound was lost while the page was away")), StartTimer(Timer.GRACE)]
    actions: list[Action] = [CancelTimer(Timer.GRACE), CancelTimer(Timer.MUSIC)]
    return call, [*actions, CheckMedia()] if call.client_silent else actions


def music_timer_fired(call: Call) -> Decision:
    """The timer MUSIC fired."""
    if call.state is not UP:
        return call, []
    if call.media_lost and not call.client_silent:
        return update_sound(replace(call, client_silent=True))
    return call, [CheckMedia()] if call.owner_away else []


def media_timer_fired(call: Call, ran: float) -> Decision:
    """The timer MEDIA fired: rtpengine is asked whether the browser has sent RTP meanwhile."""
    if call.state is not UP or call.left_outcome:
        return call, []
    if call.media_lost or call.owner_away:  # the grace is running
        return call, [StartTimer(Timer.MEDIA)]
    return call, [CheckMedia(within=ran)]


@leads_to(*ENDS)
def media_checked(call: Call, event: events.MediaChecked) -> Decision:
    if call.left_outcome or call.state is not UP:
        return call, []
    if event.within is not None:
        return _check_activity(call, event, event.within)
    if call.media_lost:
        return call, []
    again: list[Action] = [StartTimer(Timer.MUSIC)] if call.owner_away else []
    if event.heard_at is None:
        return call, again
    silent = event.at - event.heard_at > SILENCE_TIMEOUT_S
    if (silent and call.owner_away) or not silent:
        call, sound = update_sound(replace(call, client_silent=silent))
        return call, [*sound, *again]
    return call, again


def _check_activity(call: Call, event: events.MediaChecked, within: float) -> Decision:
    """Media that never came, or stopped for longer than the grace, ends the call; in a conference, only our part."""
    if event.heard_at is None or call.media_lost or call.owner_away:
        return call, [StartTimer(Timer.MEDIA)]
    ago = max(0.0, event.at - event.heard_at)
    if ago < within - ROUNDING_S:
        return call, [StartTimer(Timer.MEDIA, ago=ago)]
    if count_talking(call) > 1:
        return leave_lost(call, event.at, Outcome.FAILED_MEDIA)
    text = "the browser sends no RTP any more" if event.heard_at else "the browser has never sent RTP"
    return end(call, event.at, Outcome.FAILED_MEDIA, Cause(text=text))


def grace_expired(call: Call, at: float) -> Decision:
    """The timer GRACE fired."""
    if call.media_lost and not call.owner_away and count_talking(call) < 2:
        return end(call, at, Outcome.FAILED_MEDIA, Cause(text="no new media came in time"))
    if not call.owner_away and not call.media_lost:
        return call, []
    if call.state is UP and not call.media_lost and not call.client_silent:
        # Not connected, but still talking: the page is frozen, or only its WebSocket is cut off.
        return call, [CheckMedia(), StartTimer(Timer.GRACE)]
    if count_talking(call) > 1:
        return leave_lost(call, at)
    return end(call, at, Outcome.LOST, Cause(text="the page did not come back in time"))
