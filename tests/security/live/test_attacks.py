"""Attacks on the whole system while a call stands: it is heard, memory stays, and somebody else signs in and calls."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ari_bridge_client import Client
from ari_bridge_client.audio import Samples, Silence
from tests.chaos.front_end import PROJECT, FrontEnd
from tests.real.tone_presence import TonePresence, has_tone
from tests.security.live.conftest import PASSWORD

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]

MILLIWATT = 1004.0
MAX_SILENCE_S = 1.0
"""A busy machine loses a frame now and then; a call that is neglected is silent for longer."""
MAX_GROWTH_MB = 80.0
PASSWORDS_MB = 2 * 68.0
"""What the passwords take that are verified at the moment."""


class Ears:
    """When a call was heard."""

    def __init__(self) -> None:
        self.presence = TonePresence()
        self._played = 0.0

    def hear(self, samples: Samples, rate: int) -> None:
        start = max(time.time() - len(samples) / rate, self._played)
        self._played = start + len(samples) / rate
        self.presence.heard(start, self._played, tone=has_tone(samples, MILLIWATT, rate))


@asynccontextmanager
async def attacked(front_end: FrontEnd, attack: str, token: str) -> AsyncIterator[Process]:
    """The attack is under way."""
    process = await asyncio.create_subprocess_exec(
        "nice",
        sys.executable,
        "-m",
        "tests.security.live.attacker",
        attack,
        front_end.url,
        token,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": f"{PROJECT}:{PROJECT}/clients/python"},
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def calls_601(front_end: FrontEnd, user: str) -> None:
    """The user signs in, calls, and hears the tone."""
    async with Client(front_end.ws_url, user=user, password=PASSWORD) as phone:
        call = await phone.call("601", source=Silence())
        await call.received_audio.wait_for_tone(MILLIWATT, timeout=15)
        await call.hangup()


async def stolen_token(front_end: FrontEnd) -> str:
    async with Client(front_end.ws_url, user="1009", password=PASSWORD) as phone:
        assert phone.http.token
        return phone.http.token


@pytest.mark.parametrize("attack", ["headers", "idle", "bodies", "websockets", "sign_ins", "http", "messages"])
async def test_a_call_that_stands_and_one_that_begins(front_end: FrontEnd, attack: str) -> None:
    token = await stolen_token(front_end)
    await calls_601(front_end, "1002")  # what is made once is in memory before it is measured
    async with Client(front_end.ws_url, user="1001", password=PASSWORD) as phone:
        call = await phone.call("601", source=Silence())
        await call.wait_for("accepted")
        await call.received_audio.wait_for_tone(MILLIWATT)
        ears = Ears()
        call.received_audio.on_frame(ears.hear)
        await asyncio.sleep(0.5)
        before, since = front_end.megabytes(), time.time()
        async with attacked(front_end, attack, token) as process:
            assert process.stdout
            worst = asyncio.create_task(process.stdout.readline())
            for _ in range(3):
                await calls_601(front_end, "1002")
            seen = json.loads(await asyncio.wait_for(worst, 60))
            await calls_601(front_end, "1002")
            grown, until = front_end.megabytes() - before, time.time()
        silence = ears.presence.longest_silence(since, until - 0.5)
        print(f"{attack}: {grown:+.1f} MB, longest silence {silence:.3f} s of {until - since:.1f} s, {seen}")  # noqa: T201
        assert silence < MAX_SILENCE_S
        assert grown < MAX_GROWTH_MB + PASSWORDS_MB
        async with asyncio.timeout(20):
            while front_end.megabytes() - before > MAX_GROWTH_MB:  # noqa: ASYNC110  passwords are still verified
                await asyncio.sleep(0.1)
        assert call.state == "accepted" and phone.connection_losses == 0
        await call.hangup()
    assert await front_end.health() == 200
    assert "Traceback" not in front_end.log.read_text()
