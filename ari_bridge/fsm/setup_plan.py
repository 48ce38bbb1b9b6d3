"""The set-up of a call as a table: each step, the milestones that it waits for, and the one that it reaches. Pure.

A step starts as soon as its milestones are reached, so everything that can run in parallel does: the INVITE does not
wait for media, nor the browser's answer for the far side. Steps that can start at the same moment start in the order of
the tables: the call's, then that of its media leg. Of a leg that is used again only REOFFER_MEDIA and ANSWER_MEDIA are
left.
"""

from ari_bridge.fsm.call import Call, Direction, Milestone, Resource, Step

Plan = dict[Step, frozenset[Milestone]]

OUTBOUND: Plan = {
    # First, as the far side takes longest.
    Step.CREATE_FAR: frozenset(),
    Step.CREATE_BRIDGE: frozenset(),
    Step.BRIDGE_FAR: frozenset({Milestone.BRIDGE_CREATED, Milestone.FAR_ENTERED}),
    # Bridged before it is dialled: early media is heard, and an answer finds everything in place.
    Step.DIAL_FAR: frozenset({Milestone.FAR_BRIDGED}),
}

FROM_SIP: Plan = {
    Step.CREATE_FAR: frozenset(),
    Step.CREATE_BRIDGE: frozenset(),
    Step.BRIDGE_NEAR: frozenset({Milestone.BRIDGE_CREATED}),
    Step.BRIDGE_FAR: frozenset({Milestone.BRIDGE_CREATED, Milestone.FAR_ENTERED}),
    # Once both are in the bridge, Asterisk itself passes the far side's 180, 183, early media and answer to the client,
    # also while no front end runs: so there is no step that rings or answers.
    Step.DIAL_FAR: frozenset({Milestone.FAR_BRIDGED, Milestone.NEAR_BRIDGED}),
}
"""Outbound, by a SIP client of our user: it has no media leg."""

INBOUND: Plan = {
    Step.RING_FAR: frozenset({Milestone.PAGES_RING}),
    Step.CREATE_BRIDGE: frozenset({Milestone.ACCEPTED}),
    Step.BRIDGE_FAR: frozenset({Milestone.BRIDGE_CREATED, Milestone.FAR_ENTERED}),
    # The caller is answered, and charged, only once both sides can hear each other.
    Step.ANSWER_FAR: frozenset({Milestone.EXTERNAL_MEDIA_BRIDGED, Milestone.FAR_BRIDGED}),
}

TO_SIP: Plan = {
    Step.CREATE_BRIDGE: frozenset({Milestone.ACCEPTED}),
    Step.BRIDGE_NEAR: frozenset({Milestone.BRIDGE_CREATED}),
    Step.BRIDGE_FAR: frozenset({Milestone.BRIDGE_CREATED, Milestone.FAR_ENTERED}),
    Step.ANSWER_FAR: frozenset({Milestone.NEAR_BRIDGED, Milestone.FAR_BRIDGED}),
}
"""Inbound, from the answer of a SIP phone of our user on."""

PHONE: Plan = {
    Step.CREATE_PHONE: frozenset({Milestone.PHONE_WANTED}),
    Step.DIAL_PHONE: frozenset({Milestone.PHONE_CREATED, Milestone.PHONE_ENTERED}),
}
"""Inbound, while it rings: beside the pages, and whatever becomes of it, they ring on."""

MEDIA_LEG: Plan = {
    Step.OFFER_MEDIA: frozenset(),
    Step.CREATE_EXTERNAL_MEDIA: frozenset({Milestone.MEDIA_OFFERED}),
    Step.REOFFER_MEDIA: frozenset({Milestone.LEG_REUSED}),
    Step.ANSWER_MEDIA: frozenset({Milestone.MEDIA_OFFERED, Milestone.EXTERNAL_MEDIA_CREATED}),
    Step.BRIDGE_EXTERNAL_MEDIA: frozenset({Milestone.BRIDGE_CREATED, Milestone.EXTERNAL_MEDIA_ENTERED}),
}

PLANS = {Direction.OUTBOUND: OUTBOUND, Direction.INBOUND: INBOUND}

GIVES: dict[Step, Milestone] = {
    Step.OFFER_MEDIA: Milestone.MEDIA_OFFERED,
    Step.REOFFER_MEDIA: Milestone.MEDIA_OFFERED,
    Step.ANSWER_MEDIA: Milestone.MEDIA_ANSWERED,
    Step.CREATE_BRIDGE: Milestone.BRIDGE_CREATED,
    Step.CREATE_EXTERNAL_MEDIA: Milestone.EXTERNAL_MEDIA_CREATED,
    Step.BRIDGE_EXTERNAL_MEDIA: Milestone.EXTERNAL_MEDIA_BRIDGED,
    Step.CREATE_FAR: Milestone.FAR_CREATED,
    Step.BRIDGE_FAR: Milestone.FAR_BRIDGED,
    Step.DIAL_FAR: Milestone.FAR_DIALLED,
    Step.RING_FAR: Milestone.FAR_RUNG,
    Step.ANSWER_FAR: Milestone.FAR_ANSWERED,
    Step.BRIDGE_NEAR: Milestone.NEAR_BRIDGED,
    Step.CREATE_PHONE: Milestone.PHONE_CREATED,
    Step.DIAL_PHONE: Milestone.PHONE_DIALLED,
}

MAKES: dict[Step, Resource] = {
    Step.OFFER_MEDIA: Resource.MEDIA_SESSION,
    Step.CREATE_BRIDGE: Resource.BRIDGE,
    Step.CREATE_EXTERNAL_MEDIA: Resource.EXTERNAL_MEDIA,
    Step.CREATE_FAR: Resource.FAR,
    Step.CREATE_PHONE: Resource.PHONE,
}

MADE_BY: dict[Resource, Step] = {resource: step for step, resource in MAKES.items()}


def plan_of(call: Call) -> Plan:
    """Of the call itself; that of its media leg, where it has one, is MEDIA_LEG."""
    if call.near:
        return FROM_SIP if call.direction is Direction.OUTBOUND else TO_SIP
    if Milestone.PHONE_WANTED in call.milestones and Milestone.ACCEPTED not in call.milestones:
        return INBOUND | PHONE
    return PLANS[call.direction]


def ready(plan: Plan, started: frozenset[Step], reached: frozenset[Milestone]) -> list[Step]:
    """The steps that can start now: not started yet, with all their milestones reached."""
    return [step for step, needs in plan.items() if step not in started and needs <= reached]


def complete(call: Call) -> bool:
    """Whether every step of the set-up is done, or not needed any more."""
    if call.left_outcome:
        return True
    reached = call.reached
    steps = plan_of(call).keys() if call.near else plan_of(call).keys() | MEDIA_LEG.keys()
    return all(GIVES[step] in reached for step in steps)
