"""What becomes of a call when its process has died: decided from its record, Asterisk and rtpengine. Pure.

The record has what only we know: who calls whom, since when, which page owns it. Asterisk has the channels and who is
bridged, rtpengine the media sessions. `recover` makes one call of the three, and the actions that it needs now:

* a call that was ending is released; one whose far side is gone ends, unless other parties remain;
* an inbound call that was not answered rings again;
* an outbound call that had not reached the far side ends;
* any other continues; without a whole media leg its page is asked for a new offer.

What belongs to no call at all is not decided here (`inventory`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.fsm import decisions, setup_plan
from ari_bridge.fsm.actions import Action, CheckMedia, Mute, PlayMusic, StartTimer
from ari_bridge.fsm.call import (
    Call,
    CallState,
    Direction,
    MediaLeg,
    Milestone,
    Party,
    PartyState,
    Resource,
    Step,
)
from ari_bridge.fsm.decisions import ACCEPTING, EARLY, ENDING, RINGING, TRYING, UP, Decision
from ari_bridge.fsm.events import PhoneAnswered, Timer
from ari_bridge.fsm.rules import near, parties, phones
from ari_bridge.fsm.rules.connected import identified
from ari_bridge.ids import Kind, leg_number, parse_resource_id, resource_id, stem_of
from ari_bridge.outcomes import Cause, Outcome


@dataclass(frozen=True)
class PbxSnapshot:
    """What Asterisk and rtpengine have at one moment, by name. `legs`: of rtpengine; None if none could be asked."""

    channels: Mapping[str, Channel]
    bridges: Mapping[str, Bridge]
    legs: frozenset[str] | None = None


_FAR_IN_STASIS = frozenset({Milestone.FAR_CREATED, Milestone.FAR_ENTERED})
_WHOLE_LEG = frozenset({Resource.EXTERNAL_MEDIA, Resource.MEDIA_SESSION})
_ALL_LEG_STEPS = frozenset(setup_plan.MEDIA_LEG)
_LEG_BRIDGED = frozenset({Milestone.EXTERNAL_MEDIA_ENTERED, *(setup_plan.GIVES[step] for step in _ALL_LEG_STEPS)})
_PHONE_RINGS = frozenset(
    {Milestone.PHONE_WANTED, Milestone.PHONE_CREATED, Milestone.PHONE_ENTERED, Milestone.PHONE_DIALLED}
)
_CALLER_RINGS = _FAR_IN_STASIS | {Milestone.PAGES_RING, Milestone.FAR_RUNG}


def recover(record: Call, snapshot: PbxSnapshot, at: float, given_away: frozenset[str] = frozenset()) -> Decision:
    """The call as it is, and the actions that it needs now. `at`: Unix seconds.

    `given_away`: the channels that are a party of another call: a process that died while it gave one over has saved it
    with both calls.
    """
    found = _with_allocated(record, snapshot)
    far = snapshot.channels.get(record.far_channel)
    if record.far_channel in given_away:
        found = replace(found, allocated=found.allocated - {Resource.FAR})
        if record.outcome is None:
            return decisions.end(found, at, Outcome.TRANSFERRED)
    if record.outcome is not None:
        return decisions.release(replace(found, state=ENDING))
    if record.near and not record.left_outcome and Resource.NEAR not in found.allocated:
        return near.hung_up(found, at, Cause(text="the SIP client hung up while the server was down"))
    if record.parties and record.state is UP:
        return _continue_with_parties(found, at, snapshot)
    if far is None:
        return _ended_meanwhile(found, at)
    if record.direction is Direction.INBOUND and record.state is not UP and not _was_answered(found, far, snapshot):
        return _continue(found, ACCEPTING, at, snapshot) if record.near else _ring_again(found, at, snapshot)
    state = _state(record, far)
    if state is TRYING:
        return decisions.end(found, at, Outcome.FAILED_PBX, Cause(text="the server was restarted during the set-up"))
    return _continue(found, state, at, snapshot)


def _with_allocated(record: Call, snapshot: PbxSnapshot) -> Call:
    """The record with those of its resources that exist."""
    holds = set()
    if record.far_channel in snapshot.channels:
        holds.add(Resource.FAR)
    if record.near and record.near.id in snapshot.channels:
        holds.add(Resource.NEAR)
    elif record.phone and record.phone_channel in snapshot.channels:
        holds.add(Resource.PHONE)
    if resource_id(record.id, Kind.BRIDGE) in snapshot.bridges:
        holds.add(Resource.BRIDGE)
    leg, old_legs = _legs_found(record, snapshot)
    last = max([record.last_leg, *(one.number for one in old_legs)])
    parties = tuple(_as_found(party, snapshot, record) for party in record.parties)
    return replace(record, allocated=frozenset(holds), leg=leg, old_legs=old_legs, last_leg=last, parties=parties)


def _legs_found(record: Call, snapshot: PbxSnapshot) -> tuple[MediaLeg | None, tuple[MediaLeg, ...]]:
    """The present media leg of the record, and earlier ones, with what exists of each."""
    stem = stem_of(record.id)
    found: dict[int, set[Resource]] = {}
    for resource, names in (
        (Resource.EXTERNAL_MEDIA, snapshot.channels),
        (Resource.MEDIA_SESSION, snapshot.legs or ()),
    ):
        for name in names:
            if parse_resource_id(name) == (stem, Kind.EXTERNAL_MEDIA):
                found.setdefault(leg_number(name), set()).add(resource)
    leg = record.leg and replace(record.leg, allocated=frozenset(found.pop(record.leg.number, ())))
    return leg, tuple(MediaLeg(number, allocated=frozenset(found[number])) for number in sorted(found))


def _as_found(party: Party, snapshot: PbxSnapshot, record: Call) -> Party:
    """No request for it is pending any more. In a call that continues, its end is yet to be handled."""
    if party.state is PartyState.GONE:
        return party
    if record.outcome is not None and party.channel not in snapshot.channels:
        outcome = party.leaving_outcome or Outcome.COMPLETED
        return replace(party, state=PartyState.GONE, outcome=outcome, leaving_outcome=None, pending=frozenset())
    return replace(party, pending=frozenset(), releasing=False)


def _state(record: Call, far: Channel) -> CallState:
    """The record's state, or a later one if the far side rang or answered meanwhile."""
    if far.state == "Up" or record.state is UP:
        return UP
    if far.state == "Ringing" and record.state is not EARLY:
        return RINGING
    return record.state


def _was_answered(call: Call, far: Channel, snapshot: PbxSnapshot) -> bool:
    """Whether the caller talks to the page that accepted, though our process died before it saw the answer.

    Up alone does not say so: the dialplan may have answered before the caller came to us. But answering is the last
    step, and needs both in the bridge.
    """
    both = {call.far_channel, call.near_channel}
    return call.state is ACCEPTING and far.state == "Up" and both <= _members(call, snapshot)


def _ended_meanwhile(call: Call, at: float) -> Decision:
    cause = Cause(text="it ended while the server was down")
    if call.state is UP:
        return decisions.end(call, at, Outcome.COMPLETED, cause)
    if call.direction is Direction.INBOUND:
        return decisions.end(call, at, Outcome.CANCELLED, cause)
    return decisions.end(call, at, Outcome.NO_ANSWER if call.ringing_at else Outcome.UNREACHABLE, cause)


def _ring_again(call: Call, at: float, snapshot: PbxSnapshot) -> Decision:
    """A caller who is not answered yet: the pages ring once they are back, and media is set up anew."""
    call = decisions.supersede_leg(call)
    reached = _CALLER_RINGS | ({Milestone.BRIDGE_CREATED} if Resource.BRIDGE in call.allocated else set())
    phone = snapshot.channels.get(call.phone_channel) if Resource.PHONE in call.allocated else None
    if phone:
        reached |= _PHONE_RINGS if phone.state != "Down" else _PHONE_RINGS - {Milestone.PHONE_DIALLED}
    users = call.users or frozenset({call.target})
    call = replace(
        call,
        state=RINGING,
        user=None,
        session=None,
        users=users,
        milestones=reached,
    )
    call = replace(call, started=_steps_done(call, reached))
    call, releases = decisions.release_old_legs(call)
    call, steps = decisions.advance(call)
    actions: list[Action] = [*releases, *steps, StartTimer(Timer.RING)]
    if phone and phone.state == "Up":
        call, answered = phones.phone_answers.apply(call, PhoneAnswered(at))
        actions += answered
    return call, actions


def _members(call: Call, snapshot: PbxSnapshot) -> set[str]:
    """The channels in the call's bridge; none if it does not exist."""
    bridge = snapshot.bridges.get(resource_id(call.id, Kind.BRIDGE))
    return set(bridge.channels) if bridge else set()


def _continue_with_parties(call: Call, at: float, snapshot: PbxSnapshot) -> Decision:
    """A call that has, or had, further parties: what happened to them meanwhile is handled as events are."""
    call, actions = _continue(call, UP, at, snapshot)
    members = _members(call, snapshot)
    if Resource.FAR not in call.allocated:
        call, more = parties.far_destroyed(
            call, at, Outcome.COMPLETED, Cause(text="it ended while the server was down")
        )
        actions += more
    for number in [party.number for party in call.parties]:
        party = call.party(number)  # as it is now: the others may have affected it
        if party is None or party.state is PartyState.GONE or not call.state.live:
            continue
        call, more = _continue_party(call, party, snapshot.channels.get(party.channel), members, at)
        actions += more
    return call, actions


def _continue_party(call: Call, party: Party, channel: Channel | None, members: set[str], at: float) -> Decision:
    # A dialled party may not ring yet; one that was not dialled, though it was to be, is removed as not answering.
    dialled = Step.DIAL_PARTY in party.started or (channel is not None and channel.state != "Down")
    asked = {Step.CREATE_PARTY, Step.DIAL_PARTY} if dialled else {Step.CREATE_PARTY}
    if party.channel in members:
        asked.add(Step.BRIDGE_PARTY)
    party = replace(party, started=frozenset(asked))
    call = decisions.with_party(call, party)
    if channel is None:
        return parties.destroyed(call, party.number, at, Outcome.COMPLETED if party.talking else Outcome.UNREACHABLE)
    if party.leaving_outcome is not None:
        return decisions.release_parties(call)
    if channel.state == "Up":
        return parties.resume_answered(call, party.number, at)
    if not dialled:
        return parties.ring_timeout(call, party.number, at)
    return call, [StartTimer(Timer.PARTY, party.number)]


def _continue(call: Call, state: CallState, at: float, snapshot: PbxSnapshot) -> Decision:
    leg = call.leg
    if leg and (media := snapshot.channels.get(call.near_channel)):  # the connected line may have changed meanwhile
        line = media.connected
        call, _ = identified(replace(call, state=state), Resource.EXTERNAL_MEDIA, leg.ref, line.number, line.name)
    members = _members(call, snapshot)
    reached = {*_CALLER_RINGS, Milestone.ACCEPTED, Milestone.ANSWER_SENT, Milestone.FAR_DIALLED}
    if Resource.BRIDGE in call.allocated:
        reached.add(Milestone.BRIDGE_CREATED)
    if call.far_channel in members or Resource.FAR not in call.allocated:  # destroyed, while others remain
        reached.add(Milestone.FAR_BRIDGED)
    if state is UP:
        reached.add(Milestone.FAR_ANSWERED)
        call = replace(call, answered_at=call.answered_at or at)
    whole = _WHOLE_LEG - ({Resource.MEDIA_SESSION} if snapshot.legs is None else set())
    if call.left_outcome:
        call = decisions.supersede_leg(call)
    elif call.near:
        if call.near.id in members:
            reached.add(Milestone.NEAR_BRIDGED)
    elif leg and call.near_channel in members and whole <= leg.allocated:
        call = replace(call, leg=replace(leg, milestones=_LEG_BRIDGED, started=_ALL_LEG_STEPS, allocated=_WHOLE_LEG))
    else:
        call = replace(decisions.supersede_leg(call), media_lost=True)
    away = call.session is not None and not call.left_outcome
    call = replace(
        call, state=state, owner_away=away, milestones=frozenset(reached), started=_steps_done(call, reached)
    )
    call, _ = decisions.update_sound(call)
    call, steps = decisions.advance(call)
    call, releases = decisions.release_old_legs(call)
    call, hangs_up = phones.release_phone(call)  # it rang beside the page that has the call
    timers: list[Action] = []
    if away or call.media_lost:
        timers += [StartTimer(Timer.GRACE), StartTimer(Timer.MUSIC)]
    if state is UP and not call.left_outcome:
        timers += decisions.watch_media(call)
        if away and not call.media_lost:
            timers.append(CheckMedia())  # the grace must not end a call on unchecked assumptions
    if state is not UP:
        timers.append(StartTimer(Timer.SETUP if state is ACCEPTING else Timer.RING))
    if state is RINGING:
        timers += decisions.await_early_media(call)
    return call, [*steps, *releases, *hangs_up, *timers, *_correct_sound(call)]


def _correct_sound(call: Call) -> list[Action]:
    """Set music and isolation as they should be, whatever the earlier process has left."""
    if call.state is not UP:
        return []
    sounds: list[Action] = [PlayMusic(call.moh_on)]
    return sounds if call.left_outcome or call.media_lost else [*sounds, Mute(call.isolated)]


def _steps_done(call: Call, reached: set[Milestone] | frozenset[Milestone]) -> frozenset[Step]:
    """The steps whose milestones are reached: they are not started again."""
    return frozenset(step for step in setup_plan.plan_of(call) if setup_plan.GIVES[step] in reached)
