"""Old tokens: of a sign-in that was ended, or of one that has expired while its connection has a call."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from ari_bridge.accounts import Accounts, passwords
from ari_bridge.accounts.sign_in_sessions import MAX_RESUME_AGE_S
from frontend.app import App
from frontend.settings import Settings
from frontend.websocket.token_expiry import TokenExpiry
from tests.fakes.accounts import forge
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.security.conftest import Page, SignIn
from tests.security.test_access import a_call_of
from tests.security.test_api_keys import made
from tests.security.test_client_tokens import token as client_token
from tests.security.test_token_expiry import closed, no_leeway, registered, token_of
from tests.security.test_tokens import no_grace, refresh, sid_of
from tests.security.test_tokens import sign_in as session_of

__all__ = ["no_grace", "no_leeway"]

OpenPage = Callable[[], Awaitable[Page]]
AN_HOUR = 3600.0


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + seconds)


@pytest.fixture
def late_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is closed because its token has expired: what the client sends is there before."""
    monkeypatch.setattr(TokenExpiry, "watch", lambda self: None)


async def takes_nothing(thief: Page, call_id: str, token: str) -> None:
    """With the session that `welcome` named to the thief, and this token."""
    attack: tuple[dict[str, Any], ...] = (
        {"type": "resume", "session": thief.session, "token": token},
        {"type": "offer", "callId": call_id, "sdp": OFFER, "takeOver": True},
        {"type": "offer", "callId": call_id, "sdp": OFFER},
        {"type": "hold", "callId": call_id, "held": True},
        {"type": "dtmf", "callId": call_id, "digits": "1"},
        {"type": "hangup", "callId": call_id},
        {"type": "ping", "id": 7},
    )
    for message in attack:
        await thief.socket.send_json(message)
    refused = 0
    while (told := await thief.told("error", "calls", "answer", "hold", "pong"))["type"] != "pong":
        assert (told["type"], told.get("calls"), told.get("code")) in (
            ("calls", [], None),
            ("error", None, "unauthorized"),
            ("error", None, "unknown_call"),
        )
        refused += told["type"] == "error"
    assert refused >= 5


@pytest.mark.parametrize("how", ["signed out", "its refresh token was used twice"])
async def test_a_session_that_was_ended_resumes_nothing_however_late(
    app: App,
    http: aiohttp.ClientSession,
    pbx: FakeAri,
    page: OpenPage,
    sign_in: SignIn,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    no_grace: None,
    late_timers: None,
    how: str,
) -> None:
    pbx.far_side = Answers()
    _, call_id = await a_call_of("1001", page, sign_in)
    stolen = await session_of(http)
    if how == "signed out":
        async with http.delete("/session", headers={"Authorization": f"Bearer {stolen['token']}"}) as response:
            assert response.status == 204
    else:
        assert [(await refresh(http, stolen["refreshToken"]))[0] for _ in range(2)] == [200, 401]
    for _ in range(2):
        later(monkeypatch, AN_HOUR)
        await app.accounts.sessions.purge(time.time())
        async with http.delete("/session", headers=await sign_in("1002")) as response:  # what has ended is read anew
            assert response.status == 204
    thief = await page()
    refused = await thief.ask("resumed", type="resume", session=thief.session, token=stolen["token"])
    assert (refused["type"], refused.get("code")) == ("error", "unauthorized")
    await takes_nothing(thief, call_id, stolen["token"])
    restarted = Accounts(settings.state_dir, settings.users_file)
    await restarted.open()
    assert restarted.sessions.is_ended(sid_of(stolen["token"]))
    await restarted.close()


async def test_what_has_ended_is_forgotten_when_no_token_of_it_is_taken_any_more(
    app: App, http: aiohttp.ClientSession, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One session that is known, and the token of one that is not: it was given while the database was away."""
    known, sessions = (await session_of(http))["token"], app.accounts.sessions
    unknown = forge(app, "1001", sid="fedcba9876543210")
    for token in (known, unknown):
        async with http.delete("/session", headers={"Authorization": f"Bearer {token}"}) as response:
            assert response.status == 204
    for seconds, remembered in ((MAX_RESUME_AGE_S - 60, True), (AN_HOUR, False)):
        later(monkeypatch, seconds)
        await sessions.purge(time.time())
        async with http.delete("/session", headers=await sign_in("1002")) as response:
            assert response.status == 204
        assert [sessions.is_ended(sid_of(token)) for token in (known, unknown)] == [remembered] * 2


async def test_an_expired_token_reaches_no_call_of_another_page(
    app: App, pbx: FakeAri, page: OpenPage, sign_in: SignIn, late_timers: None
) -> None:
    pbx.far_side = Answers()
    owner, call_id = await a_call_of("1001", page, sign_in)
    await takes_nothing(await page(), call_id, forge(app, "1001", exp=1))
    assert not app.calls.get(call_id).held and not owner.socket.closed
    await owner.socket.close()  # nobody has it now: still it is not the thief's
    await takes_nothing(await page(), call_id, forge(app, "1001", exp=1))
    assert app.calls.get(call_id).state.live


async def lapsed(page: OpenPage, token: str, expired: str) -> Page:
    """A connection with a call, whose token has expired."""
    owner = await registered(page, token)
    assert (await owner.ask("answer", type="offer", target="600", sdp=OFFER))["type"] == "answer"
    assert (await owner.ask("authenticated", type="authenticate", token=expired))["type"] == "authenticated"
    assert (await owner.told("error"))["field"] == "token"
    return owner


@pytest.mark.parametrize("what", ["everywhere", "this session", "another password"])
async def test_a_connection_that_has_a_call_after_its_token_ends_with_the_sign_in(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, page: OpenPage, sign_in: SignIn, no_leeway: None, what: str
) -> None:
    pbx.far_side = Answers()
    headers = await sign_in("1001")
    token = token_of(headers)
    owner = await lapsed(page, token, forge(app, "1001", exp=int(time.time()), sid=sid_of(token)))
    if what == "another password":
        await app.accounts.set_password("1001", passwords.hash_password("another one"))
    else:
        async with http.delete("/sessions" if what == "everywhere" else "/session", headers=headers) as response:
            assert response.status == 204
    assert await closed(owner) == 4401
    assert list(app.calls.live()), "the call goes on for the grace"


async def test_a_connection_that_has_a_call_after_its_client_token_ends_with_the_key(
    app: App, http: aiohttp.ClientSession, pbx: FakeAri, page: OpenPage, no_leeway: None
) -> None:
    pbx.far_side = Answers()
    key = await made(app, "tokens:create", "dial", "receive")
    given = (await client_token(http, key, user="1001"))["token"]
    assert app.access
    claims = app.access._decode(given, audience=("ari-bridge/client",))
    expired = app.access.issuer.signer.sign(claims | {"exp": int(time.time())})
    owner = await lapsed(page, given, expired)
    await app.accounts.api_keys.revoke(key[0])
    assert await closed(owner) == 4401


async def test_a_connection_that_has_a_call_after_its_token_goes_to_no_other_user(
    app: App, pbx: FakeAri, page: OpenPage, sign_in: SignIn, no_leeway: None
) -> None:
    pbx.far_side = Answers()
    owner = await lapsed(page, token_of(await sign_in("1001")), forge(app, "1001", exp=int(time.time())))
    other = token_of(await sign_in("1002"))
    for message in ({"type": "authenticate"}, {"type": "register", "user": "1002"}):
        await owner.socket.send_json({**message, "token": other})
        told = await owner.told("registered", "authenticated", "error")
        assert (told["type"], told.get("code")) == ("error", "unauthorized")
    own = token_of(await sign_in("1001"))
    assert (await owner.ask("registered", type="register", user="1001", token=own))["type"] == "registered"
