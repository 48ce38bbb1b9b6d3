"""Every verb in every phase of a call, by HTTP and by WebSocket: the same clear code, and nothing is changed."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from ari_bridge.errors import UnknownCall
from ari_bridge.fsm.call import CallState
from frontend.app import App
from frontend.http.problems import PROBLEM_TYPES
from tests.component.conftest import until
from tests.fakes.ari import Answers, FakeAri, RingsForEver
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER

VERBS: dict[str, tuple[str, dict[str, Any]]] = {  # by HTTP; the WebSocket's message has the same fields
    "hold": ("POST hold", {"held": True}),
    "unhold": ("POST hold", {"held": False}),
    "transfer": ("POST transfer", {"target": "700"}),
    "attended transfer": ("POST transfer", {"toCallId": "other"}),
    "add": ("POST parties", {"target": "700"}),
    "join": ("POST parties", {"fromCallId": "other"}),
    "drop": ("DELETE parties/2", {"party": 2}),
    "leave": ("POST leave", {}),
    "record": ("POST record", {"action": "start"}),
    "pause": ("POST record", {"action": "pause"}),
    "resume": ("POST record", {"action": "resume"}),
    "stop": ("POST record", {"action": "stop"}),
    "digits": ("POST dtmf", {"digits": "1"}),
    "feedback": ("POST feedback", {"score": 5}),
}
MESSAGES = {"parties": "add-party", "parties/2": "drop-party"}
PHASES = ["none", "trying", "ringing", "early", "inbound", "accepting", "accepted", "held", "ending", "ended"]


class Page:
    """The page of alice: it holds the call, or rings."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, **message: Any) -> None:
        await self._socket.send_str(json.dumps(message))

    async def code(self, **message: Any) -> str | None:
        """Of the error that it brings; None where it brings none."""
        await self.send(**message)
        await self.send(type="ping", id=1)
        code = None
        async with asyncio.timeout(5):
            while (told := await self._socket.receive_json())["type"] != "pong":
                if told["type"] == "error":
                    code = told["code"]
        return code


@pytest.fixture
async def page(app: App) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession() as session, session.ws_connect(app.ws_url) as socket:
        page = Page(socket)
        assert await page.code(type="register", user="alice") is None
        yield page


@pytest.fixture(params=PHASES)
async def phase(
    request: pytest.FixtureRequest, app: App, page: Page, pbx: FakeAri, rtpengine: FakeRtpengine
) -> AsyncIterator[str]:
    """alice has the call `call`, in this phase."""
    phase: str = request.param
    pbx.far_side = {"ringing": RingsForEver(), "early": RingsForEver(early=True)}.get(phase, Answers())
    rtpengine.far_packets = int(phase == "early")
    if phase == "trying":
        pbx.hang.add("channels.dial")
    states = {
        "trying": CallState.TRYING,
        "ringing": CallState.RINGING,
        "early": CallState.EARLY,
        "inbound": CallState.RINGING,
        "accepting": CallState.ACCEPTING,
        "ending": CallState.ENDING,
        "ended": CallState.ENDED,
    }
    if phase in ("inbound", "accepting"):
        await pbx.call_in("phone", "alice")
        await until(lambda: [call.state for call in app.calls.live()] == [CallState.RINGING])
        if phase == "accepting":
            rtpengine.hang = True
            await page.send(type="offer", callId=the_call(app), sdp=OFFER)
    elif phase != "none":
        await page.send(type="offer", target="600", callId="call", sdp=OFFER)
        if phase in ("accepted", "held", "ending", "ended"):
            await until(lambda: state_of(app) is CallState.UP)
        if phase == "held":
            await page.send(type="hold", callId="call", held=True)
            await until(lambda: app.calls.get("call").held)
        if phase == "ending":
            pbx.hang.add("channels.hangup")
        if phase in ("ending", "ended"):
            await page.send(type="hangup", callId="call")
    if state := states.get(phase):
        await until(lambda: state_of(app) is state)
    yield phase
    rtpengine.hang = False
    pbx.hang.clear()


def the_call(app: App) -> str:
    live = app.calls.live()
    return live[0].id if live else "call"


def state_of(app: App) -> CallState | None:
    try:
        return app.calls.get(the_call(app)).state
    except UnknownCall:
        return None  # the message is still on its way


def expected(phase: str, verb: str) -> str | None:
    """None: it is begun."""
    if phase == "none" or "other" in VERBS[verb][1].values():
        return "unknown_call"
    if phase == "inbound":
        return "unknown_call"  # it is nobody's yet
    if verb == "feedback":
        return None if phase in ("ending", "ended") else "wrong_state"
    if verb == "digits" and phase == "early":
        return None
    if phase not in ("accepted", "held"):
        return "wrong_state"
    if verb == "drop":
        return "invalid_request"
    return "wrong_state" if verb in ("leave", "pause", "resume", "stop") else None


@pytest.mark.parametrize("verb", VERBS)
async def test_by_websocket(app: App, page: Page, phase: str, verb: str) -> None:
    (kind, fields), call_id = VERBS[verb], the_call(app)
    before = app.calls.get(call_id) if phase != "none" else None
    path = kind.partition(" ")[2]
    code = await page.code(type=MESSAGES.get(path, path), callId=call_id, **fields)
    assert code == expected(phase, verb)
    if code and before:
        assert app.calls.get(call_id).state is before.state


@pytest.mark.parametrize("verb", VERBS)
async def test_by_http(app: App, http: aiohttp.ClientSession, phase: str, verb: str) -> None:
    (kind, fields), call_id = VERBS[verb], the_call(app)
    before = app.calls.get(call_id) if phase != "none" else None
    method, path = kind.split(" ")
    body = fields if method == "POST" else None
    async with http.request(method, f"/call/{call_id}/{path}", json=body) as response:
        told = await response.json() if response.status != 204 else {}
    wanted = expected(phase, verb)
    if phase == "inbound" and wanted == "unknown_call" and "other" not in fields.values():
        wanted = "wrong_state"  # without sign-in every call is the asker's, also one that nobody has taken yet
    assert told.get("code") == wanted, told
    assert response.status == (PROBLEM_TYPES[wanted].status if wanted else 202)
    if wanted:
        assert response.content_type == "application/problem+json" and told["detail"].endswith(".")
        assert told["type"] == f"/docs#problem-{wanted}"
        if before:
            assert app.calls.get(call_id).state is before.state
