"""A client's token ends while it is connected: renewed, asked for, or told, and its calls do as they are told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest

from ari_bridge.accounts import sign_in_sessions
from ari_bridge.accounts.users_file import UsersFile
from ari_bridge.outcomes import Outcome
from ari_bridge_client import AuthenticationLost, Call, Client, ConnectionFailed, HttpClient, OfferOnlyMedia, Refused
from frontend.app import App
from frontend.auth.token_lifetimes import TokenLifetimes
from frontend.settings import Settings
from tests.chaos.proxy import Proxy
from tests.fakes.accounts import forge
from tests.fakes.ari import Answers, FakeAri
from tests.offers import OFFER
from tests.real import free_ports


@pytest.fixture
def settings(settings: Settings) -> Settings:
    assert settings.users_file
    UsersFile(settings.users_file).add("1001", "right")
    return settings.model_copy(update={"enable_authentication": True})


@pytest.fixture
async def proxy(app: App) -> AsyncIterator[Proxy]:
    [port] = free_ports.ports(1)
    to = urlsplit(app.url)
    assert to.hostname and to.port
    async with Proxy("127.0.0.1", port, (to.hostname, to.port)) as proxy:
        yield proxy


@pytest.fixture
def signed(app: App) -> Callable[..., str]:
    """A token of the server's own with these claims."""
    return lambda **claims: forge(app, "1001", **claims)


@pytest.fixture
def ended(signed: Callable[..., str]) -> str:
    return signed(iat=int(time.time()) - 4000, exp=int(time.time()) - 600)


@pytest.fixture
async def token(app: App) -> str:
    """One that holds."""
    async with HttpClient(app.url) as http:
        return (await http.sign_in("1001", "right")).token


def claims_of(token: str | None) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token or "", options={"verify_signature": False})
    return claims


async def talking(client: Client) -> Call:
    call = await client.call("600", media=OfferOnlyMedia(OFFER))
    await call.wait_for("accepted")
    return call


def another_token(client: Client, before: str | None) -> bool:
    return client.http.token != before


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_call_is_commanded_all_the_same_and_another_token_takes_calls_again(
    pbx: FakeAri, proxy: Proxy, token: str, ended: str
) -> None:
    pbx.far_side = Answers()
    async with Client(proxy.url, user="1001", token=token) as client:
        call, other = await talking(client), await talking(client)
        client.http.token = ended
        proxy.reset()
        with pytest.raises(AuthenticationLost, match="expired"):
            await client.incoming(timeout=10)
        await client.wait_connected()
        await call.hold()
        await call.hangup()
        assert call.outcome is Outcome.COMPLETED
        with pytest.raises(Refused, match="Sign in"):
            await client.call("600", media=OfferOnlyMedia(OFFER))
        await client.update_token(token)
        assert client.registered and client.authentication_lost is None
        await (await talking(client)).hangup()
        await other.hangup()
        assert other.outcome is Outcome.COMPLETED


async def test_without_a_call_the_client_is_disconnected_and_says_why(
    pbx: FakeAri, proxy: Proxy, token: str, ended: str
) -> None:
    async with Client(proxy.url, user="1001", token=token) as client:
        client.http.token = ended
        proxy.reset()
        with pytest.raises(AuthenticationLost, match="expired") as lost:
            await client.incoming(timeout=10)
        assert lost.value.fatal
        await until(lambda: not client.connected)


async def test_the_password_signs_in_again_and_what_became_of_a_call_is_known(
    app: App, pbx: FakeAri, proxy: Proxy, ended: str
) -> None:
    pbx.far_side = Answers()
    async with Client(proxy.url, user="1001", password="right") as client:
        call, over = await talking(client), await talking(client)
        client.http.token = ended
        await proxy.cut()
        app.calls.hangup(over.id)
        await proxy.mend()
        await over.wait_for("ended", 10)
        assert over.outcome is Outcome.COMPLETED
        await client.wait_connected()
        assert client.registered
        await call.hangup()
        assert (await client.http.get_call(call.id)).outcome is Outcome.COMPLETED


async def test_another_token_comes_from_the_token_provider(pbx: FakeAri, proxy: Proxy, token: str, ended: str) -> None:
    given: list[str] = []

    async def provide() -> str:
        given.append(token)
        return token

    async with Client(proxy.url, user="1001", token_provider=provide) as client:
        client.http.token = ended
        proxy.reset()
        await until(lambda: len(given) == 2 and client.connected and client.registered)
        client.http.token = ended
        assert [call async for call in client.http.list_calls()] == []
        assert len(given) == 3


async def test_a_token_provider_that_fails_is_no_other_token(
    pbx: FakeAri, proxy: Proxy, token: str, ended: str
) -> None:
    async def fail() -> str:
        raise ValueError("the vault is closed")

    async with Client(proxy.url, user="1001", token=token, token_provider=fail) as client:
        client.http.token = ended
        proxy.reset()
        with pytest.raises(AuthenticationLost):
            await client.incoming(timeout=10)


async def test_a_token_is_refreshed_before_it_ends_and_the_connection_goes_on(
    app: App, pbx: FakeAri, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the refresh token, not the password, and without another connection: each token lasts two seconds."""
    pbx.far_side = Answers()
    assert app.access
    monkeypatch.setattr(app.access.issuer, "_lifetimes", TokenLifetimes(access=2))
    async with Client(app.url, user="1001", password="right") as client:
        call, first = await talking(client), client.http.token
        signed_in = claims_of(first)["auth_time"]
        for _ in range(3):
            before = client.http.token
            await until(partial(another_token, client, before))
        assert claims_of(client.http.token)["sid"] == claims_of(first)["sid"]
        assert claims_of(client.http.token)["auth_time"] == signed_in
        assert app._connections
        [connection] = app._connections._open
        await until(lambda: connection.principal.expires_at == claims_of(client.http.token)["exp"])
        assert client.connection_count == 1
        await call.hangup()
        assert call.outcome is Outcome.COMPLETED


async def test_after_the_last_refresh_the_password_or_the_token_provider_is_asked(
    app: App, token: str, signed: Callable[..., str]
) -> None:
    now = int(time.time())
    old = signed(**claims_of(token) | {"iat": now, "exp": now + 2})

    async def provide() -> str:
        return token

    async with Client(app.url, user="1001", token=old, token_provider=provide) as client:
        await until(lambda: client.http.token == token)
    async with HttpClient(app.url) as http:
        before = (await http.sign_in("1001", "right")).token
        await app.accounts.end_sessions("1001")
        assert [call async for call in http.list_calls()] == []
        assert claims_of(http.token)["sid"] != claims_of(before)["sid"]


async def test_signing_out_ends_the_session_and_forgets_the_password(app: App) -> None:
    async with HttpClient(app.url) as http:
        session = await http.sign_in("1001", "right")
        await http.sign_out()
        with pytest.raises(Refused, match="Sign in"):
            [call async for call in http.list_calls()]
        http.token = session.token
        with pytest.raises(Refused, match="ended"):
            [call async for call in http.list_calls()]


async def test_a_refresh_without_a_response_is_repeated_as_the_same_attempt(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after the grace in which anybody may repeat it."""
    monkeypatch.setattr(sign_in_sessions, "REUSE_GRACE_S", 0.0)
    async with HttpClient(app.url) as http:
        await http.sign_in("1001", "right")
        post = http._transport._post_once

        async def lose_the_response(path: str, body: Any, attempt: str) -> bytes:
            await post(path, body, attempt)
            raise ConnectionFailed(path, "the response was lost")

        monkeypatch.setattr(http._transport.tokens, "_post", lose_the_response)
        with pytest.raises(ConnectionFailed):
            await http.refresh_token()
        monkeypatch.setattr(http._transport.tokens, "_post", post)
        assert await http.refresh_token()
        assert await http.refresh_token()
