"""Rules of hold, transfer and conference: calls with further parties. Pure.

Our media leg, the far side and every further party are in the one bridge of the call. A party is called outside of it,
and added when it answers. A (blind) transfer adds a party that takes our side's place: once it is in the bridge our
side leaves, and the others continue; if it cannot be reached, the far side has only heard music. An attended transfer
is the same with a party that another call gives over.
"""

from msgspec.structs import replace

from ari_bridge.errors import InvalidRequest, TooMany, WrongState
from ari_bridge.fsm import events
from ari_bridge.fsm.actions import Action, CancelTimer, Do, Notify, Release, StartTimer
from ari_bridge.fsm.call import Call, Direction, Milestone, Party, PartyRef, PartyState, Resource, Step
from ari_bridge.fsm.decisions import (
    ENDS,
    Decision,
    check_present,
    count_talking,
    end,
    leads_to,
    release,
    release_near,
    release_old_legs,
    release_parties,
    setup_failure,
    supersede_leg,
    update_sound,
    with_party,
)
from ari_bridge.fsm.events import Failure, Timer
from ari_bridge.fsm.notifications import HoldChanged, PartyChanged, RequestRefused, StateChanged, TransferEnded
from ari_bridge.fsm.rules.near import check_not_held_there
from ari_bridge.guest_names import shown_name
from ari_bridge.ids import party_id
from ari_bridge.outcomes import Cause, Detail, Outcome, far_ended, pbx_at_fault

MAX_PARTIES = 8
"""At the same time, besides our side and the far side. A mixing bridge of Asterisk could take more."""
MAX_PARTIES_EVER = 64
"""Over the life of one call: its row has them all."""
FAR_PARTY = 1


# --- hold ---------------------------------------------------------------------------


@leads_to()
def hold(call: Call, event: events.Held) -> Decision:
    check_present(call)
    if event.held is call.held:
        return call, []
    check_not_held_there(call)
    call, sound = update_sound(replace(call, held=event.held))
    return call, [*sound, Notify(HoldChanged(by_us=True))]


@leads_to(*ENDS)
def mute_failed(call: Call, event: events.MuteFailed) -> Decision:
    """Our side is not isolated, or still is: what that was for is not reported as done."""
    if event.on is not call.isolated or call.left_outcome:
        return call, []  # something else was requested meanwhile
    call = replace(call, isolated=not event.on)
    taker = call.party(call.transferring)
    if event.on and taker and taker.present:
        return _dismiss(call, taker, Outcome.FAILED_PBX, event.at, Detail.PBX_REFUSES)
    call, sound = update_sound(replace(call, held=not event.on))
    return call, [*sound, Notify(RequestRefused("hold", event.reason)), Notify(HoldChanged(by_us=True))]


# --- a party is added ----------------------------------------------------------------


@leads_to()
def invite(call: Call, event: events.PartyInvited) -> Decision:
    _check_room(call, event.transfer)
    present = [far_identity(call)[0]] if call.far_present else []
    if event.target in [*present, *(party.target for party in call.parties if party.present)]:
        raise InvalidRequest(f"{event.target} is in the call already.", field="target")
    # In a transfer the two parties see each other, not our side, which leaves.
    number, name = far_identity(call) if event.transfer else (shown_name(call.user or call.caller), "")
    new = len(call.parties) + 2
    party = Party(
        number=new,
        channel=party_id(call.id, new),
        target=event.target,
        created_at=event.at,
        endpoint=event.endpoint,
        caller=number,
        caller_name=name,
        started=frozenset({Step.CREATE_PARTY}),
        pending=frozenset({Step.CREATE_PARTY}),
    )
    call = replace(call, parties=(*call.parties, party), transferring=new if event.transfer else call.transferring)
    call, sound = update_sound(call)
    return call, [Do(Step.CREATE_PARTY, party.ref), StartTimer(Timer.PARTY, new), *sound, Notify(PartyChanged(new))]


def far_identity(call: Call) -> tuple[str, str]:
    """The far side's number and name, as shown to others."""
    if call.far_number:
        return call.far_number, call.far_name
    return (call.target, "") if call.endpoint else (call.caller, call.caller_name)


def near_identity(call: Call) -> tuple[str, str]:
    """Our side's number and name, as shown to those that it is bridged with."""
    outbound = call.direction is Direction.OUTBOUND
    return (call.caller, call.caller_name) if outbound else (shown_name(call.user or call.target), "")


@leads_to()
def add_given(call: Call, event: events.PartyGiven) -> Decision:
    _check_room(call, event.transfer)
    new = len(call.parties) + 2
    party = Party(
        number=new,
        channel=event.channel,
        target=event.target,
        created_at=event.at,
        name=event.name,
        state=event.state,
        started=frozenset({Step.CREATE_PARTY, Step.DIAL_PARTY}),
        answered_at=event.at if event.state is PartyState.UP else None,
    )
    call = replace(call, parties=(*call.parties, party), transferring=new if event.transfer else call.transferring)
    actions: list[Action] = [] if event.state is PartyState.UP else [StartTimer(Timer.PARTY, new)]
    if call.held and not event.transfer:  # all three are to talk
        call = replace(call, held=False)
        actions.append(Notify(HoldChanged(by_us=True)))
    call, sound = update_sound(call)
    call, steps = _join(call, party)
    return call, [*actions, *sound, *steps, Notify(PartyChanged(new))]


def _check_room(call: Call, transfer: bool) -> None:
    check_present(call)
    if call.transferring:
        raise WrongState("The call is being transferred already.", field="callId")
    here = sum(party.present for party in call.parties)
    if transfer and here:
        raise WrongState("A call of several parties cannot be transferred: leave it, and they go on.", field="callId")
    if transfer and not call.far_present:
        raise WrongState("The other side is leaving.", field="callId")
    if here >= MAX_PARTIES or len(call.parties) >= MAX_PARTIES_EVER:
        raise TooMany(f"There are {here} parties in the call already.", field="callId")


def _join(call: Call, party: Party) -> Decision:
    """Add a party that has answered to the bridge."""
    if not party.talking or Step.BRIDGE_PARTY in party.started:
        return call, []
    return _start_step(call, party, Step.BRIDGE_PARTY)


def _start_step(call: Call, party: Party, step: Step) -> Decision:
    party = replace(party, started=party.started | {step}, pending=party.pending | {step})
    return with_party(call, party), [Do(step, party.ref)]


# --- what is observed of a party --------------------------------------------------------------------


def entered(call: Call, number: int) -> Decision:
    """Its channel takes commands now."""
    party = call.party(number)
    if party is None or not party.present or Step.DIAL_PARTY in party.started:
        return call, []
    return _start_step(call, party, Step.DIAL_PARTY)


@leads_to()
def replaced(call: Call, event: events.ChannelReplaced) -> Decision:
    """Asterisk has put the replacing channel into the bridge already."""
    if not isinstance(event.target, PartyRef):
        facts = call.milestones - {Milestone.FAR_LEFT}
        call = replace(call, far_channel=event.channel, far_number=event.number, far_name=event.name, milestones=facts)
        return call, [CancelTimer(Timer.EXPLAIN), Notify(PartyChanged(FAR_PARTY))]
    party = call.party(event.target.number)
    if party is None or not party.present:
        return call, []
    party = replace(party, channel=event.channel, target=event.number or party.target, name=event.name)
    return with_party(call, party), [CancelTimer(Timer.EXPLAIN, party.number), Notify(PartyChanged(party.number))]


def left_stasis(call: Call, number: int) -> Decision:
    """Its channel takes no commands any more: its destruction follows, with the cause, or it continues elsewhere."""
    return call, [StartTimer(Timer.EXPLAIN, number)]


@leads_to()
def ringing(call: Call, event: events.PartyRang) -> Decision:
    party = call.party(event.party)
    if party is None or party.state is not PartyState.CALLED:
        return call, []
    return with_party(call, replace(party, state=PartyState.RINGING)), [Notify(PartyChanged(party.number))]


def resume_answered(call: Call, number: int, at: float) -> Decision:
    """It is up, as found after a gap in the events; it may have to be bridged yet."""
    party = call.party(number)
    if party is None or not party.present:
        return call, []
    if party.state is not PartyState.UP:
        return answered.apply(call, events.PartyAnswered(at, number))
    if Step.BRIDGE_PARTY in party.started and call.transferring == number:
        return _transfer_done(call, party, at)
    return _join(call, party)


@leads_to()
def answered(call: Call, event: events.PartyAnswered) -> Decision:
    party = call.party(event.party)
    if party is None or not party.present or party.state is PartyState.UP:
        return call, []
    party = replace(party, state=PartyState.UP, answered_at=event.at)
    call, steps = _join(with_party(call, party), party)
    return call, [*steps, CancelTimer(Timer.PARTY, party.number), Notify(PartyChanged(party.number))]


@leads_to()
def failed(call: Call, event: events.PartyFailed) -> Decision:
    party = call.party(event.party)
    if party is None:
        return call, []
    moved_to = event.forward or party.redirected_to
    return with_party(call, replace(party, dial_status=event.dial_status, redirected_to=moved_to)), []


@leads_to()
def hangs_up(call: Call, event: events.PartyHangsUp) -> Decision:
    party = call.party(event.party)
    return (with_party(call, replace(party, hangup_q850=event.q850)) if party else call), []


def ring_timeout(call: Call, number: int, at: float) -> Decision:
    party = call.party(number)
    if party is None or not party.present or party.state is PartyState.UP:
        return call, []
    return _dismiss(call, party, Outcome.NO_ANSWER, at)


def unexplained(call: Call, number: int, at: float) -> Decision:
    """Its channel left our application and was not destroyed: it is elsewhere, and out of the call."""
    party = call.party(number)
    if party is None or not party.present:
        return call, []
    return _dismiss(call, party, Outcome.COMPLETED if party.talking else Outcome.UNREACHABLE, at)


# --- a party's requests come back ------------------------------------------------------------


def step_done(call: Call, number: int, event: events.StepDone) -> Decision:
    party = call.party(number)
    if party is None:
        return call, []
    party = replace(party, pending=party.pending - {event.step})
    call = with_party(call, party)
    if not call.state.live:
        return release(call)
    if not party.present:
        return release_parties(call)
    if event.step is not Step.BRIDGE_PARTY:
        return call, []
    if call.transferring == party.number:
        return _transfer_done(call, party, event.at)
    return update_sound(call)


def step_failed(call: Call, number: int, event: events.StepFailed) -> Decision:
    party = call.party(number)
    if party is None:
        return call, []
    party = replace(party, pending=party.pending - {event.step})
    call = with_party(call, party)
    refused = event.failure is Failure.REFUSED
    outcome, detail = setup_failure(event.step, refused=refused, status=event.status)
    if refused and event.step is Step.CREATE_PARTY:
        return destroyed(call, party.number, event.at, outcome, detail)
    if not call.state.live:
        return release(call)
    if not party.present:
        return release_parties(call)
    if refused and event.step is Step.DIAL_PARTY and not pbx_at_fault(event.status):
        return call, []  # mostly destroyed just now: that event has the cause. Otherwise its ring timer ends it
    return _dismiss(call, party, outcome, event.at, detail)


def _transfer_done(call: Call, taker: Party, at: float) -> Decision:
    """The transfer has succeeded: our side leaves, unless it has left already."""
    call = replace(call, transferring=0)
    call, actions = update_sound(call) if call.left_outcome else _leave(call, at, Outcome.TRANSFERRED)
    return call, [Notify(TransferEnded(taker.number, None)), *actions]


# --- a participant leaves -----------------------------------------------------------------------------


@leads_to(*ENDS)
def drop(call: Call, event: events.PartyDropped) -> Decision:
    check_present(call)
    if event.party == FAR_PARTY and call.far_present:
        return _drop_far(call, event.at)
    party = call.party(event.party)
    if party is None or not party.present:
        raise InvalidRequest(f"There is no party {event.party} in the call.", field="party")
    return _dismiss(call, party, Outcome.COMPLETED if party.talking else Outcome.CANCELLED, event.at)


def _drop_far(call: Call, at: float) -> Decision:
    if not any(party.present and party.number != call.transferring for party in call.parties):
        return end(call, at, Outcome.COMPLETED)
    # Its destruction comes back as that of a far side that hung up.
    facts = call.milestones | {Milestone.FAR_LEFT}
    call, released = _release_far(replace(call, milestones=facts))
    call, sound = update_sound(call)
    return call, [*released, *sound]


def _release_far(call: Call) -> Decision:
    if Resource.FAR in call.releasing or Resource.FAR not in call.allocated:
        return call, []
    return replace(call, releasing=call.releasing | {Resource.FAR}), [Release(Resource.FAR)]


def _dismiss(call: Call, party: Party, outcome: Outcome, at: float, detail: Detail | None = None) -> Decision:
    """The party is removed with this outcome; listeners are notified once its channel is destroyed."""
    call, releases = release_parties(with_party(call, replace(party, leaving_outcome=outcome, detail=detail)))
    call, actions = _fail_transfer(call, party, outcome)
    call, sound = update_sound(call)
    call, rest = _end_if_alone(call, at)
    return call, [CancelTimer(Timer.PARTY, party.number), *releases, *actions, *sound, *rest]


def destroyed(call: Call, number: int, at: float, outcome: Outcome, detail: Detail | None = None) -> Decision:
    """The party's channel is destroyed."""
    party = call.party(number)
    if party is None or party.state is PartyState.GONE:
        return call, []
    was_here = party.present
    if party.leaving_outcome is not None:
        outcome, detail = party.leaving_outcome, party.detail
    party = replace(
        party,
        state=PartyState.GONE,
        leaving_outcome=None,
        outcome=outcome,
        detail=detail,
        ended_at=at,
        pending=frozenset(),
    )
    call = with_party(call, party)
    if not call.state.live:
        return release(call)
    call, actions = _fail_transfer(call, party, outcome) if was_here else (call, [])
    call, sound = update_sound(call)
    call, rest = _end_if_alone(call, at)
    return call, [CancelTimer(Timer.PARTY, number), Notify(PartyChanged(number)), *actions, *sound, *rest]


def channel_destroyed(call: Call, number: int, event: events.ChannelDestroyed) -> Decision:
    """ARI ChannelDestroyed of a party's channel."""
    party = call.party(number)
    if party is None:
        return call, []
    up, rang_once = party.state is PartyState.UP, party.state is PartyState.RINGING
    outcome, cause = far_ended(
        event.q850,
        event.text,
        party.dial_status,
        requested=party.hangup_q850,
        sip=event.sip,
        forward=party.redirected_to,
        rang=rang_once,
        answered=up,
    )
    return destroyed(call, number, event.at, outcome, cause.detail)


def far_destroyed(call: Call, at: float, outcome: Outcome, cause: Cause) -> Decision:
    """The far side is out of the call; other parties continue."""
    call, sound = update_sound(call)
    call, rest = _end_if_alone(call, at, outcome, cause)
    if not call.state.live:
        return call, [*sound, *rest]
    call, released = _release_far(call)  # its channel may be elsewhere in Asterisk
    return call, [*released, *sound, Notify(PartyChanged(FAR_PARTY))]


def _fail_transfer(call: Call, party: Party, outcome: Outcome) -> Decision:
    if call.transferring != party.number:
        return call, []
    return replace(call, transferring=0), [Notify(TransferEnded(party.number, outcome))]


def _end_if_alone(call: Call, at: float, outcome: Outcome = Outcome.COMPLETED, cause: Cause | None = None) -> Decision:
    """End the call if fewer than two participants remain."""
    others = sum(party.present for party in call.parties) + call.far_present
    if call.left_outcome:
        return (call, []) if others >= 2 else end(call, at, outcome, cause)
    return (call, []) if others - bool(call.transferring) >= 1 else end(call, at, outcome, cause)


# --- our side leaves ---------------------------------------------------------------------------


@leads_to()
def leave(call: Call, event: events.Left) -> Decision:
    check_present(call)
    if not call.transferring and count_talking(call) < 2:
        raise WrongState("Only one party is there: hang up, or wait until there are two.", field="callId")
    return _leave(call, event.at, Outcome.TRANSFERRED if call.transferring else Outcome.COMPLETED)


def leave_lost(call: Call, at: float, outcome: Outcome = Outcome.LOST) -> Decision:
    """The page, or its media, did not come back in time; the others continue."""
    return _leave(call, at, outcome)


def _leave(call: Call, at: float, outcome: Outcome) -> Decision:
    call = replace(
        supersede_leg(call),
        left_outcome=outcome,
        left_at=at,
        held=False,
        isolated=False,
        client_silent=False,
        media_lost=False,
    )
    call, releases = release_old_legs(call)
    call, hangs_up = release_near(call)
    call, sound = update_sound(call)
    timers: list[Action] = [CancelTimer(timer) for timer in (Timer.GRACE, Timer.MUSIC, Timer.MEDIA)]
    return call, [Notify(StateChanged()), *releases, *hangs_up, *sound, *timers]


# --- the far side is given to another call -------------------------------------------------------


@leads_to(*ENDS)
def give_far_away(call: Call, event: events.FarGivenAway) -> Decision:
    call = replace(call, allocated=call.allocated - {Resource.FAR}, releasing=call.releasing - {Resource.FAR})
    return end(call, event.at, Outcome.TRANSFERRED)
