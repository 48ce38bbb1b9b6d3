"""A plugin (docs/HOOKS.md) with which the front end kills itself at one step of a call, as by kill -9.

`CHAOS_KILL=STEP:MOMENT`: STEP is a value of `Step`, or `release_` and one of `Resource`; MOMENT is `before` (decided
and remembered, nothing sent), `during` (sent, not answered) or `after` (done, and the engine does not know it yet).
It wraps what every request to Asterisk and rtpengine passes, and changes nothing else.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable
from typing import Any, Literal, NoReturn, TypeVar, cast

from ari_bridge.ari.transport import Transport
from ari_bridge.calls.plan import PLANS
from ari_bridge.calls.state import Direction, Resource, Step
from ari_bridge.hooks import Hooks
from ari_bridge.ids import Kind, parse_resource_id
from ari_bridge.media.ng import NgClient

VARIABLE = "CHAOS_KILL"
MOMENTS = ("before", "during", "after")
Moment = Literal["before", "during", "after"]
_SENT_SECONDS = 0.002  # a request is on its way, and no peer answers as fast
_NG = {"offer": Step.OFFER_MEDIA.value, "answer": Step.ANSWER_MEDIA.value, "delete": "release_media_session"}
T = TypeVar("T")


def steps_of_set_up(direction: Direction) -> list[str]:
    """All requests that set up a call, as the plan has them."""
    return [step.value for step in PLANS[direction]]


def steps_of_hang_up() -> list[str]:
    """All requests that end one."""
    return [f"release_{resource.value}" for resource in Resource]


def step_of_ari(method: str, path: str, parameters: dict[str, str]) -> str:
    """The step that this request of ARI is; "" for one that is none."""
    match method, path.strip("/").split("/"):
        case "POST", ["channels", "create"]:
            return Step.CREATE_FAR.value
        case "POST", ["channels", "externalMedia"]:
            return Step.CREATE_EXTERNAL_MEDIA.value
        case "POST", ["bridges", _, "addChannel"]:
            step = Step.BRIDGE_EXTERNAL_MEDIA if _is_media(parameters.get("channel", "")) else Step.BRIDGE_FAR
            return step.value
        case "POST", ["bridges"] | ["bridges", _]:
            return Step.CREATE_BRIDGE.value
        case "POST", ["channels", _, "dial"]:
            return Step.DIAL_FAR.value
        case "POST", ["channels", _, "ring"]:
            return Step.RING_FAR.value
        case "POST", ["channels", _, "answer"]:
            return Step.ANSWER_FAR.value
        case "DELETE", ["bridges", _]:
            return f"release_{Resource.BRIDGE.value}"
        case "DELETE", ["channels", channel]:
            return f"release_{(Resource.EXTERNAL_MEDIA if _is_media(channel) else Resource.FAR).value}"
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
    request, command = Transport.request, NgClient.command

    def ari(self: Transport, method: str, url: str, params: Any = None, *rest: Any, **named: Any) -> Any:
        made = request(self, method, url, params, *rest, **named)
        path = url.partition("/ari/")[2] or url
        return dying(made, moment) if step_of_ari(method, path, params or {}) == step else made

    def ng(self: NgClient, name: str, *rest: Any, **named: Any) -> Any:
        made = command(self, name, *rest, **named)
        return dying(made, moment) if _NG.get(name) == step else made

    Transport.request = ari  # type: ignore[method-assign]
    NgClient.command = ng  # type: ignore[method-assign, assignment]
