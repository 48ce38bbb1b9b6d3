"""An rtpengine or Asterisk itself is killed."""

import asyncio
import time

from ari_bridge_client import Client, ClientError
from ari_bridge_client.audio import Tone
from tests.chaos.browser import Browsers
from tests.chaos.case import Case, on_one_system
from tests.chaos.far import PAGE_TONE
from tests.chaos.results import Mark, Seen
from tests.chaos.steady_calls import SteadyCalls
from tests.chaos.system import System

NODE_CALLS = 10
NEW_CALLS_EVERY = 0.25  # seconds
ENDED_SECONDS = 5.0


async def node_killed(system: System, browsers: Browsers) -> Seen:
    """kill -9 of the rtpengine that has the page's call, while new calls are made all the time."""
    async with SteadyCalls(system, browsers, codec="PCMU") as talk:
        await talk.stand(phones=NODE_CALLS - 1, page=True)
        loads = [len(await system.sessions(number)) for number in range(len(system.nodes))]
        victim = loads.index(max(loads))
        async with asyncio.TaskGroup() as tasks, Client(system.front_end.ws_url, user="2099") as other:
            stop = asyncio.Event()
            calling = tasks.create_task(_call_all_the_time(other, stop))
            began = time.time()
            system.kill_node(victim)
            try:
                await asyncio.sleep(1.0)
                back = await talk.heard_since(began + 1.0, seconds=20)
                await asyncio.sleep(1.0)
            finally:
                stop.set()
            refused = await calling
        seen = await talk.seen(began)
        seen.control = max(back.values()) - began
        seen.wrong += refused
        seen.told["calls on the node"] = float(loads[victim])
        await talk.hang_up_all(seen)
    await system.start_node(victim)
    await system.front_end.healthy()
    return seen


async def _call_all_the_time(phone: Client, stop: asyncio.Event) -> list[str]:
    """New calls, one after the other; those that did not come to stand, and why."""
    refused: list[str] = []
    number = 0
    while not stop.is_set():
        try:
            call = await phone.call(f"71{number % 100:02}", source=Tone(PAGE_TONE))
            await call.wait_for("accepted", timeout=5)
            await call.hangup()
        except ClientError as error:
            refused.append(f"new call {number} was refused: {error}")
        number += 1
        await asyncio.sleep(NEW_CALLS_EVERY)
    return refused


async def asterisk_killed(system: System, browsers: Browsers) -> Seen:
    """kill -9 of Asterisk. Its calls are over: kept means here ended as failed_pbx, within five seconds."""
    async with SteadyCalls(system, browsers) as talk:
        await talk.stand(phones=3, page=True)
        assert talk.page
        seen = Seen(calls=len(talk.lines), kept=0)
        began = time.time()
        system.kill_asterisk()
        for line in talk.lines:
            try:
                if line.call:
                    await line.call.wait_for("ended", timeout=10)
                    outcome = line.call.outcome.value if line.call.outcome else ""
                    ended = time.time()
                else:
                    ended = await talk.page.shows("idle", "ended")
                    outcome = await talk.page.outcome()
            except ClientError as error:
                seen.wrong.append(str(error))
                continue
            took = ended - began
            seen.control = max(seen.control or 0.0, took)
            if outcome == "failed_pbx" and took <= ENDED_SECONDS:
                seen.kept += 1
            else:
                seen.wrong.append(f"a call ended as {outcome} after {took:.1f} s")
        health = await system.front_end.health()
        if health != 503:
            seen.wrong.append(f"/health says {health} while there is no Asterisk")
        await system.start_asterisk()
        up = time.time()
        await system.front_end.healthy()
        seen.told["healthy after Asterisk"] = time.time() - up
        talk.lines.clear()
        await system.far.forget()  # the new Asterisk may well take the same ports
        line = await talk.add_phone(50)
        await talk.heard_since(time.time())
        seen.told["next call heard after Asterisk"] = time.time() - up
        await talk.hang_up(line)
        return seen


NODE_KILLED = Case(
    "node",
    f"kill -9 of one of two rtpengines, {NODE_CALLS} live calls",
    Mark(far=4.0, browser=4.0),
    on_one_system(node_killed),
)
ASTERISK_KILLED = Case(
    "asterisk",
    "Asterisk killed and back (kept: ended as failed_pbx)",
    Mark(control=ENDED_SECONDS),
    on_one_system(asterisk_killed),
)
