"""The front end is killed at every step of a set-up and of a hang-up, at three moments of each. Nothing may be left."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from ari_bridge.fsm.call import Direction
from ari_bridge_client import Client, ClientError
from ari_bridge_client.audio import Silence
from tests.chaos.case import Case, Run
from tests.chaos.front_end import NotServing
from tests.chaos.kill_plugin import MOMENTS, VARIABLE, steps_of_hang_up, steps_of_set_up
from tests.chaos.results import Mark, Seen
from tests.chaos.system import System, system
from tests.real.sipp import Sipp

PLUGIN = "tests.chaos.kill_plugin"
GRACE = 1.0
"""Seconds that a call waits for its page here: every page vanishes with the front end."""
LEFT_SECONDS = 12.0
"""That grace, the longest that a caller rings, and a sweep."""
CALLER = "caller_stays"


async def call_out(phone: Client) -> None:
    call = await phone.call("7001", source=Silence())
    await call.wait_for("accepted", timeout=10)


async def call_out_and_hang_up(phone: Client) -> None:
    call = await phone.call("7001", source=Silence())
    await call.wait_for("accepted", timeout=10)
    await call.hangup()
    await asyncio.sleep(5)  # what is released comes after the end is told


async def take_a_call(phone: Client) -> None:
    call = await (await phone.incoming(timeout=10)).answer(Silence())
    await call.wait_for("accepted", timeout=10)


DOING: dict[str, Callable[[Client], Awaitable[None]]] = {
    "out": call_out,
    "in": take_a_call,
    "end": call_out_and_hang_up,
}


async def killed_at(system: System, step: str, moment: str, direction: str) -> Seen:
    """One kill; `kept` means that it came, and that after the next start nothing is left of it."""
    seen = Seen(calls=1, kept=0)
    at = f"{direction}, {moment} {step}"
    front_end = system.front_end
    before = set(await system.leftovers())
    await front_end.start({VARIABLE: f"{step}:{moment}"})
    async with AsyncExitStack() as callers:  # who waits, and hangs up only when told to
        phone = Client(front_end.ws_url, user="1001", reconnects=False)
        await phone.__aenter__()
        if direction == "in":
            caller = Sipp(CALLER, system.folder / "callers", to=system.pbx.sip_port, rtp_port=system.far.port)
            await callers.enter_async_context(caller)
        with contextlib.suppress(ClientError, TimeoutError):
            await asyncio.wait_for(DOING[direction](phone), 25)
        await phone.abort()
        try:
            await front_end.gone(seconds=2)
        except NotServing:
            seen.wrong.append(f"{at}: it never came to that")
            await front_end.kill()
        seen.told["started"] = await front_end.start()
        left = [line for line in await system.nothing_left(seconds=LEFT_SECONDS) if line not in before]
    seen.left += [f"{at}: {line}" for line in left]
    seen.kept = 0 if left or seen.wrong else 1
    await front_end.kill()
    return seen


def at_each(
    steps: Sequence[str], direction: str, moments: Sequence[str]
) -> Callable[[Path], AbstractAsyncContextManager[Run]]:
    """A run is a kill at each of the steps and moments."""

    @asynccontextmanager
    async def open_(folder: Path) -> AsyncIterator[Run]:
        settings = {"PLUGINS": PLUGIN, "DISCONNECT_GRACE": f"{GRACE:g}", "RING_TIMEOUT": "3"}
        async with system(folder, settings=settings) as running:
            await running.front_end.kill()

            async def run() -> Seen:
                all_ = Seen(calls=0, kept=0)
                for step in steps:
                    for moment in moments:
                        seen = await killed_at(running, step, moment, direction)
                        all_.calls += seen.calls
                        all_.kept += seen.kept
                        all_.left += seen.left
                        all_.wrong += seen.wrong
                        all_.control = max(all_.control or 0.0, seen.told["started"])
                return all_

            yield run

    return open_


OUTBOUND_STEPS = Case(
    "set-up",
    "kill -9 at each step of an outbound set-up, three moments each",
    Mark(),
    at_each(steps_of_set_up(Direction.OUTBOUND), "out", MOMENTS),
    quick=False,
)
INBOUND_STEPS = Case(
    "set-up-in",
    "kill -9 at each step of an inbound set-up, three moments each",
    Mark(),
    at_each(steps_of_set_up(Direction.INBOUND), "in", MOMENTS),
    quick=False,
)
HANG_UP_STEPS = Case(
    "hang-up",
    "kill -9 at each step of a hang-up, three moments each",
    Mark(),
    at_each(steps_of_hang_up(), "end", MOMENTS),
    quick=False,
)
SOME_STEPS = Case(
    "some-steps",
    "kill -9 after each step of an outbound set-up",
    Mark(),
    at_each(steps_of_set_up(Direction.OUTBOUND), "out", ("after",)),
)
