"""A token that runs out on an open connection: another one in time, or nothing new."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import jwt
import pytest

from ari_bridge.fsm.call import CallState
from frontend.app import App
from frontend.auth import session_tokens
from frontend.auth.authenticator import Unauthorized
from frontend.auth.session_tokens import SessionTokens
from frontend.auth.token_signer import TokenSigner
from frontend.websocket import token_expiry
from tests.fakes.accounts import forge
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import Page, SignIn

OpenPage = Callable[[], Awaitable[Page]]


def token_of(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def no_leeway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_expiry, "CLOCK_LEEWAY_S", 0.0)
    monkeypatch.setattr(token_expiry, "RECHECK_S", 0.05)


async def registered(page: OpenPage, token: str, user: str = "1001") -> Page:
    opened = await page()
    told = await opened.ask("registered", type="register", user=user, token=token)
    assert told["type"] == "registered"
    opened.session = told["session"]
    return opened


async def closed(page: Page) -> Any:
    async with asyncio.timeout(10):
        while (frame := await page.socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
    return frame.data


async def test_a_connection_ends_with_its_token_but_not_before_its_call(
    app: App, pbx: FakeAri, page: OpenPage, no_leeway: None
) -> None:
    pbx.far_side = Answers()
    idle = await registered(page, forge(app, "1001", exp=int(time.time()) + 2))
    owner = await registered(page, forge(app, "1001", exp=int(time.time()) + 2))
    call_id = (await owner.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    assert await closed(idle) == 4401
    ended = await owner.told("error")
    assert (ended["code"], ended["field"]) == ("unauthorized", "token")
    for command in ({"type": "add-party", "target": "1003"}, {"type": "transfer", "target": "7001"}):
        assert (await owner.ask("party", callId=call_id, **command))["code"] == "unauthorized"
    assert (await owner.ask("hold", type="hold", callId=call_id, held=True))["type"] == "hold"
    await owner.socket.send_json({"type": "hangup", "callId": call_id})
    assert await closed(owner) == 4401  # nothing is left that it is needed for
    assert app.calls.get(call_id).state in (CallState.ENDING, CallState.ENDED)


async def test_a_connection_that_was_lost_takes_its_call_back_with_a_token_that_has_expired(
    app: App, pbx: FakeAri, page: OpenPage, no_leeway: None
) -> None:
    pbx.far_side = Answers()
    token = forge(app, "1001", exp=int(time.time()) + 60)
    owner = await registered(page, token)
    call_id = (await owner.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    await owner.socket.close()
    again = await page()
    expired = forge(app, "1001", exp=int(time.time()) - 1)
    told = await again.ask("resumed", type="resume", session=owner.session, token=expired)
    assert told["type"] == "resumed"
    assert (await again.ask("party", type="add-party", callId=call_id, target="1003"))["code"] == "unauthorized"
    await again.socket.send_json({"type": "hangup", "callId": call_id})
    assert await closed(again) == 4401


async def test_another_token_in_time_changes_nothing_else(
    app: App, pbx: FakeAri, page: OpenPage, sign_in: SignIn, no_leeway: None
) -> None:
    pbx.far_side = Answers()
    owner = await registered(page, forge(app, "1001", exp=int(time.time()) + 2))
    call_id = (await owner.ask("answer", type="offer", target="600", sdp=OFFER))["callId"]
    next_token = token_of(await sign_in("1001"))
    told = await owner.ask("authenticated", type="authenticate", token=next_token)
    assert told["type"] == "authenticated" and told["expiresAt"] > time.time() + 600
    await asyncio.sleep(2.5)
    assert (await owner.ask("pong", type="ping", id=1))["type"] == "pong"
    assert not app.calls.get(call_id).owner_away
    assert (await owner.ask("party", type="add-party", callId=call_id, target="1003"))["type"] == "party"


@pytest.mark.parametrize("what", ["another user's", "forged", "expired", "of a session that was signed out"])
async def test_a_wrong_token_does_not_replace_a_right_one(
    app: App, http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn, what: str
) -> None:
    owner = await registered(page, token_of(await sign_in("1001")))
    wrong = {"another user's": token_of(await sign_in("9001")), "expired": forge(app, "1001", exp=1)}.get(what, "a.b.c")
    if what.startswith("of a session"):
        ended = await sign_in("1001")
        await http.delete("/session", headers=ended)
        wrong = token_of(ended)
    refused = await owner.ask("authenticated", type="authenticate", token=wrong)
    assert (refused["code"], refused["field"]) == ("unauthorized", "token")
    assert (await owner.ask("answer", type="offer", target="600", sdp=OFFER))["type"] == "answer"


async def test_no_verb_is_taken_with_a_token_that_has_run_out_before_the_connection_is_closed(
    app: App, page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await registered(page, forge(app, "1001", exp=int(time.time()) + 60))
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + 60 + 121)
    for command in (
        {"type": "offer", "target": "600", "sdp": OFFER},
        {"type": "prepare-media", "callId": "c1", "sdp": OFFER},
    ):
        assert (await owner.ask("answer", **command))["code"] == "unauthorized"


@pytest.mark.parametrize("step", [-119, 119])
async def test_a_clock_that_steps_by_two_minutes_closes_nothing(
    app: App, page: OpenPage, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    owner = await registered(page, forge(app, "1001", exp=int(time.time()) + 1))
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + step)
    assert (await owner.ask("answer", type="offer", target="600", sdp=OFFER))["type"] == "answer"


# --- tokens of signaling sessions ---------------------------------------------------------------


async def test_a_session_token_names_its_user_its_key_and_its_end(app: App, page: OpenPage, sign_in: SignIn) -> None:
    owner = await registered(page, token_of(await sign_in("1001")))
    claims = jwt.decode(owner.session, options={"verify_signature": False})
    user = app.accounts.find("1001")
    assert user and claims["uid"] == user.id
    assert 6 * 86400 < claims["exp"] - claims["iat"] <= 7 * 86400
    assert jwt.get_unverified_header(owner.session)["kid"] == app.accounts.keys.current().kid
    await owner.socket.close()
    stranger = await page()
    refused = await stranger.ask("resumed", type="resume", session=owner.session, token=token_of(await sign_in("1002")))
    assert (refused["code"], refused["field"]) == ("unauthorized", "session")


async def test_a_session_token_is_no_access_token_and_the_other_way_round(
    app: App, http: aiohttp.ClientSession, page: OpenPage, sign_in: SignIn
) -> None:
    headers = await sign_in("1001")
    owner = await registered(page, token_of(headers))
    async with http.get("/calls", headers={"Authorization": f"Bearer {owner.session}"}) as response:
        assert response.status == 401
    refused = await owner.ask("resumed", type="resume", session=token_of(headers), token=token_of(headers))
    assert (refused["code"], refused["field"]) == ("unauthorized", "session")


@pytest.mark.parametrize("what", ["expired", "without an end", "of a key that was revoked"])
async def test_session_tokens_that_are_not_taken(
    app: App, page: OpenPage, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    assert app.access
    signer: TokenSigner = app.access.issuer.signer
    owner = await registered(page, token_of(await sign_in("1001")))
    claims = jwt.decode(owner.session, options={"verify_signature": False})
    match what:
        case "expired":
            session = signer.sign({**claims, "exp": int(time.time()) - 121}, session_tokens._AUDIENCE)
        case "without an end":
            del claims["exp"]
            session = signer.sign(claims, session_tokens._AUDIENCE)
        case _:
            session = owner.session
            await app.accounts.keys.revoke(app.accounts.keys.current().kid)
    refused = await owner.ask("resumed", type="resume", session=session, token=token_of(await sign_in("1001")))
    assert (refused["code"], refused["field"]) == ("unauthorized", "session")


def test_without_sign_in_they_are_signed_with_the_secret_of_the_state_folder() -> None:
    one, other = SessionTokens("x" * 32), SessionTokens("y" * 32)
    assert one.read(one.token("s1")) == ("s1", "")
    with pytest.raises(Unauthorized):
        other.read(one.token("s1"))
