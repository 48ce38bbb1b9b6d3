"""Single sign-on against a tiny provider: who gets in as whom, with which rights, and what happens without it.

Attacks are in tests/security/test_single_sign_on.py; a real provider and browsers in tests/e2e/test_single_sign_on.py.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from yarl import URL

from ari_bridge.audit import AuditQuery
from frontend.app import App
from frontend.auth.authenticator import Unauthorized
from tests.fakes.oidc_provider import CLIENT, CLIENT_SECRET, FakeProvider, SigningKey
from tests.security.servers import Server, serving


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as provider:
        yield provider


def sso(provider: FakeProvider, **changes: Any) -> dict[str, Any]:
    return {
        "enable_authentication": True,
        "oidc_issuer": provider.url,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_create_users": True,
        **changes,
    }


class Visitor:
    """A browser, as far as redirects and cookies go."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url

    async def visit(self, address: str) -> str:
        """Where it leads."""
        async with self.http.get(URL(address, encoded=True), allow_redirects=False) as response:
            assert response.status in (302, 303), await response.text()
            return response.headers["Location"]

    async def sign_in(self, return_to: str = "/") -> str:
        """Where it ends: the page's path with the result."""
        callback = await self.visit(await self.visit(f"{self.url}/auth/oidc/login?returnTo={return_to}"))
        return (await self.visit(callback)).removeprefix(self.url)

    async def token(self) -> str:
        async with self.http.post(f"{self.url}/auth/oidc/session") as response:
            assert response.status == 200, await response.text()
            return str((await response.json())["token"])

    async def sign_out(self, token: str) -> dict[str, str | None]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(f"{self.url}/auth/oidc/logout", headers=headers) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, str | None] = await response.json()
            return answer

    async def logged_out(self, logout_token: str) -> int:
        """The status of the answer to the provider's request."""
        form = {"logout_token": logout_token}
        async with self.http.post(f"{self.url}/auth/oidc/backchannel-logout", data=form) as response:
            return response.status


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Visitor(http, "")


async def test_who_signs_in_at_the_provider_gets_a_token_of_ours(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    async with serving(tmp_path, **sso(provider, oidc_provider_name="Example Ltd")) as server:
        visitor.url = server.app.url
        async with visitor.http.get(f"{visitor.url}/config") as response:
            assert (await response.json())["singleSignOn"] == "Example Ltd"
        assert await visitor.sign_in("/dashboard?filter=1%252F2") == "/dashboard?filter=1%2F2#sso=done"
        principal = _access(server.app).principal_of(await visitor.token())
        assert (principal.name, principal.roles) == ("anna", ("user",))
        async with visitor.http.post(f"{visitor.url}/auth/oidc/session") as again:
            assert again.status == 401
        provider.claims["preferred_username"] = "anna.renamed"
        await visitor.sign_in()
        assert _access(server.app).principal_of(await visitor.token()).user_id == principal.user_id
        entries = (await server.app.audit.page(AuditQuery())).entries
        told = [(one.action, one.actor, one.object, one.address) for one in reversed(entries)]
        assert [one for one in told if one[0] in ("user.create", "session.create")] == [
            ("user.create", "single sign-on", "anna", "127.0.0.1"),
            ("session.create", "anna", "anna", "127.0.0.1"),
            ("session.create", "anna", "anna", "127.0.0.1"),
        ]


async def test_groups_are_roles_and_without_one_all_ends(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    maps = {
        "oidc_roles_claim": "realm_access.roles",
        "oidc_role_map": "phone=user; CN=leads,OU=phone=supervisor",
        "oidc_class_map": "abroad=international; *=national",
    }
    async with serving(tmp_path, **sso(provider, **maps)) as server:
        visitor.url, access = server.app.url, _access(server.app)
        provider.claims["realm_access"] = {"roles": ["phone", "CN=leads,OU=phone", "abroad"]}
        await visitor.sign_in()
        token = await visitor.token()
        user = server.app.accounts.find("anna")
        assert user and (user.roles, user.class_of_service) == (("user", "supervisor"), "international")
        provider.claims["realm_access"] = {"roles": ["phone"]}
        await visitor.sign_in()
        assert access.principal_of(await visitor.token()).roles == ("user",)
        with pytest.raises(Unauthorized, match="has ended"):
            access.principal_of(token)
        provider.claims["realm_access"] = {"roles": ["another"]}
        assert await visitor.sign_in() == "/#sso=no_role"
        user = server.app.accounts.find("anna")
        assert user and user.roles == ()


@pytest.mark.parametrize(
    ("claims", "settings", "result"),
    [
        ({"preferred_username": "1001"}, {}, "name_taken"),
        ({"preferred_username": "not a name"}, {}, "no_name"),
        ({"preferred_username": None}, {}, "no_name"),
        ({"email": "anna@example.com"}, {"oidc_name_claim": "email"}, "no_name"),
        ({"email": "anna@example.com", "email_verified": True}, {"oidc_name_claim": "email"}, "done"),
        ({}, {"oidc_create_users": False}, "unknown_user"),
        ({}, {"oidc_required_claims": "hd=example.com"}, "not_allowed"),
        ({"hd": "example.com"}, {"oidc_required_claims": "hd=example.com"}, "done"),
    ],
)
async def test_who_gets_in(
    tmp_path: Path,
    provider: FakeProvider,
    visitor: Visitor,
    claims: dict[str, Any],
    settings: dict[str, Any],
    result: str,
) -> None:
    provider.claims |= claims
    async with serving(tmp_path, **sso(provider, **settings)) as server:
        visitor.url = server.app.url
        await server.app.accounts.add("1001", "")
        assert await visitor.sign_in() == f"/#sso={result}"


async def test_claims_that_the_token_lacks_come_from_userinfo(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    provider.claims = {"sub": "1"}
    provider.userinfo = {"sub": "1", "preferred_username": "berta"}
    async with serving(tmp_path, **sso(provider)) as server:
        visitor.url = server.app.url
        assert await visitor.sign_in() == "/#sso=done"
        assert server.app.accounts.find("berta")
        provider.userinfo = {"sub": "2", "preferred_username": "berta"}
        assert await visitor.sign_in() == "/#sso=failed"


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "EdDSA"])
async def test_other_algorithms(tmp_path: Path, provider: FakeProvider, visitor: Visitor, algorithm: str) -> None:
    provider.keys = [SigningKey("only", algorithm)]
    provider.change = lambda claims: {name: value for name, value in claims.items() if name != "at_hash"}
    async with serving(tmp_path, **sso(provider)) as server:
        visitor.url = server.app.url
        assert await visitor.sign_in() == "/#sso=done"


async def test_a_new_key_is_fetched_and_a_withdrawn_one_is_not_believed(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    async with serving(tmp_path, **sso(provider)) as server:
        visitor.url = server.app.url
        assert await visitor.sign_in() == "/#sso=done"
        provider.keys = [SigningKey("second")]
        assert await visitor.sign_in() == "/#sso=done"
        provider.keys, provider.listed = [SigningKey("third")], provider.keys
        for _ in range(20):
            assert await visitor.sign_in() == "/#sso=failed"
        assert provider.requests["/keys"] <= 6


async def test_without_the_provider_the_server_starts_and_passwords_work(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    settings = sso(provider)
    await provider.stop()
    async with serving(tmp_path, **settings) as server:
        visitor.url = server.app.url
        assert await visitor.visit(f"{visitor.url}/auth/oidc/login") == f"{visitor.url}/#sso=unavailable"
        async with visitor.http.post(f"{visitor.url}/session", json={"user": "1001", "password": "wrong"}) as response:
            assert response.status == 401


async def test_the_redirect_is_where_the_browser_has_the_server(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    async def redirect_uri(server: Server, headers: dict[str, str]) -> str:
        login = f"{server.app.url}/auth/oidc/login"
        async with visitor.http.get(login, headers=headers, allow_redirects=False) as response:
            name = next(iter(response.cookies))
            uri = URL(response.headers["Location"]).query.get("redirect_uri", response.headers["Location"])
            assert uri.startswith("https://") == name.startswith("__Host-")
            return uri

    outside = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "phone.example.com"}
    async with serving(tmp_path, **sso(provider, trusted_proxies="loopback")) as server:
        assert await redirect_uri(server, outside) == "https://phone.example.com/auth/oidc/callback"
        forwarded = {"Forwarded": "for=192.0.2.1;proto=https", "Host": "phone.example.com"}
        assert await redirect_uri(server, forwarded) == "https://phone.example.com/auth/oidc/callback"
    async with serving(tmp_path, **sso(provider)) as server:
        assert await redirect_uri(server, outside) == f"{server.app.url}/auth/oidc/callback"
    async with serving(tmp_path, **sso(provider, public_url="https://example.com/phone/")) as server:
        assert await redirect_uri(server, {}) == "https://example.com/phone/auth/oidc/callback"


async def test_a_sign_out_ends_all_here_and_leads_to_the_provider(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    provider.more["end_session_endpoint"] = f"{provider.url}/end?a=b"
    async with serving(tmp_path, **sso(provider)) as server:
        visitor.url, access = server.app.url, _access(server.app)
        await visitor.sign_in()
        token = await visitor.token()
        url = URL(str((await visitor.sign_out(token))["url"]))
        assert (url.path, url.query["a"], url.query["client_id"]) == ("/end", "b", CLIENT)
        assert url.query["post_logout_redirect_uri"] == f"{visitor.url}/"
        hint = jwt.decode(url.query["id_token_hint"], options={"verify_signature": False})
        assert hint["sub"] == provider.claims["sub"]
        with pytest.raises(Unauthorized):
            access.principal_of(token)


async def test_a_sign_out_of_somebody_with_a_password_leads_nowhere(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    async with serving(tmp_path, **sso(provider)) as server:
        visitor.url = server.app.url
        user = await server.app.accounts.add("1001", "")
        token = (await _access(server.app).issuer.issue(user)).token
        assert (await visitor.sign_out(token))["url"] is None


@pytest.mark.parametrize("named", [("sid",), ("sub",), ("sid", "sub")], ids="-".join)
async def test_a_sign_out_at_the_provider_ends_what_began_there(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor, named: tuple[str, ...]
) -> None:
    async with serving(tmp_path, **sso(provider)) as server:
        visitor.url, access = server.app.url, _access(server.app)
        people = {"anna": {"sub": "1", "sid": "first"}, "berta": {"sub": "2", "sid": "second"}}
        tokens = {}
        for name, claims in people.items():
            provider.claims = {**claims, "preferred_username": name}
            await visitor.sign_in()
            tokens[name] = await visitor.token()
        logout = provider.logout_token(**{claim: people["anna"][claim] for claim in named})
        assert await visitor.logged_out(logout) == 200
        with pytest.raises(Unauthorized):
            access.principal_of(tokens["anna"])
        assert access.principal_of(tokens["berta"]).name == "berta"


async def test_a_sign_in_that_the_provider_ends_before_it_is_fetched(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    async with serving(tmp_path, **sso(provider)) as server:
        visitor.url = server.app.url
        await visitor.sign_in()
        assert await visitor.logged_out(provider.logout_token(sub=provider.claims["sub"])) == 200
        async with visitor.http.post(f"{visitor.url}/auth/oidc/session") as response:
            assert response.status == 401


async def test_a_used_logout_token_is_known_after_a_restart(
    tmp_path: Path, provider: FakeProvider, visitor: Visitor
) -> None:
    token = provider.logout_token(sub="anybody")
    for status in (200, 400):
        async with serving(tmp_path, **sso(provider)) as server:
            visitor.url = server.app.url
            assert await visitor.logged_out(token) == status


def _access(app: App) -> Any:
    assert app.access
    return app.access
