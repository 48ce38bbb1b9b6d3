"""Who commands calls of others ends and calms them, and brings nobody in; the audit log says how it went."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from ari_bridge.fsm.call import CallState
from frontend.app import App
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import SignIn
from tests.security.test_audit import Read, read

__all__ = ["read"]
Place = Callable[[str], Awaitable[str]]
UNKNOWN = "c000000000000000000"


@pytest.fixture
def place(app: App, pbx: FakeAri, http: aiohttp.ClientSession, sign_in: SignIn) -> Place:
    """The id of a new call of a user, which was answered."""
    pbx.far_side = Answers()

    async def place(user: str) -> str:
        body = {"target": "600", "sdp": OFFER}
        async with http.post("/invite", json=body, headers=await sign_in(user)) as response:
            assert response.status == 201, await response.text()
            call_id = str((await response.json())["callId"])
        async with asyncio.timeout(10):
            while app.calls.get(call_id).state is not CallState.UP:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return call_id

    return place


async def ask(http: aiohttp.ClientSession, path: str, body: Any, headers: dict[str, str]) -> tuple[int, str]:
    async with http.post(path, json=body, headers=headers) as response:
        return response.status, (await response.json()).get("code", "")


@pytest.mark.parametrize("user", ["2002", "9001"])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("parties", {"target": "+436601234567"}),
        ("parties", {"target": "2002"}),
        ("transfer", {"target": "2002"}),
        ("record", {"action": "start"}),
        ("dtmf", {"digits": "1"}),
    ],
)
async def test_nobody_gets_into_a_call_of_others(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, place: Place, user: str, path: str, body: Any
) -> None:
    call_id = await place("1001")
    before = app.calls.get(call_id)
    assert await ask(http, f"/call/{call_id}/{path}", body, await sign_in(user)) == (404, "unknown_call")
    assert app.calls.get(call_id) is before


@pytest.mark.parametrize("user", ["2002", "9001"])
async def test_nobody_joins_a_call_of_others_to_the_own(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, place: Place, user: str
) -> None:
    theirs, own, headers = await place("1001"), await place(user), await sign_in(user)
    before = [app.calls.get(call_id) for call_id in (theirs, own)]
    for call_id, other in ((own, theirs), (theirs, own)):
        for path, body in (("parties", {"fromCallId": other}), ("transfer", {"toCallId": other})):
            assert await ask(http, f"/call/{call_id}/{path}", body, headers) == (404, "unknown_call")
    assert [app.calls.get(call_id) for call_id in (theirs, own)] == before


async def test_an_operator_calms_and_ends_them(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, place: Place
) -> None:
    call_id, headers = await place("1001"), await sign_in("2002")
    assert (await ask(http, f"/call/{call_id}/hold", {"held": True}, headers))[0] == 202
    async with http.delete(f"/call/{call_id}/parties/1", headers=headers) as response:
        assert response.status == 204
    async with http.delete(f"/call/{call_id}", headers=headers) as response:
        assert response.status == 204


async def test_the_audit_log_says_how_it_went(
    http: aiohttp.ClientSession, sign_in: SignIn, place: Place, read: Read
) -> None:
    call_id, headers = await place("1001"), await sign_in("2002")
    assert await ask(http, f"/call/{call_id}/leave", None, headers) == (409, "wrong_state")  # there is nobody else
    assert (await ask(http, f"/call/{call_id}/hold", {"held": True}, headers))[0] == 202
    assert [(entry["details"]["command"], entry["result"]) for entry in await read(action="call.control")] == [
        ("leave", "failed"),
        ("hold", "ok"),
    ]
    assert await ask(http, "/calls/end", {"callId": UNKNOWN}, headers) == (404, "unknown_call")
    assert (await ask(http, "/calls/end", {"callId": call_id}, headers))[0] == 200
    assert [(entry["object"], entry["result"]) for entry in await read(action="call.end")] == [
        (UNKNOWN, "failed"),
        (call_id, "ok"),
    ]
