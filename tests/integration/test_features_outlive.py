"""kill -9 of the front end in the middle of each feature: what was so before is so afterwards, and all talk on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ari_bridge.outcomes import Outcome
from ari_bridge_client import Call, Client
from ari_bridge_client.audio import Tone
from deploy.demo.rtpengine import Rtpengine
from tests.chaos.front_end import FrontEnd
from tests.integration.conftest import FAILED
from tests.real.parts import Pbx, both_versions

pytestmark = pytest.mark.real
A, B, C = 500.0, 900.0, 1300.0
TONES = {A, B, C}
USERS = {"1001": A, "1002": B, "1003": C}


@dataclass
class Office:
    """Three phones on a front end that can be killed."""

    front_end: FrontEnd
    pbx: Pbx
    phones: dict[str, Client] = field(default_factory=dict)

    async def killed_and_back(self) -> None:
        """kill -9, another one, and all phones online with it."""
        before = {user: phone.connection_count for user, phone in self.phones.items()}
        await self.front_end.kill()
        await self.front_end.start()
        for user, phone in self.phones.items():
            await phone.wait_connected(15, after=before[user])

    async def call(self, user: str, other: str) -> tuple[Call, Call]:
        placed, taken = await asyncio.gather(self.phones[user].call(other, source=Tone(USERS[user])), self.takes(other))
        await hear(placed, USERS[other])
        await hear(taken, USERS[user])
        return placed, taken

    async def takes(self, user: str) -> Call:
        incoming = await self.phones[user].incoming(timeout=5)
        return await incoming.answer(Tone(USERS[user]))

    async def left(self) -> list[str]:
        lines = await asyncio.to_thread(self.pbx.asterisk.cli, "core show channels concise")
        return [line for line in lines.splitlines() if "!" in line]

    async def show(self) -> None:
        """How all stands, for whoever reads of a failure."""
        for command in ("core show channels concise", "bridge show all"):
            print(await asyncio.to_thread(self.pbx.asterisk.cli, command))  # noqa: T201
        print(await self.front_end.get("/health"))  # noqa: T201
        print(self.front_end.last_words(400))  # noqa: T201


async def hear(call: Call, *tones: float) -> None:
    await call.received_audio.wait_for_tones(set(tones), TONES, timeout=8)


async def true(condition: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert condition(), what


@pytest.fixture
async def office(
    request: pytest.FixtureRequest, pbx: Pbx, rtpengine: Rtpengine, tmp_path: Path
) -> AsyncIterator[Office]:
    environment = {
        "ARI_URL": pbx.asterisk.ari_url,
        "ARI_USER": pbx.asterisk.ari_user,
        "ARI_PASSWORD": pbx.asterisk.ari_password,
        "RTPENGINE_NG": rtpengine.ng_address,
        "ENABLE_AUTHENTICATION": "false",
    }
    front_end = FrontEnd(tmp_path, environment)
    async with AsyncExitStack() as opened:
        opened.push_async_callback(front_end.close)
        await front_end.start()
        office = Office(front_end, pbx)
        for user in USERS:
            phone = Client(front_end.ws_url, user=user)
            office.phones[user] = await opened.enter_async_context(phone)
        yield office
        if request.node.stash.get(FAILED, False):
            await office.show()
            return  # its calls stand, which is no failure of its own
        async with asyncio.timeout(8):
            while left := await office.left():  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert not left


@both_versions
async def test_a_held_call_is_still_held(office: Office) -> None:
    here, there = await office.call("1001", "1002")
    await here.hold()
    await here.received_audio.wait_for_silence()
    await office.killed_and_back()
    assert here.held
    await here.received_audio.wait_for_silence()
    await hear(there)
    assert not there.received_audio.analyze().is_silent  # music
    await here.unhold()
    await hear(here, B)
    await hear(there, A)
    await here.hangup()
    await there.wait_for("ended")


@both_versions
async def test_a_conference_keeps_its_parties(office: Office) -> None:
    here, there = await office.call("1001", "1002")
    await here.add_party("1003")
    other = await office.takes("1003")
    await asyncio.gather(hear(here, B, C), hear(there, A, C), hear(other, A, B))
    await office.killed_and_back()
    await asyncio.gather(hear(here, B, C), hear(there, A, C), hear(other, A, B))
    await here.drop_party(2)
    await other.wait_for("ended")
    await hear(here, B)
    await here.hangup()
    await there.wait_for("ended")


@both_versions
async def test_a_conference_of_two_calls_keeps_its_parties(office: Office) -> None:
    first, there = await office.call("1001", "1002")
    await first.hold()
    second, other = await office.call("1001", "1003")
    await first.merge(second)
    await asyncio.gather(hear(first, B, C), hear(there, A, C), hear(other, A, B))
    await office.killed_and_back()
    await asyncio.gather(hear(first, B, C), hear(there, A, C), hear(other, A, B))
    await other.hangup()  # its channel bears the name of another call
    await hear(first, B)
    await first.hangup()
    await there.wait_for("ended")


@both_versions
async def test_a_transfer_goes_on(office: Office) -> None:
    here, there = await office.call("1001", "1002")
    await here.transfer("1003")
    ringing = await office.phones["1003"].incoming(timeout=5)
    await office.killed_and_back()
    taken = await ringing.answer(Tone(C))  # it rings still
    await hear(there, C)
    await hear(taken, B)
    await true(lambda: here.ended, "told to who has left")
    await taken.hangup()
    await there.wait_for("ended")


async def test_a_transferred_call_stands_without_us(office: Office) -> None:
    here, there = await office.call("1001", "1002")
    await here.transfer("1003")
    taken = await office.takes("1003")
    await here.wait_for("ended")
    assert here.outcome is Outcome.TRANSFERRED
    await office.killed_and_back()
    await hear(there, C)
    await hear(taken, B)
    assert not office.phones["1001"].live_calls
    await taken.hangup()
    await there.wait_for("ended")


@both_versions
async def test_a_recording_goes_on(office: Office) -> None:
    here, _ = await office.call("1001", "1002")
    await here.record("start")
    await office.killed_and_back()
    [summary] = [one for one in office.phones["1001"].live_calls if one.call_id == here.id]
    assert summary.recording == "on"
    await asyncio.sleep(1)
    await here.record("stop")
    await here.hangup()
    async with aiohttp.ClientSession(office.front_end.url) as http, asyncio.timeout(15):
        while True:
            async with http.get("/recordings", params={"callId": here.id}) as response:
                if recordings := (await response.json())["recordings"]:
                    break
            await asyncio.sleep(0.1)
    assert recordings[0]["seconds"] > 1.5  # what was said while nobody looked is in it
