"""Every verb in every state, by HTTP and by WebSocket: a clear answer each time, no failure, nothing left."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from frontend.app import App
from tests.fakes.ari import Answers, FakeAri, RingsForEver
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER

VERBS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "hold": ("POST", "hold", {"held": True}),
    "unhold": ("POST", "hold", {"held": False}),
    "transfer": ("POST", "transfer", {"target": "700"}),
    "transfer to a call": ("POST", "transfer", {"toCallId": "other"}),
    "add": ("POST", "parties", {"target": "700"}),
    "join": ("POST", "parties", {"fromCallId": "other"}),
    "drop": ("DELETE", "parties/2", {}),
    "leave": ("POST", "leave", {}),
    "record": ("POST", "record", {"action": "start"}),
    "stop recording": ("POST", "record", {"action": "stop"}),
    "digits": ("POST", "dtmf", {"digits": "1"}),
}
ALLOWED = {  # what works in a call that two talk in; 404: the other call is none of ours
    "hold": 202,
    "unhold": 202,
    "transfer": 202,
    "transfer to a call": 404,
    "add": 202,
    "join": 404,
    "drop": 400,
    "leave": 409,
    "record": 202,
    "stop recording": 409,
    "digits": 202,
}


async def until(true: Any) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def state(http: aiohttp.ClientSession, *states: str) -> None:
    async with asyncio.timeout(10):
        while True:
            async with http.get("/call/call") as response:
                if (await response.json())["state"] in states:
                    return
            await asyncio.sleep(0.01)


@pytest.fixture(params=["ringing", "accepted", "ended", "none"])
async def standing(
    request: pytest.FixtureRequest, http: aiohttp.ClientSession, pbx: FakeAri, rtpengine: FakeRtpengine
) -> AsyncIterator[str]:
    """There is a call in this state, with the id `call`."""
    wanted: str = request.param
    pbx.far_side = RingsForEver() if wanted == "ringing" else Answers()
    if wanted != "none":
        async with http.post("/invite", json={"target": "600", "sdp": OFFER, "callId": "call"}) as response:
            assert response.status == 201
        await state(http, "ringing" if wanted == "ringing" else "accepted")
    if wanted == "ended":
        await http.delete("/call/call")
        await state(http, "ended")
    yield wanted
    await http.delete("/call/call")
    await until(lambda: not (pbx.channels or pbx.bridges or rtpengine.sessions))


@pytest.mark.parametrize("verb", VERBS)
async def test_every_verb_in_every_state(http: aiohttp.ClientSession, standing: str, verb: str) -> None:
    method, path, body = VERBS[verb]
    async with http.request(method, f"/call/call/{path}", json=body) as response:
        told = await response.json() if response.content_length else {}
        expected = {"none": 404, "accepted": ALLOWED[verb]}.get(standing, 409)
        if "other" in body.values() and standing != "none":
            expected = 404
        assert response.status == expected, told
        if expected >= 400:
            assert told["detail"].endswith(".")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("hold", {"held": "yes"}, "held"),
        ("transfer", {}, "target"),
        ("transfer", {"target": "700", "toCallId": "x"}, "target"),
        ("transfer", {"target": 700}, "target"),
        ("transfer", {"target": "7&8"}, "target"),
        ("transfer", {"target": "600"}, "target"),
        ("transfer", {"toCallId": "call"}, "callId"),
        ("parties", {"fromCallId": ["x"]}, "fromCallId"),
        ("record", {"action": "rewind"}, "action"),
        ("record", {}, "action"),
        ("dtmf", {"digits": "1" * 10_000}, "digits"),
        ("dtmf", {"digits": "abc"}, "digits"),
        ("dtmf", {"digits": ""}, "digits"),
    ],
)
async def test_bad_bodies(http: aiohttp.ClientSession, path: str, body: dict[str, Any], field: str) -> None:
    async with http.post("/invite", json={"target": "600", "sdp": OFFER, "callId": "call"}) as response:
        assert response.status == 201
    await state(http, "accepted")
    async with http.post(f"/call/call/{path}", json=body) as response:
        error = await response.json()
        assert (response.status, error["field"]) == (400, field), error


async def test_no_json_and_an_unknown_verb(http: aiohttp.ClientSession) -> None:
    async with http.post("/invite", json={"target": "600", "sdp": OFFER, "callId": "call"}) as response:
        assert response.status == 201
    await state(http, "accepted")
    async with http.post("/call/call/hold", data=b"{") as response:
        assert response.status == 400
    async with http.post("/call/call/hold", data=b"[]") as response:
        assert response.status == 400
    async with http.post("/call/call/fly") as response:
        assert response.status == 404
    async with http.delete("/call/call/parties/two") as response:
        assert (await response.json())["field"] == "party"


class Socket:
    """A plain WebSocket client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, **message: Any) -> None:
        await self._socket.send_str(json.dumps(message))

    async def next(self, kind: str, **values: Any) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while True:
                message: dict[str, Any] = await self._socket.receive_json()
                if message["type"] == kind and message.items() >= values.items():
                    return message


@asynccontextmanager
async def connected(app: App) -> AsyncIterator[Socket]:
    async with aiohttp.ClientSession() as session, session.ws_connect(app.ws_url) as socket:
        yield Socket(socket)


async def test_a_plain_client_is_told_of_hold_transfer_and_recording(app: App, pbx: FakeAri) -> None:
    async with connected(app) as client:
        await client.send(type="offer", target="600", sdp=OFFER, callId="call")
        await client.next("state", state="accepted")
        await client.send(type="hold", callId="call", held=True)
        assert await client.next("hold") == {"type": "hold", "callId": "call"}  # held, by us: what is left out
        await client.send(type="record", callId="call", action="start")
        assert (await client.next("recording", state="on"))["name"] == "call-rec1"
        await client.send(type="record", callId="call", action="pause")
        await client.next("recording", state="paused")
        pbx.far_sides["Local/700@from-browser/n"] = RingsForEver()
        await client.send(type="transfer", callId="call", target="700")
        assert (await client.next("party", state="ringing"))["number"] == "700"
        await client.send(type="drop-party", callId="call", party=2)
        assert (await client.next("transfer-failed"))["outcome"] == "cancelled"
        await client.send(type="transfer", callId="call", target="800")
        assert (await client.next("transferred"))["target"] == "800"
        assert (await client.next("state", state="ended"))["outcome"] == "transferred"
        await client.send(type="hold", callId="call")
        assert (await client.next("error"))["code"] == "unknown_call"


async def test_what_the_phone_system_did_not_do_is_told_with_what_it_was(app: App, pbx: FakeAri) -> None:
    async with connected(app) as client:
        await client.send(type="offer", target="600", sdp=OFFER, callId="call")
        await client.next("state", state="accepted")
        pbx.refuse |= {"channels.mute": 401, "channels.sendDTMF": 401}
        await client.send(type="hold", callId="call", held=True)
        assert (await client.next("error", code="pbx_refuses"))["field"] == "held"
        assert (await client.next("hold"))["held"] is False
        await client.send(type="dtmf", callId="call", digits="5")
        assert (await client.next("error", code="pbx_refuses"))["field"] == "digits"


async def test_a_call_of_somebody_else_is_unknown(app: App) -> None:
    async with connected(app) as one, connected(app) as other:
        await one.send(type="register", user="alice")
        await one.send(type="offer", target="600", sdp=OFFER, callId="call")
        await one.next("state", state="accepted")
        await other.send(type="register", user="bob")
        await other.next("registered")
        for verb in (
            {"type": "hold"},
            {"type": "transfer", "target": "700"},
            {"type": "add-party", "target": "700"},
            {"type": "drop-party", "party": 1},
            {"type": "leave"},
            {"type": "record", "action": "start"},
        ):
            await other.send(callId="call", **verb)
            assert (await other.next("error"))["code"] == "unknown_call"
        await other.send(type="offer", target="601", sdp=OFFER, callId="mine")
        await other.next("state", state="accepted")
        await other.send(type="transfer", callId="mine", toCallId="call")
        assert (await other.next("error"))["code"] == "unknown_call"
