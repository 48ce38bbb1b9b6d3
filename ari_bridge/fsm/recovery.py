"""What a call is after our process has died and come back: told from its record, Asterisk and rtpengine.

The record has what nobody else knows: who calls whom, since when, whose page holds it. Asterisk has the
channels and who is bridged, rtpengine the media sessions. `recover` makes one call of the three. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from ari_bridge.ari.models import Bridge, Channel
from ari_bridge.fsm import decisions, setup_plan
from ari_bridge.fsm.actions import Action, AwaitEarlyMedia, CheckMedia, Mute, PlayMusic, StartTimer
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
from ari_bridge.fsm.decisions import ACCEPTING, EARLY, ENDING, RINGING, TRYING, UP, Decision
from ari_bridge.fsm.events import Timer
from ari_bridge.fsm.rules import parties
from ari_bridge.fsm.rules.connected import identified
from ari_bridge.ids import Kind, leg_id, leg_number, parse_resource_id, resource_id, stem_of
from ari_bridge.outcomes import Cause, Outcome


@dataclass(frozen=True)
class PbxSnapshot:
    """What stands at this moment, by name. `legs`: of rtpengine; None where no rtpengine could be asked."""

    channels: Mapping[str, Channel]
    bridges: Mapping[str, Bridge]
    legs: frozenset[str] | None = None


_FAR_IN_STASIS = frozenset({Milestone.FAR_CREATED, Milestone.FAR_ENTERED})
_CALLER_RINGS = _FAR_IN_STASIS | {Milestone.PAGES_RING, Milestone.FAR_RUNG}


def recover(record: Call, seen: PbxSnapshot, at: float, given_away: frozenset[str] = frozenset()) -> Decision:
    """The call as it stands, and what it wants done now. `at`: Unix seconds.

    `given_away`: the channels that are a party of another call: a process that died while it gave one over has
    saved it with both.
    """
    found = _with_allocated(record, seen)
    far = seen.channels.get(record.far_channel)
    if record.far_channel in given_away:
        found = replace(found, allocated=found.allocated - {Resource.FAR})
        if record.outcome is None:
            return decisions.end(found, at, Outcome.TRANSFERRED)
    if record.outcome is not None:
        return decisions.release(replace(found, state=ENDING))
    if record.parties and record.state is UP:
        return _continue_with_parties(found, at, seen)
    if far is None:
        return _ended_meanwhile(found, at)
    if record.direction is Direction.INBOUND and record.state is not UP and not _was_answered(found, far, seen):
        return _ring_again(found)
    state = _state(record, far)
    if state is TRYING:
        return decisions.end(found, at, Outcome.FAILED_PBX, Cause(text="the server was restarted during the set-up"))
    return _continue(found, state, at, seen)


def _with_allocated(record: Call, seen: PbxSnapshot) -> Call:
    """The record with what is there of its resources; legs but its last one are spare."""
    holds, stem = set(), stem_of(record.id)
    if record.far_channel in seen.channels:
        holds.add(Resource.FAR)
    if resource_id(record.id, Kind.BRIDGE) in seen.bridges:
        holds.add(Resource.BRIDGE)
    spare = set()
    for resource, names in ((Resource.EXTERNAL_MEDIA, seen.channels), (Resource.MEDIA_SESSION, seen.legs or ())):
        for name in names:
            parsed = parse_resource_id(name)
            if parsed == (stem, Kind.EXTERNAL_MEDIA):
                spare.add(SupersededResource(resource, leg_number(name)))
    present = {one for one in spare if one.leg == record.leg}
    holds |= {one.resource for one in present}
    parties = tuple(_as_found(party, seen, record) for party in record.parties)
    return replace(record, allocated=frozenset(holds), superseded=frozenset(spare - present), parties=parties)


def _as_found(party: Party, seen: PbxSnapshot, record: Call) -> Party:
    """Nothing that was asked for it is under way any more. Of a call that goes on, its end is still to be told."""
    if party.state is PartyState.GONE:
        return party
    if record.outcome is not None and party.channel not in seen.channels:
        outcome = party.leaving_outcome or Outcome.COMPLETED
        return replace(party, state=PartyState.GONE, outcome=outcome, leaving_outcome=None, pending=frozenset())
    return replace(party, pending=frozenset(), releasing=False)


def _state(record: Call, far: Channel) -> CallState:
    """The record's state, or a later one, where the far side rang or answered meanwhile."""
    if far.state == "Up" or record.state is UP:
        return UP
    if far.state == "Ringing" and record.state is not EARLY:
        return RINGING
    return record.state


def _was_answered(call: Call, far: Channel, seen: PbxSnapshot) -> bool:
    """Whether the caller talks to the page that took the call, though we died before we heard that it was answered.

    Up alone does not say so: the dialplan may have answered before the caller came to us. But to answer is the last
    step, and needs both in the bridge.
    """
    both = {call.far_channel, leg_id(call.id, call.leg)}
    return call.state is ACCEPTING and far.state == "Up" and both <= _members(call, seen)


def _ended_meanwhile(call: Call, at: float) -> Decision:
    cause = Cause(text="it ended while the server was down")
    if call.state is UP:
        return decisions.end(call, at, Outcome.COMPLETED, cause)
    if call.direction is Direction.INBOUND:
        return decisions.end(call, at, Outcome.CANCELLED, cause)
    return decisions.end(call, at, Outcome.NO_ANSWER if call.ringing_at else Outcome.UNREACHABLE, cause)


def _ring_again(call: Call) -> Decision:
    """A caller whom nobody talks to yet: the pages ring as soon as they are back; media begins anew."""
    call = decisions.supersede_leg(call)
    facts = _CALLER_RINGS | ({Milestone.BRIDGE_CREATED} if Resource.BRIDGE in call.allocated else set())
    users = call.users or frozenset({call.target})
    call = replace(
        call, state=RINGING, user=None, session=None, users=users, milestones=facts, started=_steps_done(call, facts)
    )
    call, releases = decisions.release_superseded(call)
    return call, [*releases, StartTimer(Timer.RING)]


def _members(call: Call, seen: PbxSnapshot) -> set[str]:
    """The channels in the call's bridge; none where it is gone."""
    bridge = seen.bridges.get(resource_id(call.id, Kind.BRIDGE))
    return set(bridge.channels) if bridge else set()


def _continue_with_parties(call: Call, at: float, seen: PbxSnapshot) -> Decision:
    """A call that has, or had, more parties than the far side: they are told what they missed, as events are."""
    call, actions = _continue(call, UP, at, seen)
    members = _members(call, seen)
    if Resource.FAR not in call.allocated:
        call, more = parties.far_destroyed(
            call, at, Outcome.COMPLETED, Cause(text="it ended while the server was down")
        )
        actions += more
    for number in [party.number for party in call.parties]:
        party = call.party(number)  # as it stands now: what became of the others may concern it
        if party is None or party.state is PartyState.GONE or not call.state.live:
            continue
        call, more = _continue_party(call, party, seen.channels.get(party.channel), members, at)
        actions += more
    return call, actions


def _continue_party(call: Call, party: Party, channel: Channel | None, members: set[str], at: float) -> Decision:
    # One that was dialled may not ring yet; one that was not, though it was decided, is let go when its time is over.
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


def _continue(call: Call, state: CallState, at: float, seen: PbxSnapshot) -> Decision:
    if media := seen.channels.get(leg_id(call.id, call.leg)):  # who is there may have changed while nobody listened
        line = media.connected
        call, _ = identified(replace(call, state=state), Resource.EXTERNAL_MEDIA, call.leg, line.number, line.name)
    members = _members(call, seen)
    facts = {*_CALLER_RINGS, Milestone.ACCEPTED, Milestone.ANSWER_SENT, Milestone.FAR_DIALLED}
    if Resource.BRIDGE in call.allocated:
        facts.add(Milestone.BRIDGE_CREATED)
    if call.far_channel in members or Resource.FAR not in call.allocated:  # gone, while others are still there
        facts.add(Milestone.FAR_BRIDGED)
    if state is UP:
        facts.add(Milestone.FAR_ANSWERED)
        call = replace(call, answered_at=call.answered_at or at)
    whole = {Resource.EXTERNAL_MEDIA} if seen.legs is None else {Resource.EXTERNAL_MEDIA, Resource.MEDIA_SESSION}
    if call.left_outcome:
        call = decisions.supersede_leg(call)
    elif leg_id(call.id, call.leg) in members and whole <= call.allocated:
        facts |= LEG_MILESTONES
        call = replace(call, allocated=call.allocated | {Resource.MEDIA_SESSION})
    else:
        call = replace(decisions.supersede_leg(call), media_lost=True)
    away = call.session is not None and not call.left_outcome
    call = replace(call, state=state, owner_away=away, milestones=frozenset(facts), started=_steps_done(call, facts))
    call, _ = decisions.update_sound(call)
    call, steps = decisions.advance(call)
    call, releases = decisions.release_superseded(call)
    timers: list[Action] = []
    if away or call.media_lost:
        timers += [StartTimer(Timer.GRACE), StartTimer(Timer.MUSIC)]
    if state is UP and not call.left_outcome:
        timers.append(StartTimer(Timer.MEDIA))
        if away and not call.media_lost:
            timers.append(CheckMedia())  # what the grace may end is not to hang on what nobody has looked at
    if state is not UP:
        timers.append(StartTimer(Timer.RING))
    if state is RINGING:
        timers.append(AwaitEarlyMedia())
    return call, [*steps, *releases, *timers, *_correct_sound(call)]


def _correct_sound(call: Call) -> list[Action]:
    """Whatever the process before has left is set right: no one hears music for ever, or what is not meant for him."""
    if call.state is not UP:
        return []
    sounds: list[Action] = [PlayMusic(call.moh_on)]
    return sounds if call.left_outcome or call.media_lost else [*sounds, Mute(call.isolated)]


def _steps_done(call: Call, facts: set[Milestone] | frozenset[Milestone]) -> frozenset[Step]:
    """The steps whose results are there: they are not begun again."""
    return frozenset(step for step in setup_plan.PLANS[call.direction] if setup_plan.GIVES[step] in facts)
