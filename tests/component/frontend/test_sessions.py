"""A page loses its connection, reloads, or finds another server: it gets its calls back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until
from tests.fakes.ari import FakeAri, RingsForEver
from tests.hang_up import hang_up_all
from tests.offers import OFFER

Socket = aiohttp.ClientWebSocketResponse


async def told(socket: Socket, kind: str, *, seconds: float = 5.0) -> dict[str, Any]:
    """The next message of this type. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            message: dict[str, Any] = await socket.receive_json()
            if message["type"] == kind:
                return message


@asynccontextmanager
async def page(app: App, session: str | None = None, user: str | None = "1001") -> AsyncIterator[tuple[Socket, str]]:
    """A connection that goes on with `session`, or begins one; its session."""
    async with aiohttp.ClientSession() as http, http.ws_connect(app.ws_url) as socket:
        fresh = (await told(socket, "welcome"))["session"]
        if session:
            await socket.send_json({"type": "resume", "session": session})
            await told(socket, "resumed")
        if user:
            await socket.send_json({"type": "register", "user": user})
            await told(socket, "registered")
        yield socket, session or fresh


async def closed(socket: Socket) -> int:
    """The code that the server closes with. Raises TimeoutError."""
    async with asyncio.timeout(5):
        while (frame := await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
            pass
    return int(frame.data)


async def place(socket: Socket) -> str:
    await socket.send_json({"type": "offer", "target": "600", "sdp": OFFER})
    call_id: str = (await told(socket, "answer"))["callId"]
    return call_id


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"disconnect_grace": 30.0})


async def test_a_lost_connection_gives_the_call_back_to_the_next(app: App, pbx: FakeAri) -> None:
    pbx.far_side = RingsForEver()
    async with page(app) as (socket, session):
        call_id = await place(socket)
    await until(lambda: app.calls.get(call_id).owner_away, "the page to be away")
    async with page(app, session) as (socket, _):
        [summary] = (await told(socket, "calls"))["calls"]
        assert (summary["callId"], summary["here"], summary["attached"]) == (call_id, True, True)
        assert not app.calls.get(call_id).owner_away
        await socket.send_json({"type": "hangup", "callId": call_id})
        assert (await told(socket, "state"))["state"] == "ended"


async def test_a_page_that_reloads_gets_new_media(app: App) -> None:
    async with page(app) as (socket, session):
        call_id = await place(socket)
    async with page(app, session) as (socket, _):
        await socket.send_json({"type": "offer", "callId": call_id, "sdp": OFFER})
        assert (await told(socket, "answer"))["callId"] == call_id
        assert app.calls.get(call_id).near_channel == f"{call_id}-em2"
        await hang_up_all(app.calls)


async def test_who_takes_no_calls_hears_nothing_ring_and_calls_under_the_same_name(app: App, pbx: FakeAri) -> None:
    async with page(app) as (socket, _):
        await pbx.call_in("ast-1", "1001")
        rings = await told(socket, "incoming-call")
        await socket.send_json({"type": "unregister"})
        ended = await told(socket, "incoming-ended")
        assert (ended["callId"], ended["reason"]) == (rings["callId"], "cancelled")
        await told(socket, "unregistered")
        assert app.pages.users() == []
        assert app.calls.get(await place(socket)).user == "1001"
        await hang_up_all(app.calls)


async def test_a_session_that_is_not_ours_is_refused_and_harms_nothing(app: App) -> None:
    async with page(app, user=None) as (socket, session):
        for wrong in ("", "x", session[:-1], session + "x", "ä.ö"):
            await socket.send_json({"type": "resume", "session": wrong})
            error = await told(socket, "error")
            assert (error["code"], error["field"]) == ("unauthorized", "session")


async def test_another_page_takes_over_only_when_it_says_so(app: App) -> None:
    async with page(app) as (first, _), page(app) as (second, _):
        call_id = await place(first)
        async with asyncio.timeout(5):
            while not (summaries := (await told(second, "calls"))["calls"]):
                pass
        assert (summaries[0]["here"], summaries[0]["attached"]) == (False, True)
        await second.send_json({"type": "offer", "callId": call_id, "sdp": OFFER})
        assert (await told(second, "error"))["code"] == "owned_elsewhere"
        await second.send_json({"type": "offer", "callId": call_id, "sdp": OFFER, "takeOver": True})
        assert (await told(second, "answer"))["callId"] == call_id
        assert (await told(first, "taken-over"))["callId"] == call_id
        await second.send_json({"type": "hangup", "callId": call_id})
        assert (await told(second, "state"))["state"] == "ended"


async def test_a_call_is_nobody_else_s(app: App) -> None:
    async with page(app) as (first, _), page(app, user="1002") as (stranger, _):
        call_id = await place(first)
        await stranger.send_json({"type": "offer", "callId": call_id, "sdp": OFFER, "takeOver": True})
        assert (await told(stranger, "error"))["code"] == "unknown_call"
        assert app.calls.get(call_id).near_channel == f"{call_id}-em"
        await hang_up_all(app.calls)


async def test_an_older_connection_of_the_session_is_closed(app: App) -> None:
    async with page(app) as (old, session):
        call_id = await place(old)
        async with page(app, session) as (new, _):
            assert await closed(old) == 4001
            assert not app.calls.get(call_id).owner_away
            await new.send_json({"type": "hangup", "callId": call_id})
            assert (await told(new, "state"))["state"] == "ended"


async def test_the_next_server_knows_the_session_and_the_call(settings: Settings, pbx: FakeAri) -> None:
    first = App(settings)
    await first.start()
    await until(lambda: first.ari.connected)
    async with page(first) as (socket, session):
        call_id = await place(socket)
        async with asyncio.timeout(5):
            while (await told(socket, "state"))["state"] != "accepted":
                pass
        await first.drain(0)
        await first.close()
    second = App(settings)
    await second.start()
    try:
        async with page(second, session) as (socket, _):  # it may be here before the PBX is
            [summary] = (await told(socket, "calls"))["calls"]
            assert (summary["callId"], summary["state"], summary["here"]) == (call_id, "accepted", True)
            await until(lambda: second.ari.connected)
            await until(
                lambda: any(call.id == call_id and call.allocated for call in second.calls.live()), "the adoption"
            )
            assert not second.calls.get(call_id).owner_away
            await socket.send_json({"type": "hangup", "callId": call_id})
            assert (await told(socket, "state"))["state"] == "ended"
            await until(lambda: not pbx.channels)
    finally:
        await second.close()


async def test_a_server_that_is_told_to_end_fails_no_call_by_breaking_off(settings: Settings, pbx: FakeAri) -> None:
    first = App(settings)
    await first.start()
    await until(lambda: first.ari.connected)
    async with page(first) as (socket, session):
        await pbx.call_in("ast-1", "1001")
        call_id = (await told(socket, "incoming-call"))["callId"]
        pbx.lose.add("channels.answer")
        await socket.send_json({"type": "offer", "callId": call_id, "sdp": OFFER})
        await until(lambda: pbx.channels["ast-1"].state == "Up", "the caller's answer")
        await first.drain(0)
        await first.close()
    pbx.lose.clear()
    second = App(settings)
    await second.start()
    try:
        async with page(second, session) as (socket, _):
            await until(lambda: second.calls.get(call_id).milestones, "the adoption")
            await socket.send_json({"type": "hangup", "callId": call_id})
            assert (await told(socket, "state"))["outcome"] == "completed"
            await until(lambda: not pbx.channels)
    finally:
        await second.close()


async def test_a_hang_up_that_comes_before_the_pbx_is_reached_counts(settings: Settings, pbx: FakeAri) -> None:
    first = App(settings)
    await first.start()
    await until(lambda: first.ari.connected)
    async with page(first) as (socket, session):
        call_id = await place(socket)
        await first.close()
    await pbx.stop()
    second = App(settings)
    await second.start()
    try:
        async with page(second, session) as (socket, _):
            await socket.send_json({"type": "hangup", "callId": call_id})
            await socket.send_json({"type": "ping", "id": 1})
            await told(socket, "pong")
            await pbx.start()
            async with asyncio.timeout(10):
                while (await told(socket, "state", seconds=10))["state"] != "ended":
                    pass
            await until(lambda: not pbx.channels)
    finally:
        await second.close()


async def test_a_draining_server_sends_its_pages_away_and_takes_no_calls(app: App) -> None:
    async with page(app) as (socket, _), aiohttp.ClientSession(app.url) as http:
        draining = asyncio.create_task(app.drain(0.5))
        assert (await told(socket, "reconnect"))["within"] == 0.5
        await socket.send_json({"type": "offer", "target": "600", "sdp": OFFER})
        error = await told(socket, "error")
        assert error["code"] == "unavailable" and error["retryAfter"] > 0
        async with http.post("/invite", json={"target": "600", "sdp": OFFER}) as response:
            assert response.status == 503 and response.headers["Retry-After"]
        async with http.get("/health") as response:
            assert (response.status, (await response.json())["status"]) == (503, "draining")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect("/ws")
        assert refused.value.status == 503
        await draining


async def test_a_page_that_stops_pinging_in_a_call_is_cut_off_and_its_call_goes_on(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontend.websocket.message_socket.INACTIVITY_TIMEOUT_S", 0.4)
    async with page(app) as (socket, _):
        call_id = await place(socket)
        await socket.send_json({"type": "ping", "id": 1})
        assert await closed(socket) == 4000
        assert app.calls.get(call_id).state.live
        await hang_up_all(app.calls)
