"""A plugin (docs/HOOKS.md) with which the front end kills itself at one step of a call, as by kill -9.

`CHAOS_KILL=STEP:MOMENT`: STEP is a value of `Step`, or `release_` and one of `Resource`; MOMENT is `before` (decided
and remembered, nothing sent), `during` (sent, not answered) or `after` (done, and the engine does not know it yet).
It wraps what every request to Asterisk and rtpengine passes, and changes nothing else.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Mapping
from typing import Any, Literal, NoReturn, TypeVar, cast

from ari_bridge.ari.rest import RestClient
from ari_bridge.fsm.call import Direction, Milestone, Resource, Step
from ari_bridge.fsm.setup_plan import MAKES, MEDIA_LEG, PLANS
from ari_bridge.hooks import Hooks
from ari_bridge.ids import Kind, parse_resource_id
from ari_bridge.media.ng import NgClient

VARIABLE = "CHAOS_KILL"
MOMENTS = ("before", "during", "after")
Moment = Literal["before", "during", "after"]
_SENT_SECONDS = 0.002  # a request is on its way, and no peer answers as fast
STEPS_OF_NG = {"offer": Step.OFFER_MEDIA.value, "answer": Step.ANSWER_MEDIA.value, "delete": "release_media_session"}
"""The step that each command of rtpengine's ng protocol is."""
T = TypeVar("T")


def steps_of_set_up(direction: Direction) -> list[str]:
    """All requests that set up a page's call, as the plan has them; those for a leg that is used again set up none."""
    plan = PLANS[direction] | MEDIA_LEG
    return [step.value for step, waits_for in plan.items() if Milestone.LEG_REUSED not in waits_for]


def steps_of_hang_up() -> list[str]:
    """All requests that end a call that a page has made: each releases what a step of its set-up has made."""
    made_by = (Step(step) for step in steps_of_set_up(Direction.OUTBOUND))
    return [f"release_{MAKES[step].value}" for step in made_by if step in MAKES]


def step_of_ari(operation: str, parameters: Mapping[str, Any]) -> str:
    """The step that this operation of ARI is, by ARI's own names; "" for one that is none."""
    media = _is_media(str(parameters.get("channel") or parameters.get("channelId") or ""))
    match operation:
        case "channels.create":
            return Step.CREATE_FAR.value
        case "channels.externalMedia":
            return Step.CREATE_EXTERNAL_MEDIA.value
        case "bridges.create" | "bridges.createWithId":
            return Step.CREATE_BRIDGE.value
        case "bridges.addChannel":
            return Step.BRIDGE_EXTERNAL_MEDIA.value if media else Step.BRIDGE_FAR.value
        case "channels.dial":
            return Step.DIAL_FAR.value
        case "channels.ring":
            return Step.RING_FAR.value
        case "channels.answer":
            return Step.ANSWER_FAR.value
        case "bridges.destroy":
            return f"release_{Resource.BRIDGE.value}"
        case "channels.hangup" | "channels.continueInDialplan":
            return f"release_{(Resource.EXTERNAL_MEDIA if media else Resource.FAR).value}"
    return ""


def _is_media(channel: str) -> bool:
    parsed = parse_resource_id(channel)
    return parsed is not None and parsed[1] is Kind.EXTERNAL_MEDIA


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


async def dying(request: Awaitable[T], moment: Moment) -> T:
    """The request, and the end of this process at that moment of it."""
    if moment == "before":
        die()
    if moment == "during":
        asyncio.get_running_loop().call_later(_SENT_SECONDS, die)
        await asyncio.sleep(0)
    try:
        return await request
    finally:
        die()


def setup(hooks: Hooks) -> None:
    """Does nothing where the variable is not set."""
    step, _, word = os.environ.get(VARIABLE, "").partition(":")
    if not step:
        return
    if word not in MOMENTS:
        raise ValueError(f"{VARIABLE}={step}:{word}: no such moment; there are {', '.join(MOMENTS)}")
    moment = cast(Moment, word)
    request, ask = RestClient.send, NgClient.ask

    def ari(self: RestClient, resource: str, operation: str, **parameters: Any) -> Any:
        made = request(self, resource, operation, **parameters)
        return dying(made, moment) if step_of_ari(f"{resource}.{operation}", parameters) == step else made

    def ng(self: NgClient, name: str, *rest: Any, **named: Any) -> Any:
        made = ask(self, name, *rest, **named)
        return dying(made, moment) if STEPS_OF_NG.get(name) == step else made

    RestClient.send = ari  # type: ignore[method-assign]
    NgClient.ask = ng  # type: ignore[assignment, method-assign]
