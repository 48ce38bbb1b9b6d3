"""Who may do what: what worked for somebody who should not, tried again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import Accounts, passwords
from ari_bridge.event_log import log as event_log
from ari_bridge.fsm.call import CallState
from ari_bridge.hooks import AriReceived, DigitReceived
from frontend.app import App
from frontend.settings import Settings
from tests.fakes.accounts import forge
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import PASSWORD, USERS, Page, SignIn

OpenPage = Callable[[], Awaitable[Page]]


def token_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


async def a_call_of(user: str, page: OpenPage, sign_in: SignIn) -> tuple[Page, str]:
    owner = await page()
    told = await owner.ask("registered", type="register", user=user, token=token_of(await sign_in(user)))
    assert told["type"] == "registered"
    answer = await owner.ask("answer", type="offer", target="600", sdp=OFFER)
    return owner, answer["callId"]


# --- a session token alone ------------------------------------------------------------------


@pytest.mark.parametrize("thief", ["nobody", "another user", "with a token that was forged"])
async def test_a_stolen_session_commands_no_call(
    app: App, pbx: FakeAri, page: OpenPage, sign_in: SignIn, thief: str
) -> None:
    pbx.far_side = Answers()
    owner, call_id = await a_call_of("1001", page, sign_in)
    stranger = await page()
    token = {"another user": token_of(await sign_in("1002")), "with a token that was forged": "a.b.c"}.get(thief)
    refused = await stranger.ask("resumed", type="resume", session=owner.session, token=token)
    assert (refused["type"], refused["code"], refused["field"]) == ("error", "unauthorized", "session")
    for command in (
        {"type": "add-party", "target": "1003"},
        {"type": "transfer", "target": "7001"},
        {"type": "hangup"},
    ):
        refused = await stranger.ask("party", callId=call_id, **command)
        assert refused["code"] in ("unknown_call", "unauthorized")
    assert app.calls.get(call_id).state.live and not app.calls.get(call_id).parties
    assert not owner.socket.closed, "the owner was thrown out"


async def test_its_own_user_gets_the_calls_back(app: App, pbx: FakeAri, page: OpenPage, sign_in: SignIn) -> None:
    pbx.far_side = Answers()
    owner, call_id = await a_call_of("1001", page, sign_in)
    await owner.socket.close()
    again = await page()
    told = await again.ask("resumed", type="resume", session=owner.session, token=token_of(await sign_in("1001")))
    assert told["type"] == "resumed"
    assert [call["callId"] for call in (await again.told("calls"))["calls"]] == [call_id]


async def test_with_a_token_that_has_expired_a_call_goes_on_and_nothing_new_begins(
    app: App, pbx: FakeAri, page: OpenPage, sign_in: SignIn
) -> None:
    pbx.far_side = Answers()
    owner, call_id = await a_call_of("1001", page, sign_in)
    again = await page()
    told = await again.ask("resumed", type="resume", session=owner.session, token=forge(app, "1001", exp=1))
    assert told["type"] == "resumed"
    for command in ({"type": "add-party", "target": "1003"}, {"type": "transfer", "target": "7001"}):
        assert (await again.ask("party", callId=call_id, **command))["code"] == "unauthorized"
    assert (await again.ask("answer", type="offer", target="600", sdp=OFFER))["code"] == "unauthorized"
    await again.socket.send_json({"type": "hangup", "callId": call_id})
    while app.calls.get(call_id).state is not CallState.ENDED:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


# --- what ends a sign-in ------------------------------------------------------------------


@pytest.mark.parametrize("what", ["removed", "locked", "password", "everywhere", "another of the name"])
async def test_what_ends_a_sign_in_ends_sockets_streams_and_tokens_within_a_second(
    app: App, settings: Settings, http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn, what: str
) -> None:
    headers = await sign_in("1001")
    registered = await page()
    await registered.ask("registered", type="register", user="1001", token=token_of(headers))
    async with http.get("/events", headers=headers) as stream:
        other = Accounts(settings.state_dir, settings.users_file)  # of another process, as `ari-bridge user` is
        await other.open()
        match what:
            case "removed":
                await other.remove("1001")
            case "locked":
                await other.set_locked("1001", True)
            case "password":
                await other.set_password("1001", passwords.hash_password("another one"))
            case "everywhere":
                async with http.delete("/sessions", headers=headers) as response:
                    assert response.status == 204
            case "another of the name":
                await other.remove("1001")
                await other.add("1001", passwords.hash_password(PASSWORD))
        await other.close()
        async with asyncio.timeout(1.0):
            while (frame := await registered.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
            assert frame.data == 4401
            await stream.content.read()
    for path in ("/cdrs", "/me/preferences", "/calls"):
        async with http.get(path, headers=headers) as response:
            assert response.status == 401


# --- the name of somebody who is gone ---------------------------------------------------------


async def test_who_gets_the_name_of_a_removed_user_shares_nothing_with_that_one(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, sign_in: SignIn
) -> None:
    before = await sign_in("1001")
    async with http.put("/me/preferences", json={"forwardAlways": "1002"}, headers=before) as response:
        assert response.status == 200
    async with http.post("/invite", json={"target": "600", "sdp": OFFER}, headers=before) as response:
        call_id = (await response.json())["callId"]
    async with http.get(f"/call/{call_id}", headers=before) as response:
        assert response.status == 200
    await app.accounts.remove("1001")
    async with asyncio.timeout(5):
        while app.user_services.preferences("1001").forward_always:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await app.accounts.add("1001", passwords.hash_password(PASSWORD))
    after = await sign_in("1001")
    for path in (f"/call/{call_id}", f"/cdrs/{call_id}"):
        async with http.get(path, headers=after) as response:
            assert response.status == 404
    async with http.delete(f"/call/{call_id}", headers=after) as response:
        assert response.status == 404
    for path, kind in (("/calls", "calls"), ("/cdrs", "cdrs"), ("/recordings", "recordings")):
        async with http.get(path, headers=after) as response:
            assert (await response.json())[kind] == []
    async with http.get("/me/preferences", headers=after) as response:
        assert (await response.json())["forwardAlways"] == ""


# --- calls of others --------------------------------------------------------------------------


@pytest.mark.parametrize("user", USERS)
async def test_the_dashboard_is_for_who_has_the_right(http: aiohttp.ClientSession, sign_in: SignIn, user: str) -> None:
    headers = await sign_in(user)
    for path in ("/live", "/stats"):
        async with http.get(path, headers=headers) as response:
            assert response.status == (200 if USERS[user] in ("supervisor", "operator", "admin") else 403)


async def events(app: App, headers: dict[str, str], **asked: str) -> str:
    async with aiohttp.ClientSession(app.url, headers=headers) as http:
        async with http.get("/events", params={"after": "0", **asked}) as stream:
            text = b""
            async with asyncio.timeout(5):
                try:
                    while True:
                        text += await asyncio.wait_for(stream.content.readany(), 0.3)
                except TimeoutError:
                    return text.decode()


@pytest.mark.parametrize(
    ("user", "sees_call", "sees_digit", "sees_ari"),
    [
        ("1001", True, True, False),
        ("1002", False, False, False),
        ("2001", True, False, False),
        ("2002", True, False, True),
        ("2003", True, False, False),
    ],
)
async def test_keys_that_others_press_are_not_told(
    app: App,
    pbx: FakeAri,
    page: OpenPage,
    sign_in: SignIn,
    user: str,
    sees_call: bool,
    sees_digit: bool,
    sees_ari: bool,
) -> None:
    pbx.far_side = Answers()
    _, call_id = await a_call_of("1001", page, sign_in)
    app.hooks.emit(DigitReceived(app.calls.get(call_id), "7"))
    raw: dict[str, Any] = {"type": "ChannelDtmfReceived", "digit": "7"}
    app.hooks.emit(AriReceived("ChannelDtmfReceived", raw))
    told = await events(app, await sign_in(user))
    assert (call_id in told, '"digit":"7"' in told) == (sees_call, sees_digit)
    assert ("event: ari" in told) is sees_ari


async def test_the_websocket_of_events_asks_who_one_is(http: aiohttp.ClientSession, sign_in: SignIn) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect("/events?after=0", headers=headers)
        assert refused.value.status == 401
    async with http.ws_connect("/events?after=0", headers=await sign_in("1001")):
        pass


@pytest.mark.parametrize(
    ("user", "sees_call", "sees_ari"),
    [("1001", True, False), ("1002", False, False), ("2001", True, False), ("2002", True, True)],
)
async def test_what_is_replayed_from_the_disk_is_as_private(
    app: App,
    pbx: FakeAri,
    page: OpenPage,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    user: str,
    sees_call: bool,
    sees_ari: bool,
) -> None:
    """And the keys that were pressed are not there, for nobody."""
    monkeypatch.setattr(event_log, "MAX_RECENT_EVENTS", 0)
    pbx.far_side = Answers()
    _, call_id = await a_call_of("1001", page, sign_in)
    app.hooks.emit(DigitReceived(app.calls.get(call_id), "7"))
    app.hooks.emit(AriReceived("ChannelDtmfReceived", {"type": "ChannelDtmfReceived", "digit": "7"}))
    for asked in ({}, {"call": call_id}, {"user": "1001"}, {"type": "call.*"}):
        told = await events(app, await sign_in(user), **asked)
        assert (call_id in told) is sees_call
        assert "event: call.digit" in told or not sees_call
        assert '"digit":"7"' not in told
    assert ("event: ari" in await events(app, await sign_in(user))) is sees_ari
