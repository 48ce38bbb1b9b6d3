"""Everything that changes a call's state is decided by the table in this file.

`TABLE` says for every event and every state which rule decides; `step` looks it
up. A rule makes a new call and a list of actions out of the old call and the
event, and does nothing else: no clock, no I/O, no randomness, no logging. An
event that must not happen raises, and changes nothing. Rules are made of what stands in
`rule.py`; what the far side tells before it answers is in `progress.py`, how a call outlives its media and its page in
`renewal.py`, hold, transfer and conference in `parties.py`, recordings in `recording.py`. The state diagram in
docs/design.md is drawn from the table (`make diagram`).
"""

import dataclasses

from msgspec.structs import replace

from ari_bridge.errors import IllegalEvent, WrongState
from ari_bridge.fsm import deadlines, events, setup_plan
from ari_bridge.fsm.actions import Action, AskSipStatus, Notify, RingPages, SendDigits, StartTimer, StopRinging
from ari_bridge.fsm.call import Call, CallState, Direction, Milestone, PartyState, Resource, Step
from ari_bridge.fsm.decisions import (
    ACCEPTING,
    EARLY,
    ENDED,
    ENDS,
    RINGING,
    TRYING,
    UP,
    Decision,
    Rule,
    advance,
    end,
    forwarded,
    leads_to,
    moved,
    release,
    set_up_failed,
    without,
)
from ari_bridge.fsm.events import Event, Failure, Timer
from ari_bridge.fsm.notifications import DigitReceived, HoldChanged, StateChanged
from ari_bridge.fsm.rules import parties, recording
from ari_bridge.fsm.rules.connected import connected_line_changed
from ari_bridge.fsm.rules.media import (
    answer_made,
    grace_over,
    keep_leg,
    leg_bridged,
    lose_media,
    media_checked,
    media_due,
    media_lost,
    music_due,
    of_an_earlier_leg,
    outlives_its_leg,
    owner_back,
    owner_lost,
    renew,
    reusable,
    stale_step_done,
    stale_step_failed,
    warmed,
)
from ari_bridge.fsm.rules.progress import early_media, far_progresses, far_rings
from ari_bridge.fsm.timing import Timing
from ari_bridge.outcomes import Cause, Detail, Outcome, caller_gave_up, far_ended, pbx_at_fault

__all__ = ["TABLE", "Rule", "step"]


def step(call: Call, event: Event, timing: Timing | None = None) -> Decision:
    """The call after the event, and what is to be done now.

    `timing`: by which its deadlines are kept; None: they are left as they are.
    Raises WrongState where a user of ours asked for what the state does not allow,
    IllegalEvent where the event cannot happen in the state (a bug of ours).
    """
    after, wanted = TABLE[type(event)][_COLUMN[call.state]].apply(call, event)
    return (deadlines.keep(after, wanted, event, timing) if timing else after), wanted


# --- rules: asked ----------------------------------------------------------------


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
def late(call: Call, event: Event) -> Decision:
    """Too late to matter, and nobody's fault."""
    return call, []


@leads_to()
def place(call: Call, event: events.Placed) -> Decision:
    call, told = warmed(call, event.warm)
    call, steps = advance(call)
    return call, [*told, *steps, StartTimer(Timer.SETUP), StartTimer(Timer.RING)]


@leads_to(ACCEPTING)
def accept(call: Call, event: events.Accepted) -> Decision:
    call = replace(
        call,
        user=event.user,
        session=event.session,
        offer=event.offer,
        prefer=event.prefer or call.prefer,
        milestones=call.milestones | {Milestone.ACCEPTED},
    )
    call, told = moved(call, ACCEPTING)
    call, answer = warmed(call, event.warm)
    call, steps = advance(call)
    return call, [*answer, *steps, *told, StopRinging(None, "accepted_elsewhere"), StartTimer(Timer.SETUP)]


@leads_to(*ENDS)
def decline(call: Call, event: events.Declined) -> Decision:
    left = call.users - {event.user}
    if not left:
        return end(call, event.at, Outcome.REJECTED, dialplan_status="DECLINED")
    return replace(call, users=left), [StopRinging(event.user, "declined")]


@leads_to(*ENDS)
def hang_up(call: Call, event: events.HungUp) -> Decision:
    if call.state is UP:
        return end(call, event.at, Outcome.COMPLETED)
    if call.direction is Direction.INBOUND and call.state in (TRYING, RINGING):
        return end(call, event.at, Outcome.REJECTED, dialplan_status="DECLINED")
    return end(call, event.at, Outcome.CANCELLED)


@leads_to()
def press(call: Call, event: events.DigitsPressed) -> Decision:
    """While it rings only where a path for sound is open: the far side may wait for digits before it says a word."""
    if call.state is RINGING and Milestone.FAR_PROGRESSED not in call.milestones:
        return refuse.apply(call, event)
    return call, [SendDigits(event.digits)]


# --- rules: told -----------------------------------------------------------------


@leads_to()
def arrive(call: Call, event: events.Arrived) -> Decision:
    return call, [RingPages(), StartTimer(Timer.RING)]


@leads_to(RINGING, *ENDS)
def pages_rang(call: Call, event: events.PagesRang) -> Decision:
    call = replace(call, forward=event.forward, ring_seconds=event.ring_seconds)
    if not event.users:
        outcome, text = _NO_PAGE_RINGS.get(event.status, (Outcome.UNREACHABLE, "no page is open"))
        return end(call, event.at, outcome, Cause(text=text), event.status)
    facts = call.milestones | {Milestone.PAGES_RING}
    call = replace(call, state=RINGING, ringing_at=event.at, users=event.users, milestones=facts)
    call, steps = advance(call)
    again: list[Action] = [StartTimer(Timer.RING)] if call.ring_seconds else []  # it runs since the caller arrived
    return call, [*steps, *again, Notify(StateChanged())]


_NO_PAGE_RINGS = {
    "DND": (Outcome.REJECTED, "the user is not to be disturbed"),
    "BUSY": (Outcome.BUSY, "the user is in a call"),
    "FORWARD": (Outcome.TRANSFERRED, "the user has calls forwarded"),
    "VOICEMAIL": (Outcome.TRANSFERRED, "the user has calls forwarded to voicemail"),
}


@leads_to()
def pages_rang_late(call: Call, event: events.PagesRang) -> Decision:
    return call, [StopRinging(None, "cancelled")]


@leads_to()
def channel_entered(call: Call, event: events.StasisStarted) -> Decision:
    if event.resource is Resource.PARTY:
        return parties.entered(call, event.leg)
    if event.resource.of_leg and event.leg != call.leg:
        return call, []
    return advance(replace(call, milestones=call.milestones | {_ENTERED[event.resource]}))


_ENTERED = {Resource.FAR: Milestone.FAR_ENTERED, Resource.EXTERNAL_MEDIA: Milestone.EXTERNAL_MEDIA_ENTERED}


@leads_to()
def channel_left(call: Call, event: events.StasisEnded) -> Decision:
    """Its end comes next, with the cause. Should it not come, the channel went elsewhere."""
    if event.resource is Resource.PARTY:
        return parties.left_us(call, event.leg)
    if event.resource.of_leg:
        lost_in_set_up = event.leg == call.leg and Milestone.ANSWER_SENT not in call.milestones
        return call, [StartTimer(Timer.EXPLAIN)] if lost_in_set_up else []
    return replace(call, milestones=call.milestones | {Milestone.FAR_LEFT}), [StartTimer(Timer.EXPLAIN)]


@leads_to(*ENDS)
def channel_gone(call: Call, event: events.ChannelDestroyed) -> Decision:
    if event.resource is Resource.PARTY:
        return parties.channel_gone(call, event)
    answered = call.state is UP
    present = not event.resource.of_leg or event.leg == call.leg
    call = without(call, event.resource, event.leg)
    if not present:
        return call, []
    if event.resource is Resource.EXTERNAL_MEDIA:
        if outlives_its_leg(call):
            return lose_media(call, event.at, "the external media channel ended")
        cause = Cause(event.q850, "the external media channel ended", detail=Detail.MEDIA_SETUP)
        return end(call, event.at, Outcome.FAILED_MEDIA, cause)
    if call.direction is Direction.INBOUND and not answered:
        return end(call, event.at, *caller_gave_up(event.q850, event.text, requested=call.hangup_q850))
    if (
        not (answered or event.sip or call.redirected_to)
        and event.name
        and Milestone.EXTERNAL_MEDIA_BRIDGED in call.milestones
    ):
        return replace(call, milestones=call.milestones | {Milestone.FAR_LEFT}), [AskSipStatus(event)]
    outcome, cause = far_ended(
        event.q850,
        event.text,
        call.dial_status,
        requested=call.hangup_q850,
        sip=event.sip,
        forward=call.redirected_to,
        rang=call.ringing_at is not None,
        answered=answered,
    )
    return parties.far_gone(call, event.at, outcome, cause)


@leads_to(ENDED)
def channel_gone_late(call: Call, event: events.ChannelDestroyed) -> Decision:
    if event.resource is Resource.PARTY:
        return _let_go(*parties.channel_gone(call, event))
    return _let_go(*release(without(call, event.resource, event.leg)))


@leads_to(UP)
def far_answers(call: Call, event: events.FarAnswered) -> Decision:
    if call.direction is Direction.INBOUND:
        return call, []  # it is us who answer a caller
    call, told = moved(replace(call, answered_at=event.at, milestones=call.milestones | {Milestone.FAR_ANSWERED}), UP)
    return call, [*told, StartTimer(Timer.MEDIA)]


@leads_to()
def far_fails(call: Call, event: events.FarFailed) -> Decision:
    return replace(call, dial_status=event.dial_status, redirected_to=event.forward or call.redirected_to), []


@leads_to()
def far_hangs_up(call: Call, event: events.FarHangsUp) -> Decision:
    return replace(call, hangup_q850=event.q850), []


@leads_to()
def far_digit(call: Call, event: events.FarDigit) -> Decision:
    return call, [Notify(DigitReceived(event.digit))]


@leads_to()
def far_holds(call: Call, event: events.FarHeld) -> Decision:
    return replace(call, held_by_far=event.held), [Notify(HoldChanged(by_us=False))]


@leads_to(*ENDS)
def pbx_lost(call: Call, event: events.PbxLost) -> Decision:
    return end(call, event.at, Outcome.FAILED_PBX, Cause(text=event.reason))


@leads_to(*ENDS)
def timer(call: Call, event: events.TimerFired) -> Decision:
    if event.timer is Timer.PARTY:
        return parties.ring_time_over(call, event.party, event.at)
    if event.timer is Timer.EXPLAIN and event.party:
        return parties.never_explained(call, event.party, event.at)
    if event.timer is Timer.EXPLAIN and call.state is UP and Milestone.FAR_LEFT in call.milestones:
        cause = Cause(text="the channel left without a word")
        return parties.far_gone(call, event.at, Outcome.COMPLETED, cause)
    if event.timer is Timer.EXPLAIN:
        outcome, cause = Outcome.FAILED_PBX, Cause(text="the channel left without a word")
        if call.state is UP:
            outcome = Outcome.COMPLETED
        elif call.direction is Direction.INBOUND and Milestone.FAR_LEFT in call.milestones:
            outcome, cause = caller_gave_up(0, cause.text, requested=call.hangup_q850)
        return end(call, event.at, outcome, cause)
    if event.timer is Timer.RING and call.state in (TRYING, RINGING, EARLY):
        status = forwarded(call.forward, "NOANSWER") if call.direction is Direction.INBOUND else ""
        return end(call, event.at, Outcome.NO_ANSWER, Cause(19, "nobody answered in time", 480), status)
    if event.timer is Timer.GRACE:
        return grace_over(call, event.at)
    if event.timer is Timer.MUSIC:
        return music_due(call)
    if event.timer is Timer.MEDIA:
        return media_due(call, event.ran)
    if event.timer is Timer.SETUP and not call.media_lost and not setup_plan.complete(call):
        if outlives_its_leg(call):
            return lose_media(call, event.at, "new media took too long")
        missing = {Milestone.MEDIA_OFFERED, Milestone.MEDIA_ANSWERED} - call.milestones
        outcome = Outcome.FAILED_MEDIA if missing else Outcome.FAILED_PBX
        detail = Detail.MEDIA_SETUP if missing else None
        return end(call, event.at, outcome, Cause(text="the set-up took too long", detail=detail))
    return call, []


# --- rules: results ----------------------------------------------------------------


@leads_to()
def step_done(call: Call, event: events.StepDone) -> Decision:
    if event.step.of_party:
        return parties.step_done(call, event)
    if of_an_earlier_leg(call, event.step, event.leg):
        return stale_step_done(call, event)
    call = replace(
        call, pending=call.pending - {event.step}, milestones=call.milestones | {setup_plan.GIVES[event.step]}
    )
    told: list[Action] = []
    match event.step:
        case Step.OFFER_MEDIA:
            call = replace(call, media_address=event.address)
        case Step.CREATE_EXTERNAL_MEDIA:
            call = replace(call, external_media_address=event.address)
        case Step.ANSWER_MEDIA:
            call, told = answer_made(call, event.sdp)
        case Step.BRIDGE_EXTERNAL_MEDIA:
            call, told = leg_bridged(call)
        case _:
            pass
    call, steps = advance(call)
    return call, told + steps


@leads_to(UP)
def accepting_step_done(call: Call, event: events.StepDone) -> Decision:
    call, actions = step_done.apply(call, event)
    if event.step is Step.ANSWER_FAR:
        call, told = moved(replace(call, answered_at=event.at), UP)
        actions += [*told, StartTimer(Timer.MEDIA)]
    return call, actions


@leads_to(ENDED)
def step_done_late(call: Call, event: events.StepDone) -> Decision:
    if event.step.of_party:
        return parties.step_done(call, event)
    if of_an_earlier_leg(call, event.step, event.leg):
        return stale_step_done(call, event)
    return release(replace(call, pending=call.pending - {event.step}))


# A refusal of these mostly means that the channel has just ended; its own end says why.
_ON_A_CHANNEL = {Step.BRIDGE_EXTERNAL_MEDIA, Step.BRIDGE_FAR, Step.DIAL_FAR, Step.ANSWER_FAR}


@leads_to(*ENDS)
def step_failed(call: Call, event: events.StepFailed) -> Decision:
    if event.step.of_party:
        return parties.step_failed(call, event)
    if of_an_earlier_leg(call, event.step, event.leg):
        return stale_step_failed(call, event)
    call = _after_failure(call, event)
    refused = event.failure is Failure.REFUSED
    if event.step is Step.RING_FAR:
        return call, []  # the pages ring all the same: no reason to lose a caller
    makes_no_channel = event.step is Step.CREATE_EXTERNAL_MEDIA and refused and event.status >= 500
    if makes_no_channel and (leg := reusable(call)):
        return keep_leg(call, leg, event.reason)
    if event.step.of_leg and outlives_its_leg(call):
        return lose_media(call, event.at, event.reason)
    if refused and event.step in _ON_A_CHANNEL and not pbx_at_fault(event.status):
        return call, [StartTimer(Timer.EXPLAIN)]
    outcome, detail = set_up_failed(event.step, refused=refused, status=event.status)
    return end(call, event.at, outcome, Cause(text=event.reason, detail=detail))


@leads_to(ENDED)
def step_failed_late(call: Call, event: events.StepFailed) -> Decision:
    if event.step.of_party:
        return parties.step_failed(call, event)
    if of_an_earlier_leg(call, event.step, event.leg):
        return stale_step_failed(call, event)
    return release(_after_failure(call, event))


def _after_failure(call: Call, event: events.StepFailed) -> Call:
    """Only after a refusal is it certain that nothing was made."""
    call = replace(call, pending=call.pending - {event.step})
    if event.failure is Failure.REFUSED and event.step in setup_plan.MAKES:
        call = without(call, setup_plan.MAKES[event.step], event.leg)
    return call


@leads_to(*ENDS)
def released_in_call(call: Call, event: events.Released) -> Decision:
    """Of an earlier leg, or of somebody who was to go."""
    if event.resource is Resource.PARTY:
        return parties.gone(call, event.leg, event.at, Outcome.COMPLETED)
    return without(call, event.resource, event.leg), []


@leads_to(ENDED)
def released(call: Call, event: events.Released) -> Decision:
    if event.resource is Resource.PARTY:
        return _let_go(*parties.gone(call, event.leg, event.at, Outcome.COMPLETED))
    return _let_go(*release(without(call, event.resource, event.leg)))


@leads_to()
def not_released(call: Call, event: events.ReleaseFailed) -> Decision:
    """For our user the call is over, but somebody is still on the line: that is told, and taken back when it is so."""
    if event.resource not in (Resource.FAR, Resource.PARTY) or call.left_outcome or call.outcome is Outcome.FAILED_PBX:
        return call, []
    cause = call.cause or Cause()
    if cause.detail is not None:
        return call, []
    return replace(call, cause=dataclasses.replace(cause, detail=Detail.STILL_CONNECTED)), [Notify(StateChanged())]


def _let_go(call: Call, actions: list[Action]) -> Decision:
    """Once nobody is on the line any more, the call's end is told without a but."""
    if call.cause is None or call.cause.detail is not Detail.STILL_CONNECTED:
        return call, actions
    if Resource.FAR in call.allocated or any(party.state is not PartyState.GONE for party in call.parties):
        return call, actions
    return replace(call, cause=dataclasses.replace(call.cause, detail=None)), [*actions, Notify(StateChanged())]


give_far_away, line_changed = parties.give_far_away, connected_line_changed
record, recording_over, recording_refused = recording.record, recording.over, recording.refused


# --- the table -----------------------------------------------------------------------

_COLUMN = {state: column for column, state in enumerate(CallState)}

# fmt: off
TABLE: dict[type[Event], tuple[Rule, ...]] = {
    #                        TRYING           RINGING          EARLY            ACCEPTING        UP               ENDING             ENDED  # noqa: E501
    events.Placed:          (place,           illegal,         illegal,         illegal,         illegal,         illegal,           illegal),  # noqa: E501
    events.Accepted:        (refuse,          accept,          refuse,          refuse,          refuse,          refuse,            refuse),   # noqa: E501
    events.Reoffered:       (renew,           renew,           renew,           renew,           renew,           refuse,            refuse),   # noqa: E501
    events.Declined:        (refuse,          decline,         refuse,          late,            late,            late,              late),     # noqa: E501
    events.HungUp:          (hang_up,         hang_up,         hang_up,         hang_up,         hang_up,         late,              late),     # noqa: E501
    events.DigitsPressed:   (refuse,          press,           press,           refuse,          press,           refuse,            refuse),   # noqa: E501
    events.Held:            (refuse,          refuse,          refuse,          refuse,          parties.hold,    refuse,            refuse),   # noqa: E501
    events.PartyInvited:    (refuse,          refuse,          refuse,          refuse,          parties.invite,  refuse,            refuse),   # noqa: E501
    events.PartyGiven:      (refuse,          refuse,          refuse,          refuse,          parties.take_in, refuse,            refuse),   # noqa: E501
    events.PartyDropped:    (refuse,          refuse,          refuse,          refuse,          parties.drop,    refuse,            refuse),   # noqa: E501
    events.FarGivenAway:    (refuse,          give_far_away,   give_far_away,   refuse,          give_far_away,   refuse,            refuse),   # noqa: E501
    events.Left:            (refuse,          refuse,          refuse,          refuse,          parties.leave,   refuse,            refuse),   # noqa: E501
    events.RecordingRequested:  (refuse,          refuse,          refuse,          refuse,          record,          refuse,            refuse),   # noqa: E501
    events.Arrived:         (arrive,          illegal,         illegal,         illegal,         illegal,         illegal,           illegal),  # noqa: E501
    events.PagesRang:       (pages_rang,      illegal,         illegal,         illegal,         illegal,         pages_rang_late,   pages_rang_late),  # noqa: E501
    events.StasisStarted:  (channel_entered, channel_entered, channel_entered, channel_entered, channel_entered, late,              late),     # noqa: E501
    events.ChannelReplaced: (late,            late,            late,            late,            parties.replaced, late,             late),     # noqa: E501
    events.ConnectedLineChanged: (line_changed, line_changed,  line_changed,    line_changed,    line_changed,    late,              late),     # noqa: E501
    events.StasisEnded:     (channel_left,    channel_left,    channel_left,    channel_left,    channel_left,    late,              late),     # noqa: E501
    events.ChannelDestroyed:     (channel_gone,    channel_gone,    channel_gone,    channel_gone,    channel_gone,    channel_gone_late, late),     # noqa: E501
    events.FarRinging:      (far_rings,       late,            late,            late,            late,            late,              late),     # noqa: E501
    events.FarProgress:     (far_progresses,  far_progresses,  late,            late,            late,            late,              late),     # noqa: E501
    events.EarlyMedia:      (late,            early_media,     late,            late,            late,            late,              late),     # noqa: E501
    events.FarAnswered:     (far_answers,     far_answers,     far_answers,     late,            late,            late,              late),     # noqa: E501
    events.FarFailed:       (far_fails,       far_fails,       far_fails,       late,            late,            late,              late),     # noqa: E501
    events.FarHangsUp:      (far_hangs_up,    far_hangs_up,    far_hangs_up,    far_hangs_up,    far_hangs_up,    late,              late),     # noqa: E501
    events.FarDigit:        (late,            late,            far_digit,       late,            far_digit,       late,              late),     # noqa: E501
    events.FarHeld:         (late,            late,            late,            late,            far_holds,       late,              late),     # noqa: E501
    events.PartyRang:       (late,            late,            late,            late,            parties.rang,    late,              late),     # noqa: E501
    events.PartyAnswered:   (late,            late,            late,            late,            parties.answered, late,             late),     # noqa: E501
    events.PartyFailed:     (late,            late,            late,            late,            parties.failed,  late,              late),     # noqa: E501
    events.PartyHangsUp:    (late,            late,            late,            late,            parties.hangs_up, late,             late),     # noqa: E501
    events.RecordingEnded:  (late,            late,            late,            late,            recording_over,  late,              late),     # noqa: E501
    events.OwnerLost:       (owner_lost,      owner_lost,      owner_lost,      owner_lost,      owner_lost,      late,              late),     # noqa: E501
    events.OwnerBack:       (owner_back,      owner_back,      owner_back,      owner_back,      owner_back,      late,              late),     # noqa: E501
    events.MediaLost:       (media_lost,      media_lost,      media_lost,      media_lost,      media_lost,      late,              late),     # noqa: E501
    events.MediaChecked:    (media_checked,   media_checked,   media_checked,   media_checked,   media_checked,   late,              late),     # noqa: E501
    events.PbxLost:         (pbx_lost,        pbx_lost,        pbx_lost,        pbx_lost,        pbx_lost,        late,              late),     # noqa: E501
    events.TimerFired:      (timer,           timer,           timer,           timer,           timer,           late,              late),     # noqa: E501
    events.StepDone:        (step_done,       step_done,       step_done,       accepting_step_done, step_done,   step_done_late,    illegal),  # noqa: E501
    events.StepFailed:      (step_failed,     step_failed,     step_failed,     step_failed,     step_failed,     step_failed_late,  illegal),  # noqa: E501
    events.MuteFailed:      (late,            late,            late,            late,            parties.mute_failed, late,          late),     # noqa: E501
    events.RecordingRefused: (late,           late,            late,            late,            recording_refused, late,            late),     # noqa: E501
    events.ReleaseFailed:   (late,            late,            late,            late,            late,            not_released,      late),     # noqa: E501
    events.Released:        (released_in_call, released_in_call, released_in_call, released_in_call, released_in_call, released,     late),     # noqa: E501
}
# fmt: on
