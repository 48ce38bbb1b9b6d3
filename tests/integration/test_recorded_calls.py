"""A call recorded from the phone to the file that is downloaded: both sides are in it, and a pause is not."""

import asyncio
import io
import time
import wave
from typing import Any

import aiohttp
import numpy as np
import pytest

from ari_bridge_client import Call
from ari_bridge_client.audio import Tone, find_tones
from tests.real.live_system import LiveSystem, LiveSystemWith
from tests.real.parts import both_versions

pytestmark = pytest.mark.real
A, B = 500.0, 900.0


async def talk(site: LiveSystem, one: Any, other: Any) -> tuple[Call, Call]:
    async def take() -> Call:
        incoming = await other.incoming(timeout=5)
        taken: Call = await incoming.answer(Tone(B))
        return taken

    placed, taken = await asyncio.gather(one.call("1002", source=Tone(A)), take())
    await placed.received_audio.wait_for_tone(B)
    await taken.received_audio.wait_for_tone(A)
    return placed, taken


async def kept(site: LiveSystem, call_id: str) -> dict[str, Any]:
    """What the HTTP API tells of the call's recording, once it is kept."""
    async with aiohttp.ClientSession(site.app.url) as http, asyncio.timeout(15):
        while True:
            async with http.get("/recordings", params={"callId": call_id}) as response:
                found = (await response.json())["recordings"]
            if found:
                one: dict[str, Any] = found[0]
                return one
            await asyncio.sleep(0.1)


async def sound_of(site: LiveSystem, name: str) -> tuple[Any, int]:
    async with aiohttp.ClientSession(site.app.url) as http, http.get(f"/recordings/{name}/audio") as response:
        assert response.status == 200
        data = await response.read()
    with wave.open(io.BytesIO(data)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16), file.getframerate()


def heard_together(samples: Any, rate: int) -> bool:
    """Whether both are heard within some half second.

    Not in each: who speaks shares a crowded machine with the PBX, and stops before the recording does.
    """
    half = rate // 2
    return any(
        find_tones(samples[at : at + half], (A, B), rate) == {A, B} for at in range(0, len(samples) - half, half // 2)
    )


@both_versions
async def test_both_sides_are_in_the_file_but_not_the_pause(site: LiveSystem) -> None:
    async with site.phone("1001") as one, site.phone("1002") as other:
        placed, _ = await talk(site, one, other)
        began = time.monotonic()
        await placed.record("start")
        await asyncio.sleep(1.5)
        await placed.record("pause")
        paused = time.monotonic()
        await asyncio.sleep(2.5)
        paused = time.monotonic() - paused
        await placed.record("resume")
        await asyncio.sleep(0.5)
        await placed.hangup()
        lasted = time.monotonic() - began
    told = await kept(site, placed.id)
    samples, rate = await sound_of(site, told["name"])
    assert heard_together(samples, rate)
    # Of the pause some is in it: until Asterisk has heard of it.
    assert 1.0 <= len(samples) / rate <= lasted - paused / 2


async def test_every_call_is_recorded_where_it_is_set(site_with: LiveSystemWith) -> None:
    async with site_with(enable_call_recording=True) as site:
        async with site.phone("1001") as one, site.phone("1002") as other:
            placed, taken = await talk(site, one, other)
            await asyncio.sleep(1)
            await placed.hangup()
        for call_id in (placed.id, taken.id):
            samples, rate = await sound_of(site, (await kept(site, call_id))["name"])
            assert heard_together(samples, rate)
