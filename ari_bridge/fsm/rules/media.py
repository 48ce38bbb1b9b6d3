"""Rules by which a call survives the loss of its media or of its page: media renegotiation, and music meanwhile. Pure.

A call loses its leg when rtpengine dies, and its page when the browser reloads or loses its network. Neither ends it:
the far side stays, hears music after two seconds of silence, and the call continues once the page has sent a new
offer. It ends only when the grace has expired and no RTP arrives from the browser.
"""

from msgspec.structs import replace

from ari_bridge.errors import WrongState
from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, CancelTimer, CheckMedia, Mute, Notify, StartTimer
from ari_bridge.fsm.call import Call, Direction, MediaLeg, Milestone, Step
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
    release_old_legs,
    supersede_leg,
    update_sound,
)
from ari_bridge.fsm.events import Timer
from ari_bridge.fsm.notifications import MediaNeeded, MediaReady, StateChanged
from ari_bridge.fsm.rules.near import check_page
from ari_bridge.fsm.rules.parties import leave_lost
from ari_bridge.outcomes import Cause, Detail, Outcome

SILENCE_TIMEOUT_S = 2.0
"""Without RTP from the browser for this long, the far side hears music."""
ROUNDING_S = 0.1
"""Tolerance between the time of a timer and that of a request."""
MAX_OLD_LEGS = 8
"""Earlier legs that are not released yet; a page that sends further offers is refused until some are."""
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
    if len(call.old_legs) >= MAX_OLD_LEGS:
        raise WrongState("The call is being given new media already: try again in a second.", field="callId")
    call = replace(call, session=event.session or call.session, prefer=event.prefer or call.prefer)
    if call.media_lost and (leg := call.reusable_leg):
        return _reuse_leg(call, leg, event.offer)
    return new_leg(call, event.offer)


def keep_leg_in_bridge(call: Call, leg: MediaLeg, reason: str) -> Decision:
    """Asterisk creates no channel, as while its restart is pending: the next offer goes to the leg in the bridge.

    Not the present offer: the browser has started ICE with the session that is released now, and would stay with it.
    """
    call, releases = release_old_legs(replace(supersede_leg(call), media_lost=True), kept=leg)
    return call, [*releases, Notify(MediaNeeded(reason)), StartTimer(Timer.GRACE), StartTimer(Timer.MUSIC)]


def _reuse_leg(call: Call, leg: MediaLeg, offer: str) -> Decision:
    present = replace(leg, offer=offer, answer="", milestones=_REUSED, started=_DONE_OF_REUSED)
    others = tuple(one for one in call.old_legs if one is not leg)
    call = replace(call, leg=present, old_legs=others, media_lost=False, client_silent=False)
    call, releases = release_old_legs(call)
    call, sound = update_sound(call)
    isolation: list[Action] = [Mute(call.isolated)] if call.state is UP else []  # it may have changed meanwhile
    call, timers = leg_bridged(call)
    call, steps = advance(call)
    return call, [*steps, *releases, *sound, *isolation, *timers, StartTimer(Timer.SETUP)]


_REUSED = frozenset(
    {
        Milestone.LEG_REUSED,
        Milestone.EXTERNAL_MEDIA_CREATED,
        Milestone.EXTERNAL_MEDIA_ENTERED,
        Milestone.EXTERNAL_MEDIA_BRIDGED,
    }
)
_DONE_OF_REUSED = frozenset({Step.OFFER_MEDIA, Step.CREATE_EXTERNAL_MEDIA, Step.BRIDGE_EXTERNAL_MEDIA})


def new_leg(call: Call, offer: str) -> Decision:
    """A media leg for this offer, which replaces the present one once it is ready."""
    call = start_leg(supersede_leg(call), offer)
    call, steps = advance(call)
    return call, [*steps, StartTimer(Timer.SETUP)]


def start_leg(call: Call, offer: str) -> Call:
    """The call, which has no present media leg, with a new one."""
    number = call.last_leg + 1
    return replace(call, leg=MediaLeg(number, offer), last_leg=number, media_lost=False)


def lose_media(call: Call, at: float, reason: str) -> Decision:
    """The leg is lost, and the call continues."""
    leg = call.leg
    if leg and Milestone.ANSWER_SENT not in call.milestones:  # its offer is unanswered: another leg can use it
        if leg.number >= MAX_SETUP_LEGS:
            return end(call, at, Outcome.FAILED_MEDIA, Cause(text=reason, detail=Detail.MEDIA_SETUP))
        lost = replace(leg, milestones=frozenset())  # even if it was in the bridge, it is not to be used again
        return new_leg(replace(call, leg=lost), leg.offer)
    call, releases = release_old_legs(replace(supersede_leg(call), media_lost=True))
    return call, [*releases, Notify(MediaNeeded(reason)), StartTimer(Timer.GRACE), StartTimer(Timer.MUSIC)]


@leads_to(*ENDS)
def media_lost(call: Call, event: events.MediaLost) -> Decision:
    if call.leg is None or event.leg != call.leg.number:
        return call, []
    return lose_media(call, event.at, event.reason)


def survives_leg_loss(call: Call) -> bool:
    """Whether the call continues without its media leg: there is a page that can send another offer."""
    return Milestone.ANSWER_SENT in call.milestones and (call.state is UP or call.last_leg > 1)


def answer_ready(call: Call, leg: MediaLeg) -> Decision:
    """The leg has its SDP answer. The first one of a call precedes every state, and is followed by the present one."""
    first = Milestone.ANSWER_SENT not in call.milestones
    call = replace(call, leg=leg, milestones=call.milestones | {Milestone.ANSWER_SENT})
    actions: list[Action] = [Notify(MediaReady())]
    if first and call.state is not ACCEPTING:
        actions.append(Notify(StateChanged()))
    return call, actions


def use_prepared_leg(call: Call, leg: MediaLeg) -> Decision:
    """The call with a leg that was prepared for it, in place of the steps that make one."""
    return answer_ready(replace(call, last_leg=leg.number), leg)


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
    if call.state is not UP or call.left_outcome or call.near:
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
