"""What pages are told of STUN and TURN servers, and what becomes of their candidates."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from frontend.app import App
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import PHONE
from frontend.auth.principal import Principal
from frontend.settings import Settings
from frontend.webrtc.ice_servers import credentials
from tests.component.frontend.test_sessions import Socket, place, told
from tests.fakes.rtpengine import FakeRtpengine
from tests.offers import OFFER

SECRET = "north" * 8
STUN, TURN = "stun:turn.example.com", "turn:turn.example.com"
CANDIDATE = "candidate:1 1 udp 1677729535 203.0.113.{} 46154 typ srflx raddr 10.0.0.5 rport 46154"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"ice_servers": (STUN, TURN), "turn_secret": SECRET, "turn_lifetime": 600, "disconnect_grace": 30.0}
    )


async def kinds_until(socket: Socket, kind: str) -> list[str]:
    """The types of all messages up to the first of this type. Raises TimeoutError."""
    seen: list[str] = []
    async with asyncio.timeout(5):
        while kind not in seen:
            seen.append((await socket.receive_json())["type"])
    return seen


def turn_of(message: dict[str, Any]) -> dict[str, Any] | None:
    return next((server for server in message["servers"] if TURN in server["urls"]), None)


async def test_a_page_is_told_after_welcome_and_with_its_name_after_registered(app: App) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        assert (await socket.receive_json())["type"] == "welcome"
        first = await socket.receive_json()
        assert first["type"] == "ice-servers" and first["servers"][0] == {"urls": [STUN]}
        turn = turn_of(first)
        assert turn and turn["username"].endswith(":page")  # with authentication off, everybody may
        await socket.send_json({"type": "register", "user": "1001"})
        await told(socket, "registered")
        message = await socket.receive_json()
        turn = turn_of(message)
        assert turn and turn["username"] == f"{message['expiresAt']}:1001"
        assert turn["credential"] == credentials(SECRET, "1001", message["expiresAt"]).password
        assert 590 < message["expiresAt"] - time.time() <= 600


async def test_credentials_are_renewed_on_a_connection_that_stands(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontend.webrtc.ice_servers.RENEWED_AFTER", 1 / 6000)  # 0.1 s
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        for _ in range(4):
            await told(socket, "ice-servers")


class TestWithAuthentication:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"enable_authentication": True})

    async def test_turn_is_told_to_who_has_signed_in_alone(self, app: App, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(  # no password is hashed for this
            Authenticator, "principal_of", lambda access, token, *more: Principal("1001", grants=PHONE)
        )
        async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
            first = await told(socket, "ice-servers")
            assert first["servers"] == [{"urls": [STUN]}] and "expiresAt" not in first
            await socket.send_json({"type": "register", "user": "1001", "token": "x"})
            turn = turn_of(await told(socket, "ice-servers"))
            assert turn and turn["username"].endswith(":1001")


class TestWithoutServers:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"ice_servers": ()})

    async def test_nothing_is_told(self, app: App) -> None:
        async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
            await socket.send_json({"type": "register", "user": "1001"})
            assert await kinds_until(socket, "calls") == ["welcome", "registered", "calls"]


async def passed_on(rtpengine: FakeRtpengine, count: int) -> list[str]:
    """The offers with candidates that rtpengine was given, once there are so many. Raises TimeoutError."""
    async with asyncio.timeout(5):
        while True:
            offers = [command["sdp"] for command in rtpengine.commands if command["command"] == b"offer"]
            found = [sdp.decode() for sdp in offers if isinstance(sdp, bytes) and b"a=candidate:" in sdp]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontend.webrtc.trickle_ice.CONNECTIVITY_TIMEOUT_S", 0.2)


@pytest.mark.usefixtures("soon")
async def test_candidates_are_passed_on_together_where_the_browser_does_not_come_through(
    app: App, rtpengine: FakeRtpengine
) -> None:
    rtpengine.delay["answer"] = 0.2
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        await socket.send_json({"type": "offer", "target": "600", "callId": "mine", "sdp": OFFER})
        for number in (1, 2):
            found = {"candidate": CANDIDATE.format(number), "sdpMid": "0", "sdpMLineIndex": 0}
            await socket.send_json({"type": "candidate", "callId": "mine", **found})
        await told(socket, "answer")
        [together] = await passed_on(rtpengine, 1)
        assert "203.0.113.1 " in together and "203.0.113.2 " in together and "end-of-candidates" not in together
        await socket.send_json({"type": "candidate", "callId": "mine", "candidate": CANDIDATE.format(3)})
        await socket.send_json({"type": "candidate", "callId": "mine", "candidate": None})
        later = (await passed_on(rtpengine, 2))[1]
        assert "203.0.113.1 " in later and "203.0.113.3 " in later


@pytest.mark.usefixtures("soon")
async def test_candidates_of_media_that_was_made_ahead_are_kept_for_its_call(
    app: App, rtpengine: FakeRtpengine
) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        await socket.send_json({"type": "prepare-media", "callId": "mine", "sdp": OFFER})
        await told(socket, "media-prepared")
        await socket.send_json({"type": "candidate", "callId": "mine", "candidate": CANDIDATE.format(1)})
        await socket.send_json({"type": "offer", "target": "600", "callId": "mine", "sdp": OFFER})
        assert "203.0.113.1 " in (await passed_on(rtpengine, 1))[0]
        await socket.send_json({"type": "candidate", "callId": "mine", "candidate": CANDIDATE.format(2)})
        assert "203.0.113.2 " in (await passed_on(rtpengine, 2))[1]


async def test_and_not_where_it_does(app: App, rtpengine: FakeRtpengine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("frontend.webrtc.trickle_ice.CONNECTIVITY_TIMEOUT_S", 0.05)
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        call_id = await place(socket)
        rtpengine.found |= rtpengine.sessions
        asked = rtpengine.counts["query"]
        await socket.send_json({"type": "candidate", "callId": call_id, "candidate": CANDIDATE.format(1)})
        async with asyncio.timeout(5):
            while rtpengine.counts["query"] == asked:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert rtpengine.counts["offer"] == 1


@pytest.mark.usefixtures("soon")
async def test_a_wrong_candidate_is_told_and_harms_nothing(app: App, rtpengine: FakeRtpengine) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        call_id = await place(socket)
        await socket.send_json({"type": "candidate", "callId": call_id, "candidate": "candidate:nonsense"})
        error = await told(socket, "error")
        assert (error["code"], error["field"], error["callId"]) == ("invalid_request", "candidate", call_id)
        await socket.send_json({"type": "candidate", "callId": "another", "candidate": CANDIDATE.format(1)})
        assert (await told(socket, "error"))["code"] == "unknown_call"
        await socket.send_json({"type": "candidate", "callId": call_id, "candidate": CANDIDATE.format(1)})
        assert len(await passed_on(rtpengine, 1)) == 1


async def test_a_page_may_give_64_candidates_of_an_offer(app: App) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        call_id = await place(socket)
        for number in range(65):
            await socket.send_json({"type": "candidate", "callId": call_id, "candidate": CANDIDATE.format(number)})
        assert (await told(socket, "error"))["code"] == "too_many"


@pytest.mark.usefixtures("soon")
async def test_an_rtpengine_that_refuses_candidates_ends_no_call(app: App, rtpengine: FakeRtpengine) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        call_id = await place(socket)
        offers = rtpengine.counts["offer"]
        rtpengine.refuse.add("offer")
        await socket.send_json({"type": "candidate", "callId": call_id, "candidate": CANDIDATE.format(1)})
        async with asyncio.timeout(5):
            while rtpengine.counts["offer"] == offers:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert app.calls.get(call_id).state.live


# --- the codec that a page asks for ---------------------------------------------------------

BOTH_CODECS = OFFER.replace("SAVPF 111\r\n", "SAVPF 111 0\r\n") + "a=rtpmap:0 PCMU/8000\r\n"


def transcodes(rtpengine: FakeRtpengine) -> list[bool]:
    """Of each offer that rtpengine was given, whether Opus is to be turned into PCMU."""
    codecs = [command["codec"] for command in rtpengine.commands if command["command"] == b"offer"]
    return ["transcode" in codec for codec in codecs if isinstance(codec, dict)]


@pytest.mark.parametrize(("prefer", "transcoded"), [(None, True), ("opus", True), ("pcmu", False)])
async def test_a_call_may_ask_for_its_codec(
    app: App, http: aiohttp.ClientSession, rtpengine: FakeRtpengine, prefer: str | None, transcoded: bool
) -> None:
    asked = {"target": "600", "sdp": BOTH_CODECS} | ({"prefer": prefer} if prefer else {})
    async with http.post("/invite", json=asked) as response:
        assert response.status == 201
    async with http.ws_connect(app.ws_url) as socket:
        await socket.send_json({"type": "offer", **asked})
        await told(socket, "answer")
    assert transcodes(rtpengine) == [transcoded] * 2


async def test_a_codec_that_is_none_of_the_two_is_refused(app: App, http: aiohttp.ClientSession) -> None:
    asked = {"target": "600", "sdp": BOTH_CODECS, "prefer": "g729"}
    async with http.post("/invite", json=asked) as response:
        assert response.status == 400
        assert (await response.json())["field"] == "prefer"
    async with http.ws_connect(app.ws_url) as socket:
        await socket.send_json({"type": "offer", **asked})
        error = await told(socket, "error")
        assert (error["code"], error["field"]) == ("invalid_request", "prefer")
