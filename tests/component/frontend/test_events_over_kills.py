"""The whole server is killed again and again while calls come and go: a program that follows the events misses none."""

import asyncio
import os
import random
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from ari_bridge_client.api_models import EventData
from ari_bridge_client.http_client import HttpClient
from tests.chaos.front_end import FrontEnd
from tests.component.conftest import until
from tests.fakes.ari import FakeAri
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER

KILLS = int(os.environ.get("EVENT_KILLS", "5"))
CALLERS = 3


@pytest.fixture
async def front_end(pbx: FakeAri, rtpengine: FakeRtpengine, tmp_path: Path) -> AsyncIterator[FrontEnd]:
    front_end = FrontEnd(
        tmp_path,
        {
            "ARI_URL": pbx.url,
            "ARI_USER": pbx.user,
            "ARI_PASSWORD": pbx.password,
            "RTPENGINE_NG": rtpengine.address,
            "ENABLE_AUTHENTICATION": "false",
            "DISCONNECT_GRACE": "0",
            "MAX_REQUESTS_PER_SECOND": "10000",
        },
    )
    yield front_end
    await front_end.close()


class Caller:
    """Places one call after the other, and hangs it up. `placed`: the ids of those that were acknowledged."""

    def __init__(self, url: str, name: str) -> None:
        self.placed: list[str] = []
        self._url = url
        self._name = name

    async def call_for_ever(self) -> None:
        number = 0
        async with aiohttp.ClientSession(self._url, timeout=aiohttp.ClientTimeout(total=5)) as http:
            while True:
                number += 1
                call_id = f"{self._name}.{number}"
                try:
                    body = {"target": "600", "sdp": OFFER, "caller": "1001", "callId": call_id}
                    async with http.post("/invite", json=body) as response:
                        if response.status == 201:
                            self.placed.append(call_id)
                    async with http.delete(f"/call/{call_id}"):
                        pass
                except (aiohttp.ClientError, OSError, TimeoutError):
                    await asyncio.sleep(0.05)  # it is being killed, or starts


class Follower:
    """As a program of a customer: one stream, which goes on by itself where it broke."""

    def __init__(self, url: str) -> None:
        self.seen: list[EventData] = []
        self._http = HttpClient(url)

    async def follow(self, after: int) -> None:
        async with self._http as http:
            async for event in http.events(after):
                self.seen.append(event)


async def last_number(front_end: FrontEnd) -> int:
    return int((await front_end.get("/live"))["lastEventId"])


@pytest.mark.timeout(60 + 10 * KILLS)
async def test_a_program_that_follows_misses_nothing(
    front_end: FrontEnd, pbx: FakeAri, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(9)
    await front_end.start()
    begin = await last_number(front_end)
    follower, late = Follower(front_end.url), Follower(front_end.url)
    callers = [Caller(front_end.url, f"caller{number}") for number in range(CALLERS)]
    following = asyncio.create_task(follower.follow(begin))
    calling = [asyncio.create_task(caller.call_for_ever()) for caller in callers]
    try:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.2, 1.5))
            await front_end.kill()
            await front_end.start()
        for task in calling:
            task.cancel()
        await asyncio.gather(*calling, return_exceptions=True)
        async with aiohttp.ClientSession(front_end.url) as http:
            for call in (await front_end.get("/live"))["calls"]:
                async with http.delete(f"/call/{call['callId']}"):
                    pass
        await until(lambda: not pbx.bridges and not pbx.channels, "everything is released")
        end = await last_number(front_end)
        await until(lambda: follower.seen and follower.seen[-1].id >= end, f"the follower has seen {end}")
        replaying = asyncio.create_task(late.follow(begin))
        await until(lambda: late.seen and late.seen[-1].id >= end, "a late follower has seen it too")
        replaying.cancel()
    finally:
        following.cancel()
        await asyncio.gather(following, *calling, return_exceptions=True)
    seen = follower.seen
    assert [event.id for event in seen] == list(range(begin + 1, begin + 1 + len(seen)))
    assert late.seen[: len(seen)] == seen[: len(late.seen)], "a number has two contents"
    names: defaultdict[str | None, list[str]] = defaultdict(list)
    for event in seen:
        names[event.call_id].append(event.name)
    placed = [call_id for caller in callers for call_id in caller.placed]
    for call_id in [*placed, *(one for one in names if one and "call.started" in names[one])]:
        told = [name for name in names[call_id] if name in ("call.started", "call.ended", "call.released")]
        assert told == ["call.started", "call.ended", "call.released"], call_id
    with capsys.disabled():
        sys.stdout.write(f"[{KILLS} kills: {len(placed)} calls, {len(seen)} events] ")
