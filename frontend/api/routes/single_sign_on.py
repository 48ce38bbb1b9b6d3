"""Single sign-on by OpenID Connect: where the browser begins, where the provider sends it back, and the page's token.

The token is in no address and no log: the browser comes back with a cookie that scripts cannot read, which the page
exchanges once for its token.
"""

from contextlib import AsyncExitStack
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.accounts import Accounts
from ari_bridge.errors import InvalidRequest
from frontend.api.routes.call_endpoints import SIGNING_IN, SessionData
from frontend.api.routes.sessions import session_response
from frontend.auth.authenticator import Authenticator, token_secret
from frontend.auth.client_addresses import host_name
from frontend.auth.oidc.provider import ProviderUnavailable
from frontend.auth.oidc.single_sign_on import (
    ATTEMPT_LIFETIME_S,
    HAND_OVER_LIFETIME_S,
    Callback,
    SignInFailed,
    SignInResult,
    SingleSignOn,
)
from frontend.auth.oidc.tokens import InvalidToken
from frontend.auth.principal import check_person
from frontend.auth.proxies import is_loopback
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response
from frontend.http.problems import ProblemError
from frontend.http.request_body import body_of
from frontend.settings import Settings

ATTEMPT_COOKIE = "ari-bridge-sso-"
"""Followed by the beginning of the attempt's state: several tabs may sign in at once."""
HAND_OVER_COOKIE = "ari-bridge-signed-in"
MAX_ATTEMPTS = 5
"""Of one browser at a time."""
_STATE_CHARACTERS = 12
_RESULTS = ", ".join(f"`{one}`" for one in SignInResult)

log = structlog.get_logger(__name__)


class LoginParameters(msgspec.Struct, frozen=True, rename="camel"):
    return_to: Annotated[
        str,
        Meta(
            max_length=500,
            pattern="^/([A-Za-z0-9._~%?=&-][A-Za-z0-9._~%?=&:,/-]*)?$",
            description="the path of the page that is opened afterwards, on this server",
        ),
    ] = "/"


class CallbackParameters(msgspec.Struct, frozen=True):
    state: Annotated[str | None, Meta(max_length=500, description="that of the sign-in")] = None
    code: Annotated[str | None, Meta(max_length=4096, description="the authorization code")] = None
    error: Annotated[str | None, Meta(max_length=500, description="why there is no code")] = None
    iss: Annotated[str | None, Meta(max_length=2048, description="who answers (RFC 9207)")] = None


class ProviderLogout(msgspec.Struct, frozen=True):
    url: Annotated[str | None, Meta(description="none if the sign-in was not there, or the provider has no such page")]


LOGIN = Endpoint(
    name="beginSingleSignOn",
    method="GET",
    path="/auth/oidc/login",
    tag=SIGNING_IN,
    summary="Sign in at the provider",
    description="For browsers, if `/config` names a provider. Opens the provider's sign-in page.",
    parameters=LoginParameters,
    body=Nothing,
    responses={
        303: ResponseSpec(
            description="To the provider or, if it cannot be reached, to the page as after `/auth/oidc/callback`",
            headers={"Location": "Where to.", "Set-Cookie": "Ties the provider's answer to this browser."},
        )
    },
    problems=("not_found",),
    public=True,
)
CALLBACK = Endpoint(
    name="finishSingleSignOn",
    method="GET",
    path="/auth/oidc/callback",
    tag=SIGNING_IN,
    summary="Where the provider sends the browser back",
    description=(
        "Verifies the provider's answer and opens the page with `#sso=RESULT` in its address. "
        f"RESULT is one of {_RESULTS}. With `done` the page fetches its token: `POST /auth/oidc/session`."
    ),
    parameters=CallbackParameters,
    body=Nothing,
    responses={
        303: ResponseSpec(
            description="To the page",
            headers={"Location": "The page, with the result.", "Set-Cookie": "For `POST /auth/oidc/session`."},
        )
    },
    problems=("not_found",),
    public=True,
    ignores_unknown=True,
)
SESSION = Endpoint(
    name="fetchSingleSignOn",
    method="POST",
    path="/auth/oidc/session",
    tag=SIGNING_IN,
    summary="Fetch the token of a sign-in at the provider",
    description="Once, within a minute of it, by the same browser.",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="Signed in",
            shape=SessionData,
            example=SessionData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl", "1001", examples.AT + 900),
        )
    },
    problems=("unauthorized", "not_found", "unavailable"),
    public=True,
)
LOGOUT = Endpoint(
    name="signOutAtProvider",
    method="POST",
    path="/auth/oidc/logout",
    tag=SIGNING_IN,
    summary="Sign out here and at the provider",
    description="All that the user has signed in to ends, if it was at the provider; the browser then goes to `url`.",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="Signed out here",
            shape=ProviderLogout,
            example=ProviderLogout("https://login.example.com/session/end?client_id=ari-bridge"),
        )
    },
    problems=("unavailable",),
)
BACK_CHANNEL_LOGOUT = Endpoint(
    name="backChannelLogout",
    method="POST",
    path="/auth/oidc/backchannel-logout",
    tag=SIGNING_IN,
    summary="For the provider: somebody has signed out there",
    description=(
        "OpenID Connect Back-Channel Logout 1.0. The body is a form with the logout token: `logout_token=JWT`. The "
        "sessions that began with that sign-in end."
    ),
    parameters=Nothing,
    body=Nothing,
    responses={200: ResponseSpec(description="The sessions have ended")},
    problems=("not_found", "unavailable"),
    public=True,
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (LOGIN, CALLBACK, SESSION, LOGOUT, BACK_CHANNEL_LOGOUT)


async def single_sign_on_routes(
    settings: Settings, accounts: Accounts, access: Authenticator, opened: AsyncExitStack
) -> list[web.RouteDef]:
    """Without a provider they say so. `opened` closes what is opened here."""
    config = settings.provider_config()
    if config is None:
        others = [endpoint.route(access, _not_set_up) for endpoint in ENDPOINTS if endpoint is not LOGOUT]
        return [LOGOUT.route(access, _nothing_there), *others]
    secret = token_secret(settings.token_secret_file)
    sign_on = SingleSignOn(config, settings.claim_mapping(), accounts, access, secret)
    sign_on.start()
    opened.push_async_callback(sign_on.close)
    return SingleSignOnApi(sign_on, access, settings.public_url).routes()


async def _nothing_there(request: TypedRequest[Any, Any]) -> web.Response:
    return json_response(ProviderLogout(None))


async def _not_set_up(request: TypedRequest[Any, Any]) -> web.Response:
    raise ProblemError("not_found", "Single sign-on is not set up on this server (OIDC_ISSUER).")


class SingleSignOnApi:
    """`public_url`: where browsers reach this server; "": as the request says."""

    def __init__(self, sign_on: SingleSignOn, access: Authenticator, public_url: str) -> None:
        self._sign_on = sign_on
        self._access = access
        self._public_url = public_url.rstrip("/")

    def routes(self) -> list[web.RouteDef]:
        return [
            LOGIN.route(self._access, self.login),
            CALLBACK.route(self._access, self.callback),
            SESSION.route(self._access, self.session),
            LOGOUT.route(self._access, self.logout),
            BACK_CHANNEL_LOGOUT.route(self._access, self.back_channel_logout),
        ]

    async def login(self, request: TypedRequest[LoginParameters, Nothing]) -> web.Response:
        base, return_to = self._base(request.raw), request.parameters.return_to
        try:
            if not _is_safe(base):
                raise SignInFailed(SignInResult.INSECURE, f"the page is opened at {base[:100]}, not by https")
            address, attempt, sealed = await self._sign_on.begin(f"{base}{CALLBACK.path}", return_to)
        except SignInFailed as error:
            return self._refuse(request.raw, error, return_to)
        response = _redirect(address)
        prefix = _cookie_name(base, ATTEMPT_COOKIE)
        begun = [name for name in request.raw.cookies if name.startswith(prefix)]
        for name in begun[: max(0, len(begun) - MAX_ATTEMPTS + 1)]:
            _delete(response, base, name)
        name = prefix + attempt.state[:_STATE_CHARACTERS]
        _set(response, base, name, sealed, ATTEMPT_LIFETIME_S, same_site="Lax")
        return response

    async def callback(self, request: TypedRequest[CallbackParameters, Nothing]) -> web.Response:
        base, given = self._base(request.raw), request.parameters
        name = _cookie_name(base, ATTEMPT_COOKIE) + (given.state or "")[:_STATE_CHARACTERS]
        attempt = self._sign_on.attempt_of(request.raw.cookies.get(name), given.state)
        return_to = attempt.return_to if attempt else "/"
        try:
            handed = await self._sign_on.finish(
                attempt,
                Callback(given.state, given.code, given.error, given.iss),
                self._access.addresses.of(request.raw),
            )
        except SignInFailed as error:
            response = self._refuse(request.raw, error, return_to)
        else:
            response = _redirect(f"{base}{return_to}#sso={SignInResult.DONE}")
            # Strict: it is for the page's own request. That of the attempt has to come with the provider's redirect.
            _set(response, base, _cookie_name(base, HAND_OVER_COOKIE), handed, HAND_OVER_LIFETIME_S, same_site="Strict")
        if attempt:
            _delete(response, base, name)
        return response

    async def session(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        base = self._base(request.raw)
        name = _cookie_name(base, HAND_OVER_COOKIE)
        found = await self._sign_on.redeem(request.raw.cookies.get(name))
        response = await session_response(self._access, request.raw, found, cookie=True)
        _delete(response, base, name)
        return response

    async def logout(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        check_person(request.principal)  # before the provider's ID token, which is the user's own, is handed out
        url = await self._sign_on.logout.sign_out(request.principal, f"{self._base(request.raw)}/")
        await self._access.sign_out(request.principal)
        return json_response(ProviderLogout(url))

    async def back_channel_logout(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        form = parse_qs(body_of(request.raw).decode("ascii", "replace"))
        try:
            await self._sign_on.logout.by_provider(form.get("logout_token", [""])[0])
        except InvalidToken as error:
            log.warning("logout token refused", reason=str(error), address=self._access.addresses.of(request.raw))
            raise InvalidRequest(f"The logout token is not valid: {error}.", field="logout_token") from None
        except ProviderUnavailable as error:
            raise ProblemError("unavailable", f"The provider's keys cannot be read: {error}.") from None
        return web.Response()

    def _refuse(self, request: web.Request, error: SignInFailed, return_to: str) -> web.Response:
        log.warning(
            "single sign-on refused",
            result=error.result.value,
            reason=error.reason,
            address=self._access.addresses.of(request),
        )
        return _redirect(f"{self._base(request)}{return_to}#sso={error.result}")

    def _base(self, request: web.Request) -> str:
        """Where the browser has this server, without a trailing slash."""
        if self._public_url:
            return self._public_url
        addresses = self._access.addresses
        return f"{addresses.scheme(request)}://{addresses.host(request)}"


def _redirect(location: str) -> web.Response:
    return web.Response(status=303, headers={"Location": location})


def _is_safe(base: str) -> bool:
    scheme, _, host = base.partition("://")
    return scheme == "https" or is_loopback(host_name(host.partition("/")[0]))


def _cookie_name(base: str, name: str) -> str:
    """`__Host-`: no other host, not even one of the same domain, can set it. Only by https (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{name}" if base.startswith("https:") else name


def _set(response: web.Response, base: str, name: str, value: str, seconds: int, *, same_site: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=base.startswith("https:"),
        httponly=True,
        samesite=same_site,
    )


def _delete(response: web.Response, base: str, name: str) -> None:
    response.del_cookie(name, path="/", secure=base.startswith("https:"), httponly=True)
