"""A tiny OpenID provider, with knobs for what a real one refuses to do: tokens that must not be believed.

A real provider is in tests/real/oidc_provider.py.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CLIENT, CLIENT_SECRET = "phone", "the client's secret: with % and +"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


def _key(algorithm: str) -> Any:
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


@dataclass
class SigningKey:
    id: str
    algorithm: str = "RS256"
    private: Any = None

    def __post_init__(self) -> None:
        self.private = self.private or _key(self.algorithm)

    def private_jwk(self) -> dict[str, Any]:
        found = json.loads(jwt.get_algorithm_by_name(self.algorithm).to_jwk(self.private))
        return {**{name: value for name, value in found.items() if name != "key_ops"}, "kid": self.id, "use": "sig"}

    def public(self) -> dict[str, Any]:
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        found = json.loads(algorithm.to_jwk(self.private.public_key()))
        return {**found, "kid": self.id, "use": "sig", "alg": self.algorithm}


@dataclass
class FakeProvider:
    """`claims`: of whoever signs in. `change`: the claims of a token before it is signed. `sign`: instead of signing.

    `requests`: how often each path was asked. `more`: what its metadata says besides.
    """

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "248289761001", "preferred_username": "anna"})
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
    sign: Callable[[dict[str, Any]], str] | None = None
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey("first")])
    listed: list[SigningKey] | None = None  # in the key set; None: all
    more: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    url: str = ""

    def __post_init__(self) -> None:
        self._codes: dict[str, dict[str, str]] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> "FakeProvider":
        app = web.Application(middlewares=[self._count])
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._metadata),
                web.get("/authorize", self._authorize),
                web.post("/token", self._token),
                web.get("/keys", self._keys),
                web.get("/me", self._userinfo),
            ]
        )
        await self._listen(app, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Nobody answers any more."""
        if self._runner:
            await self._runner.cleanup()

    async def _listen(self, app: web.Application, port: int) -> None:
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    @web.middleware
    async def _count(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        self.requests[request.path] = self.requests.get(request.path, 0) + 1
        response: web.StreamResponse = await handler(request)
        return response

    async def _metadata(self, request: web.Request) -> web.Response:
        found = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/me",
            "authorization_response_iss_parameter_supported": True,
            "response_types_supported": ["code"],
        }
        return web.json_response(found | self.more)

    async def _authorize(self, request: web.Request) -> web.Response:
        """Whoever comes is signed in."""
        code = secrets.token_urlsafe(8)
        self._codes[code] = dict(request.query)
        query = {"code": code, "state": request.query["state"], "iss": self.url, "session_state": "ignored"}
        return web.Response(status=302, headers={"Location": f"{request.query['redirect_uri']}?{urlencode(query)}"})

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        asked = self._codes.pop(str(form["code"]), None)
        basic = base64.b64encode(b"phone:the%20client%27s%20secret%3A%20with%20%25%20and%20%2B").decode()
        if request.headers.get("Authorization") != f"Basic {basic}":
            return web.json_response({"error": "invalid_client"}, status=401)
        verifier = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
        if (
            asked is None
            or asked["redirect_uri"] != form["redirect_uri"]
            or asked["code_challenge"] != verifier.rstrip(b"=").decode()
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        claims = self.id_claims(nonce=asked["nonce"])
        return web.json_response({"access_token": "access", "token_type": "Bearer", "id_token": self.signed(claims)})

    def id_claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        half = hashlib.sha256(b"access").digest()[:16]
        at_hash = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        times = {"iat": now, "exp": now + 300, "at_hash": at_hash}
        claims = {"iss": self.url, "aud": CLIENT, **times, **self.claims, **more}
        return self.change(claims)

    def logout_token(self, **claims: Any) -> str:
        now = int(time.time())
        common = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8)}
        return self.signed({**common, "events": {LOGOUT_EVENT: {}}, **claims})

    def signed(self, claims: dict[str, Any]) -> str:
        if self.sign:
            return self.sign(claims)
        key = self.keys[-1]
        return jwt.encode(claims, key.private, algorithm=key.algorithm, headers={"kid": key.id})

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [key.public() for key in (self.listed or self.keys)]})

    async def _userinfo(self, request: web.Request) -> web.Response:
        return web.json_response(self.userinfo or {"sub": self.claims["sub"]})
