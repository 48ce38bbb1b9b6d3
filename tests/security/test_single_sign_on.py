"""Attacks on single sign-on: forged tokens and answers, other people's answers, and ways out of the site."""

import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from yarl import URL

from ari_bridge.accounts import AccountsUnavailable, User
from ari_bridge.accounts.database import Change
from frontend.auth.authenticator import Unauthorized
from tests.component.frontend.test_single_sign_on import Visitor, provider, sso, visitor
from tests.fakes.oidc_provider import CLIENT, CLIENT_SECRET, FakeProvider, SigningKey
from tests.security.servers import Server, serving
from tests.security.test_api_keys import basic, made

__all__ = ["provider", "visitor"]

Forge = Callable[[FakeProvider, dict[str, Any]], str]


def _signed(provider: FakeProvider, claims: dict[str, Any], **changes: Any) -> str:
    """Properly signed, with other claims; None leaves one out."""
    wanted = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    key = provider.keys[-1]
    return jwt.encode(wanted, key.private, algorithm=key.algorithm, headers={"kid": key.id})


def _with(**changes: Any) -> Forge:
    return lambda provider, claims: _signed(provider, claims, **changes)


def _unsigned(provider: FakeProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "first"})  # type: ignore[arg-type]


def _stripped(provider: FakeProvider, claims: dict[str, Any]) -> str:
    return _signed(provider, claims).rpartition(".")[0] + "."


def _by_client_secret(provider: FakeProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, CLIENT_SECRET, algorithm="HS256", headers={"kid": "first"})


def _by_public_key(provider: FakeProvider, claims: dict[str, Any]) -> str:
    """The public key as the shared secret: the confusion of algorithms."""
    pem = provider.keys[-1].private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    import hashlib
    import hmac

    signed = f"{part(json.dumps({'alg': 'HS256', 'kid': 'first'}).encode())}.{part(json.dumps(claims).encode())}"
    return f"{signed}.{part(hmac.new(pem, signed.encode(), hashlib.sha256).digest())}"


def _by_another_key(provider: FakeProvider, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, SigningKey("first").private, algorithm="RS256", headers={"kid": "first"})


def _by_the_key_in_its_header(provider: FakeProvider, claims: dict[str, Any]) -> str:
    mine = SigningKey("mine")
    return jwt.encode(claims, mine.private, algorithm="RS256", headers={"kid": "mine", "jwk": mine.public()})


def _later(seconds: float) -> int:
    return int(time.time() + seconds)


FORGERIES: dict[str, Forge] = {
    "another nonce": _with(nonce="another"),
    "no nonce": _with(nonce=None),
    "another audience": _with(aud="another"),
    "more audiences": _with(aud=[CLIENT, "another"]),
    "made for another client": _with(azp="another"),
    "another issuer": _with(iss="https://login.example.com"),
    "expired": lambda provider, claims: _signed(provider, claims, exp=_later(-121)),
    "from the future": lambda provider, claims: _signed(provider, claims, iat=_later(180)),
    "no expiry": _with(exp=None),
    "no time": _with(iat=None),
    "no subject": _with(sub=None),
    "a subject that is no text": _with(sub=["a"]),
    "an endless subject": _with(sub="a" * 256),
    "another access token's hash": _with(at_hash="AAAA"),
    "alg none": _unsigned,
    "no signature": _stripped,
    "HS256 by the client secret": _by_client_secret,
    "HS256 by the public key": _by_public_key,
    "another key": _by_another_key,
    "a key that comes along": _by_the_key_in_its_header,
    "no JWT": lambda provider, claims: "token",
    "an endless one": lambda provider, claims: "a" * 40_000,
}


@pytest.fixture
async def server(tmp_path: Path, provider: FakeProvider) -> AsyncIterator[Server]:
    provider.more["end_session_endpoint"] = f"{provider.url}/end"
    async with serving(tmp_path, **sso(provider)) as server:
        yield server


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_id_token_signs_nobody_in(
    server: Server, provider: FakeProvider, visitor: Visitor, name: str
) -> None:
    visitor.url = server.app.url
    provider.sign = lambda claims: FORGERIES[name](provider, claims)
    assert await visitor.sign_in() == "/#sso=failed"
    await refused(visitor)
    assert not server.app.accounts.all()
    provider.sign = None
    assert await visitor.sign_in() == "/#sso=done", "the real one does"


async def test_an_answer_counts_once(server: Server, visitor: Visitor) -> None:
    visitor.url = server.app.url
    callback = await visitor.visit(await visitor.visit(f"{visitor.url}/auth/oidc/login"))
    cookies = {cookie.key: cookie.value for cookie in visitor.http.cookie_jar}
    assert (await visitor.visit(callback)).endswith("#sso=done")
    assert (await visitor.visit(callback)).endswith("#sso=expired"), "its cookie is gone"
    visitor.http.cookie_jar.update_cookies(cookies, URL(visitor.url))
    assert (await visitor.visit(callback)).endswith("#sso=expired"), "its state was used"


async def test_a_used_code_is_of_no_use_in_another_sign_in(server: Server, visitor: Visitor) -> None:
    visitor.url = server.app.url
    used = URL(await visitor.visit(await visitor.visit(f"{visitor.url}/auth/oidc/login")))
    await visitor.visit(str(used))
    mine = URL(await visitor.visit(await visitor.visit(f"{visitor.url}/auth/oidc/login")))
    assert (await visitor.visit(str(mine.update_query(code=used.query["code"])))).endswith("#sso=failed")


async def test_somebody_elses_answer_does_not_sign_me_in(server: Server, visitor: Visitor) -> None:
    """Login CSRF: a link that would make me call under the attacker's name."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        attacker = Visitor(http, server.app.url)
        link = await attacker.visit(await attacker.visit(f"{attacker.url}/auth/oidc/login"))
    visitor.url = server.app.url
    assert (await visitor.visit(link)).endswith("#sso=expired")
    await visitor.visit(f"{visitor.url}/auth/oidc/login")  # with a sign-in of my own under way
    assert (await visitor.visit(link)).endswith("#sso=expired")
    own = next(cookie for cookie in visitor.http.cookie_jar if cookie.key.startswith("ari-bridge-sso-"))
    state = URL(link).query["state"]
    visitor.http.cookie_jar.update_cookies({f"ari-bridge-sso-{state[:12]}": own.value}, URL(visitor.url))
    assert (await visitor.visit(link)).endswith("#sso=expired"), "the cookie is that of another state"
    await refused(visitor)


async def test_another_issuers_answer_is_refused(server: Server, visitor: Visitor) -> None:
    """Mix-up of providers (RFC 9207); this one says that it names itself, so an answer without a name is none."""
    visitor.url = server.app.url
    for change in ({"iss": "https://login.example.com"}, {"iss": None}):
        callback = URL(await visitor.visit(await visitor.visit(f"{visitor.url}/auth/oidc/login")))
        query = {name: value for name, value in {**callback.query, **change}.items() if value is not None}
        assert (await visitor.visit(str(callback.with_query(query)))).endswith("#sso=failed")


@pytest.mark.parametrize(
    "where",
    [
        "https://example.com",
        "//example.com",
        "/\\example.com",
        "/%2F%2Fexample.com\\",
        "\\\\example.com",
        "javascript:alert(1)",
        "/a#b",
        "/a\r\nSet-Cookie: a=b",
        "dashboard",
        "",
    ],
)
async def test_nobody_is_sent_to_another_site(server: Server, visitor: Visitor, where: str) -> None:
    async with visitor.http.get(
        URL(f"{server.app.url}/auth/oidc/login?returnTo={quote(where, safe='')}", encoded=True), allow_redirects=False
    ) as response:
        assert response.status == 400
        assert (await response.json())["field"] == "returnTo"


async def test_the_browsers_cookies_are_no_tokens(server: Server, visitor: Visitor) -> None:
    visitor.url = server.app.url
    login = f"{visitor.url}/auth/oidc/login"
    async with visitor.http.get(login, allow_redirects=False) as response:
        [attempt] = response.cookies.values()
        assert attempt["httponly"] and attempt["samesite"] == "Lax" and attempt["path"] == "/"
    callback = await visitor.visit(await visitor.visit(login))
    async with visitor.http.get(URL(callback, encoded=True), allow_redirects=False) as response:
        handed = response.cookies["ari-bridge-signed-in"]
        assert handed["httponly"] and handed["samesite"] == "Strict" and int(handed["max-age"]) <= 60
        assert response.headers["Cache-Control"] == "no-store"
    for text in (attempt.value, handed.value):
        headers = {"Authorization": f"Bearer {text}"}
        async with visitor.http.delete(f"{visitor.url}/sessions", headers=headers) as response:
            assert response.status == 401
    visitor.http.cookie_jar.update_cookies({"ari-bridge-signed-in": attempt.value}, URL(visitor.url))
    await refused(visitor)


async def test_another_site_cannot_fetch_the_token(server: Server, visitor: Visitor) -> None:
    visitor.url = server.app.url
    await visitor.sign_in()
    headers = {"Origin": "https://evil.example.com"}
    async with visitor.http.post(f"{visitor.url}/auth/oidc/session", headers=headers) as response:
        assert response.status == 403


async def test_nothing_secret_is_logged(
    server: Server, provider: FakeProvider, visitor: Visitor, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor.url = server.app.url
    callback = await visitor.visit(await visitor.visit(f"{visitor.url}/auth/oidc/login"))
    await visitor.visit(callback)
    token = await visitor.token()
    provider.sign = lambda claims: _signed(provider, claims, nonce="another")
    failed = await visitor.visit(await visitor.visit(f"{visitor.url}/auth/oidc/login"))
    await visitor.visit(failed)
    logged = "".join(capsys.readouterr())
    assert "nonce" in logged, "why it failed is"
    for secret in (token, CLIENT_SECRET, URL(callback).query["code"], URL(failed).query["code"]):
        assert secret not in logged


async def test_a_provider_that_answers_without_end_is_cut_off(
    server: Server, provider: FakeProvider, visitor: Visitor
) -> None:
    visitor.url = server.app.url
    provider.userinfo = {"sub": "1", "much": "a" * 600_000}
    provider.claims = {"sub": "1"}
    assert await visitor.sign_in() == "/#sso=unavailable"


LOGOUTS: dict[str, dict[str, Any]] = {
    "no event": {"events": None},
    "another event": {"events": {"http://schemas.openid.net/event/another": {}}},
    "a nonce, as an ID token has": {"nonce": "n"},
    "neither subject nor session": {"sub": None},
    "no id": {"jti": None},
    "another audience": {"aud": "another"},
    "another issuer": {"iss": "https://login.example.com"},
    "too old": {"iat": int(time.time()) - 1000, "exp": None},
    "expired": {"exp": int(time.time()) - 200},
}


@pytest.mark.parametrize("name", LOGOUTS)
async def test_a_forged_logout_token_ends_nothing(
    server: Server, provider: FakeProvider, visitor: Visitor, name: str
) -> None:
    visitor.url = server.app.url
    await visitor.sign_in()
    token = await visitor.token()
    claims = {"sub": provider.claims["sub"], **LOGOUTS[name]}
    provider.sign = lambda made: _signed(provider, made)
    assert await visitor.logged_out(provider.logout_token(**claims)) == 400
    provider.sign = lambda made: _by_public_key(provider, made)
    assert await visitor.logged_out(provider.logout_token(sub=provider.claims["sub"])) == 400
    assert await visitor.logged_out(_signed(provider, provider.id_claims(nonce="n"))) == 400, "it is an ID token"
    assert await visitor.logged_out("") == 400
    assert server.app.access and server.app.access.principal_of(token).name == "anna"


async def test_a_client_token_does_not_sign_its_user_out_and_gets_no_id_token(server: Server, visitor: Visitor) -> None:
    visitor.url, accounts = server.app.url, server.app.accounts
    await visitor.sign_in()
    token = await visitor.token()
    key = await made(server.app, "tokens:create", "dial")
    async with visitor.http.post(f"{visitor.url}/tokens", json={"user": "anna"}, headers=basic(key)) as response:
        assert response.status == 201
        client_token = (await response.json())["token"]
    for credential in (client_token, "_".join(key)):
        headers = {"Authorization": f"Bearer {credential}"}
        async with visitor.http.post(f"{visitor.url}/auth/oidc/logout", headers=headers) as response:
            assert response.status == 400 and "url" not in await response.json()
    assert server.app.access and server.app.access.principal_of(token).name == "anna"
    assert (user := accounts.find("anna")) and user.generation == server.app.access.principal_of(token).generation
    assert (await visitor.sign_out(token))["url"], "what the provider wants to see was taken"


@pytest.fixture
def fails_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away at the moment in which the user's sign-ins are to end."""
    update, failures = Change.update, iter((AccountsUnavailable("it is away"),))

    async def fail_once(change: Change, user: User) -> User:
        if failure := next(failures, None):
            raise failure
        return await update(change, user)

    monkeypatch.setattr(Change, "update", fail_once)


async def test_a_sign_out_at_the_provider_is_not_lost_with_the_database(
    server: Server, provider: FakeProvider, visitor: Visitor, request: pytest.FixtureRequest
) -> None:
    visitor.url, access = server.app.url, server.app.access
    await visitor.sign_in()
    token = await visitor.token()
    request.getfixturevalue("fails_once")
    logout = provider.logout_token(sub=provider.claims["sub"])
    assert await visitor.logged_out(logout) == 503
    assert access and access.principal_of(token).name == "anna"
    assert await visitor.logged_out(logout) == 200, "the provider sends it again"
    with pytest.raises(Unauthorized):
        access.principal_of(token)
    assert await visitor.logged_out(logout) == 400


async def test_a_sign_out_here_is_not_lost_with_the_database(
    server: Server, visitor: Visitor, request: pytest.FixtureRequest
) -> None:
    visitor.url, access = server.app.url, server.app.access
    tokens = []
    for _ in range(2):
        await visitor.sign_in()
        tokens.append(await visitor.token())
    request.getfixturevalue("fails_once")
    headers = {"Authorization": f"Bearer {tokens[0]}"}
    async with visitor.http.post(f"{visitor.url}/auth/oidc/logout", headers=headers) as response:
        assert response.status == 503
    assert (await visitor.sign_out(tokens[0]))["url"]
    for token in tokens:
        with pytest.raises(Unauthorized):
            assert access and access.principal_of(token)


async def test_many_sign_ins_at_once_do_not_fill_the_browser(server: Server, visitor: Visitor) -> None:
    visitor.url = server.app.url
    for _ in range(12):
        await visitor.visit(f"{visitor.url}/auth/oidc/login")
    assert sum(cookie.key.startswith("ari-bridge-sso-") for cookie in visitor.http.cookie_jar) <= 5


async def refused(visitor: Visitor) -> None:
    async with visitor.http.post(f"{visitor.url}/auth/oidc/session") as response:
        assert response.status == 401
