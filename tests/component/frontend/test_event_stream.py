"""`GET /events`: where it starts, what a filter lets through, and what is said of events that are there no more."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from ari_bridge.event_log import Retention, log
from ari_bridge.fsm.call import Call, CallState, Direction
from ari_bridge.hooks import AriReceived, CallChanged, FeedbackGiven, UsageAlarm
from frontend.api.asyncapi import document as asyncapi
from frontend.app import App
from frontend.settings import Settings
from tests.component.conftest import until


def a_call(call_id: str, user: str) -> Call:
    return Call(call_id, Direction.OUTBOUND, "600", "1000", 1.0, state=CallState.UP, user=user)


async def tell(app: App) -> int:
    """Six events of two users' calls and others; the number before the first of them."""
    ann, bob = a_call("call-a", "ann"), a_call("call-b", "bob")
    app.store.save(ann, [CallChanged(ann), AriReceived("Dial", {"type": "Dial"}, call_id="call-a")])
    app.store.save(bob, [CallChanged(bob), FeedbackGiven("call-b", {"score": 5})])
    alarm = UsageAlarm("night", "ann", "NIGHT_CALLS", 3, 2)
    app.store.save(a_call("call-c", "eve"), [alarm, FeedbackGiven("call-c", {"score": 1})])
    return app.store.events.last - 6


async def read(http: aiohttp.ClientSession, count: int, headers: dict[str, str] | None = None, /, **asked: Any) -> Any:
    """The first events of a stream; and what has no event is no event."""
    told: list[dict[str, Any]] = []
    query = {name: str(value) for name, value in asked.items()}
    async with http.get("/events", params=query, headers=headers) as stream, asyncio.timeout(10):
        assert stream.status == 200, await stream.text()
        async for line in stream.content:
            if line.startswith(b"data: "):
                told.append(json.loads(line[6:]))
            if len(told) == count:
                return told
    raise AssertionError(f"the stream ended after {told}")


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"type": "call.changed"}, [1, 3]),
        ({"type": "call.*,feedback"}, [1, 3, 4, 6]),
        ({"type": "usage.alarm,ari"}, [2, 5]),
        ({"user": "bob"}, [3, 4]),
        ({"user": "ann"}, [1, 2, 5]),
        ({"call": "call-a"}, [1, 2]),
        ({"call": "call-b", "type": "feedback"}, [4]),
        ({"call": "call-b", "user": "ann"}, []),
    ],
)
@pytest.mark.parametrize("in_memory", [1000, 0], ids=["from memory", "from the file"])
async def test_filters(
    http: aiohttp.ClientSession,
    app: App,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, str],
    places: list[int],
    in_memory: int,
) -> None:
    monkeypatch.setattr(log, "MAX_RECENT_EVENTS", in_memory)
    begin = await tell(app)
    last = a_call("call-b" if asked.get("call") == "call-b" else "call-a", asked.get("user", "ann"))
    app.store.save(last, [_last(last, asked)])
    told = await read(http, len(places) + 1, after=begin, **asked)
    assert [event["id"] - begin for event in told] == [*places, 7]
    assert {event["version"] for event in told} == {1}


def _last(call: Call, asked: dict[str, str]) -> Any:
    """An event that every filter lets through: what has come before it is all there is."""
    wanted = asked.get("type", "call.changed")
    if "feedback" in wanted:
        return FeedbackGiven(call.id, {"score": 2})
    return UsageAlarm("night", "ann", "NIGHT_CALLS", 4, 2) if "usage" in wanted else CallChanged(call)


@pytest.mark.parametrize("asked", [{"type": "call changed"}, {"type": ""}, {"after": -1}, {"recent": 10_001}])
async def test_a_wrong_filter_is_refused(http: aiohttp.ClientSession, asked: dict[str, Any]) -> None:
    async with http.get("/events", params={name: str(value) for name, value in asked.items()}) as response:
        assert response.status == 400
        assert (await response.json())["field"] in asked


async def test_recent_starts_before_the_newest(http: aiohttp.ClientSession, app: App) -> None:
    begin = await tell(app)
    assert [event["id"] - begin for event in await read(http, 2, recent=2)] == [5, 6]


async def test_a_header_comes_before_the_query(http: aiohttp.ClientSession, app: App) -> None:
    begin = await tell(app)
    [event] = await read(http, 1, {"Last-Event-ID": str(begin + 4)}, after=begin)
    assert event["id"] == begin + 5


async def test_events_that_are_not_kept_any_more_are_said_to_be_missed(
    http: aiohttp.ClientSession, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MAX_RECENT_EVENTS", 0)
    app.store._maintenance._retention = Retention(events=2, ari_events=1)
    begin = await tell(app)
    await app.store._maintenance._purge_events()
    kept = [event["id"] - begin for event in await read(http, 2, after=0)]
    assert kept == [5, 6], "0 is the oldest that there is: nothing of it is missed"
    missed, *rest = await read(http, 3, after=begin + 1)
    assert (missed["name"], missed["data"]) == ("events.missed", {"after": begin + 1, "reason": "too_old"})
    assert (missed["id"] - begin, [event["id"] - begin for event in rest]) == (4, [5, 6])
    assert [event["id"] - begin for event in await read(http, 2, after=missed["id"])] == [5, 6], "told once"


async def test_a_number_of_another_log_is_said_to_be_unknown(http: aiohttp.ClientSession, app: App) -> None:
    begin = await tell(app)
    missed, first = await read(http, 2, after=app.store.events.last + 1000)
    assert missed["data"]["reason"] == "unknown_number"
    assert first["id"] <= begin + 1


async def test_a_program_that_was_away_over_a_restart_misses_nothing(settings: Settings, app: App) -> None:
    begin = await tell(app)
    await app.close()
    again = App(settings)
    await again.start()
    try:
        async with aiohttp.ClientSession(again.url) as http:
            told = await read(http, 6, after=begin)
    finally:
        await again.close()
    assert [event["id"] - begin for event in told] == [1, 2, 3, 4, 5, 6]
    assert told[3]["data"] == {"callId": "call-b", "score": 5}


async def test_a_log_that_cannot_be_read_is_told(
    http: aiohttp.ClientSession, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "MAX_RECENT_EVENTS", 0)
    begin = await tell(app)
    monkeypatch.setattr(app.store.events, "_path", app.store.path.with_name("elsewhere"))
    async with http.get("/events", params={"after": str(begin)}) as response:
        assert (response.status, (await response.json())["code"]) == (503, "unavailable")


async def test_the_asyncapi_document_is_served(http: aiohttp.ClientSession) -> None:
    async with http.get("/asyncapi.json") as response:
        assert response.content_type == "application/json"
        assert await response.read() == asyncapi.encoded()


async def test_a_websocket_carries_the_same(http: aiohttp.ClientSession, app: App) -> None:
    begin = await tell(app)
    by_stream = await read(http, 5, after=begin + 1)
    async with http.ws_connect(f"/events?after={begin + 1}") as socket, asyncio.timeout(10):
        assert [await socket.receive_json() for _ in range(5)] == by_stream
        app.store.events.append(FeedbackGiven("call-b", {"score": 3}))
        assert (await socket.receive_json())["id"] == begin + 7


async def test_a_websocket_of_events_takes_nothing(http: aiohttp.ClientSession, app: App) -> None:
    async with http.ws_connect("/events") as socket, asyncio.timeout(10):
        await socket.send_str("{}")
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1003)
    await until(lambda: not app_readers(app), "nobody follows any more")


async def test_a_server_that_ends_closes_the_websockets_of_events(settings: Settings) -> None:
    app = App(settings)
    await app.start()
    async with aiohttp.ClientSession(app.url) as http, http.ws_connect("/events") as socket, asyncio.timeout(10):
        closing = asyncio.create_task(app.close())
        message = await socket.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        await socket.close()
        await closing


async def test_pages_of_other_origins_get_no_websocket_of_events(http: aiohttp.ClientSession, app: App) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/events", origin="https://evil.example")
    assert refused.value.status == 403


def app_readers(app: App) -> int:
    """How many follow: one wakes each."""
    [wake] = app.store.events.listeners
    return len(wake.__self__._readers)  # type: ignore[attr-defined]
