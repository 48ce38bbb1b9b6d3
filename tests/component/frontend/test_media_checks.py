"""A page that hears nothing asks whether there is anything to be heard."""

import asyncio
from typing import Any

import aiohttp
import pytest

from frontend.app import App
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER


async def told(socket: aiohttp.ClientWebSocketResponse, kind: str) -> dict[str, Any]:
    """The next message of this type."""
    async with asyncio.timeout(5):
        while True:
            message: dict[str, Any] = await socket.receive_json()
            if message["type"] == kind:
                return message


@pytest.mark.parametrize("sounds", [False, True], ids=["silence", "loss"])
async def test_whether_sound_comes_for_the_page(app: App, rtpengine: FakeRtpengine, sounds: bool) -> None:
    async def speak() -> None:
        while True:
            rtpengine.far_packets += sounds
            await asyncio.sleep(0.02)

    async with aiohttp.ClientSession() as session, session.ws_connect(app.ws_url) as socket:
        await socket.send_json({"type": "offer", "target": "600", "callId": "call", "sdp": OFFER})
        while (await told(socket, "state"))["state"] != "accepted":
            pass
        speaking = asyncio.create_task(speak())
        for _ in range(3):  # one look, and one answer
            await socket.send_json({"type": "check-media", "callId": "call"})
        assert await told(socket, "media-checked") == {"type": "media-checked", "callId": "call", "sounds": sounds}
        await socket.send_json({"type": "check-media", "callId": "other"})
        assert (await told(socket, "error"))["code"] == "unknown_call"
        speaking.cancel()


async def test_nothing_is_told_where_rtpengine_does_not_say(app: App, rtpengine: FakeRtpengine) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(app.ws_url) as socket:
        await socket.send_json({"type": "offer", "target": "600", "callId": "call", "sdp": OFFER})
        while (await told(socket, "state"))["state"] != "accepted":
            pass
        rtpengine.refuse.add("query")
        await socket.send_json({"type": "check-media", "callId": "call"})
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await told(socket, "media-checked")
        rtpengine.refuse.clear()
        await socket.send_json({"type": "check-media", "callId": "call"})
        assert (await told(socket, "media-checked"))["sounds"] is False
