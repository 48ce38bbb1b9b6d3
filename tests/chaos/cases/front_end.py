"""The front end is killed, or replaced, while people talk."""

import asyncio
import time

from tests.chaos.browser import Browsers
from tests.chaos.case import Case, on_one_system
from tests.chaos.results import Mark, Seen
from tests.chaos.steady_calls import SteadyCalls
from tests.chaos.system import System

DEPLOYED_CALLS, DEPLOYED_HEARD = 20, 7
"""All must be kept, and hung up after. So many of them, the page's one of these, are heard both ways: a headless phone
takes a twentieth of a core, and with one for each call the test would measure itself."""


async def killed(system: System, browsers: Browsers) -> Seen:
    """kill -9, and a new one at once; a call is hung up as soon as its phone is back."""
    async with SteadyCalls(system, browsers) as talk:
        spare = await talk.add_phone(90, reconnects=False)
        await talk.stand(phones=3, page=True)
        talk.lines.remove(spare)
        before = talk.connections()
        began = time.time()
        await system.front_end.kill()
        started = time.time()
        await system.front_end.spawn()
        control = await talk.commanded(spare) - started
        await system.front_end.healthy()
        healthy = time.time() - started
        return await _all_back(talk, before, began, control, healthy=healthy)


async def deployed(system: System, browsers: Browsers) -> Seen:
    """SIGTERM, and the next one as soon as the first has left."""
    # PCMU, that the machine has time for what is measured.
    async with SteadyCalls(system, browsers, codec="PCMU") as talk:
        await talk.stand(phones=DEPLOYED_HEARD - 1, page=True, silent=DEPLOYED_CALLS - DEPLOYED_HEARD)
        before = talk.connections()
        began = time.time()
        left_after = await system.front_end.leave()
        started = await system.front_end.start()
        return await _all_back(talk, before, began, None, left_after=left_after, started=started)


async def _all_back(talk: SteadyCalls, before: int, began: float, control: float | None, **told: float) -> Seen:
    """Every page and phone online again, and all calls hung up by them."""
    await talk.reconnected(before)
    online = time.time() - began
    await asyncio.sleep(1.0)
    await talk.heard_since(time.time())
    seen = await talk.seen(began)
    seen.control = online if control is None else control
    seen.told |= {"all online": online, **told}
    await talk.hang_up_all(seen)
    return seen


KILLED = Case(
    "killed",
    "kill -9 of the front end",
    Mark(far=0.04, browser=0.04, control=2.0),
    on_one_system(killed),
)
DEPLOY = Case(
    "deploy",
    f"SIGTERM deploy with {DEPLOYED_CALLS} live calls, {DEPLOYED_HEARD} of them heard",
    Mark(far=0.04, browser=0.04),
    on_one_system(deployed),
    quick=False,
)
