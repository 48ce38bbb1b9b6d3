"""The provider, as this server talks to it: its metadata (discovery), its token endpoint, and userinfo.

Every request has a deadline and a bound, and follows no redirect. A provider that is away is asked again by the next
sign-in; until then the metadata that is known is used.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
import structlog

from frontend.auth.proxies import is_loopback

REQUEST_TIMEOUT_S = 5.0
MAX_RESPONSE_BYTES = 512 * 1024
METADATA_AGE_S = 3600.0
"""Metadata older than that is read again."""
RETRY_INTERVAL_S = 2.0
"""After a failure: requests within that time fail at once, however many sign in."""

S = TypeVar("S", bound=msgspec.Struct)

log = structlog.get_logger(__name__)


class ProviderUnavailable(Exception):
    """The provider cannot be reached, or answers what cannot be used; the text says which."""


class ProviderRefused(Exception):
    """The provider refuses what was asked of it: a code that is used or too old, a wrong client secret."""


@dataclass(frozen=True, kw_only=True)
class ProviderConfig:
    """`client_secret`: "" for a public client. `scopes`: separated by spaces."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    scopes: str = "openid profile email"


class Metadata(msgspec.Struct, frozen=True):
    """OpenID Connect Discovery 1.0, section 3: what is used of it."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False  # RFC 9207


class TokenResponse(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str


class Provider:
    """One provider. `open` before, `close` after."""

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config
        self._http: aiohttp.ClientSession | None = None
        self._metadata: Metadata | None = None
        self._read_at = self._failed_at = -float("inf")  # monotonic
        self._failure = ""
        self._reading = asyncio.Lock()

    def open(self) -> None:
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        self._http = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())

    async def close(self) -> None:
        if self._http:
            await self._http.close()

    async def metadata(self) -> Metadata:
        """Raises ProviderUnavailable."""
        async with self._reading:
            now = time.monotonic()
            if self._metadata and now - self._read_at < METADATA_AGE_S:
                return self._metadata
            if now - self._failed_at < RETRY_INTERVAL_S:
                return self._known()
            try:
                self._metadata = await self._read_metadata()
                self._read_at = time.monotonic()
            except ProviderUnavailable as error:
                self._failed_at, self._failure = time.monotonic(), str(error)
                log.warning("the provider of single sign-on cannot be used", reason=str(error))
                return self._known()
            return self._metadata

    async def exchange(self, code: str, verifier: str, redirect_uri: str) -> TokenResponse:
        """The tokens for an authorization code (RFC 6749, 4.1.3; RFC 7636). Raises ProviderUnavailable, -Refused."""
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        config, methods = self.config, metadata.token_endpoint_auth_methods_supported
        if config.client_secret and "client_secret_basic" in methods:
            # Form-encoded first (RFC 6749, 2.3.1).
            user, password = quote(config.client_id, safe=""), quote(config.client_secret, safe="")
            headers["Authorization"] = aiohttp.encode_basic_auth(user, password)
        elif config.client_secret:
            form |= {"client_id": config.client_id, "client_secret": config.client_secret}
        else:
            form["client_id"] = config.client_id
        status, body = await self._request("POST", metadata.token_endpoint, headers, form)
        if 400 <= status < 500 and status != 429:
            raise ProviderRefused(f"the token endpoint answers {status}: {_oauth_error(body)}")
        return _decoded(body, TokenResponse, status, metadata.token_endpoint)

    async def userinfo(self, access_token: str) -> dict[str, Any]:
        """More claims (OpenID Connect Core, 5.3); none if the provider has no such endpoint, or answers a JWT.

        Raises ProviderUnavailable.
        """
        endpoint = (await self.metadata()).userinfo_endpoint
        if not endpoint:
            return {}
        headers = {"Accept": "application/json", "Authorization": f"Bearer {access_token}"}
        status, body = await self._request("GET", endpoint, headers)
        if status != 200:
            raise ProviderUnavailable(f"{endpoint} answers {status}")
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.MsgspecError:
            raise ProviderUnavailable(f"{endpoint} answers no JSON object") from None

    async def key_set(self) -> list[dict[str, Any]]:
        """The provider's keys (RFC 7517), as it lists them now. Raises ProviderUnavailable."""
        address = (await self.metadata()).jwks_uri
        status, body = await self._request("GET", address, {"Accept": "application/json"})
        return _decoded(body, _KeySet, status, address).keys

    def _known(self) -> Metadata:
        """What is known although the provider cannot be reached. Raises ProviderUnavailable."""
        if self._metadata is None:
            raise ProviderUnavailable(self._failure)
        return self._metadata

    async def _read_metadata(self) -> Metadata:
        issuer = self.config.issuer
        address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        status, body = await self._request("GET", address, {"Accept": "application/json"})
        found = _decoded(body, Metadata, status, address)
        if found.issuer != issuer:
            raise ProviderUnavailable(
                f"{address} is of the issuer {found.issuer[:200]!r}, but OIDC_ISSUER is {issuer!r}"
            )
        for endpoint in (
            found.authorization_endpoint,
            found.token_endpoint,
            found.jwks_uri,
            found.userinfo_endpoint,
            found.end_session_endpoint,
        ):
            _require_safe(endpoint)
        supported = set(found.token_endpoint_auth_methods_supported)
        if self.config.client_secret and not supported & {"client_secret_basic", "client_secret_post"}:
            raise ProviderUnavailable(
                "it takes a client secret neither as client_secret_basic nor as client_secret_post"
            )
        return found

    async def _request(
        self, method: str, address: str, headers: dict[str, str], form: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body. Raises ProviderUnavailable."""
        assert self._http, "open() comes first"
        try:
            async with self._http.request(
                method, address, headers=headers, data=form, allow_redirects=False
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_chunked(65536):
                    body += chunk
                    if len(body) > MAX_RESPONSE_BYTES:
                        raise ProviderUnavailable(f"{address} answers more than {MAX_RESPONSE_BYTES} bytes")
                return response.status, bytes(body)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
            raise ProviderUnavailable(f"{address}: {reason}") from None


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


def _decoded(body: bytes, shape: type[S], status: int, address: str) -> S:
    """Raises ProviderUnavailable."""
    if status != 200:
        raise ProviderUnavailable(f"{address} answers {status}")
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ProviderUnavailable(f"{address} does not answer what it should: {error}") from None


def _oauth_error(body: bytes) -> str:
    """The code of an error response (RFC 6749, 5.2), never its text: that may contain what was sent."""
    try:
        return str(msgspec.json.decode(body, type=dict[str, Any]).get("error", "no error code"))[:60]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "no error code"


def _require_safe(endpoint: str | None) -> None:
    """Raises ProviderUnavailable for an endpoint that is reached in clear text."""
    if endpoint is None:
        return
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ProviderUnavailable(f"its endpoint {endpoint[:200]!r} is not https")
