"""The HTTP API of sessions: refreshed by a refresh token, ended by a sign-out. docs/SECURITY.md explains the tokens."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.errors import InvalidRequest
from frontend.api.routes.call_endpoints import SIGNING_IN, IdempotencyKey, SessionData
from frontend.auth import refresh_cookies
from frontend.auth.authenticator import Authenticator, AuthSession, Unauthorized
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response


class RefreshParameters(msgspec.Struct, frozen=True):
    attempt: Annotated[
        IdempotencyKey,
        Meta(
            description="Names this refresh: the same token may be sent again under the same name, for example after a "
            "lost response, until the next token has been used."
        ),
    ] = msgspec.field(default=None, name="Idempotency-Key")


class RefreshBody(msgspec.Struct, frozen=True, rename="camel"):
    """One of the two."""

    refresh_token: Annotated[str, Meta(max_length=256)] | None = None
    session: Annotated[
        Annotated[str, Meta(max_length=64)] | None,
        Meta(description="for pages of this server: the `sid` of the token, whose cookie the browser has"),
    ] = None


_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl"
REFRESH = Endpoint(
    name="refreshSession",
    method="POST",
    path="/session/refresh",
    tag=SIGNING_IN,
    summary="Exchange a refresh token for another token",
    description=(
        "Each refresh token is used once; the response has the next one. If one is used a second time, somebody has "
        "stolen it, and the session ends. A repetition after a lost response is no second use: within 60 s, or with "
        "the same `Idempotency-Key`."
    ),
    parameters=RefreshParameters,
    body=RefreshBody,
    responses={
        200: ResponseSpec(
            description="The new token; the old one stays valid until it expires",
            shape=SessionData,
            example=SessionData(_TOKEN, "1001", examples.AT + 900, "4f1c5d0a96b3e872.5b1e.9c04"),
        )
    },
    problems=("unauthorized", "unavailable"),
    public=True,
    example_body=RefreshBody("4f1c5d0a96b3e872.5b1e.77aa"),
)
SIGN_OUT = Endpoint(
    name="signOut",
    method="DELETE",
    path="/session",
    tag=SIGNING_IN,
    summary="Sign out",
    description="The session ends: its refresh token, its tokens, its WebSockets and event streams. Others go on.",
    parameters=Nothing,
    body=Nothing,
    responses={204: ResponseSpec(description="Signed out")},
    problems=("unavailable",),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (REFRESH, SIGN_OUT)


class SessionApi:
    def __init__(self, access: Authenticator) -> None:
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [REFRESH.route(self._access, self.refresh), SIGN_OUT.route(self._access, self.sign_out)]

    async def refresh(self, request: TypedRequest[RefreshParameters, RefreshBody]) -> web.Response:
        raw, body = request.raw, request.body
        if (body.refresh_token is None) is (body.session is None):
            raise InvalidRequest("Either refreshToken or session is needed.", field="refreshToken")
        token = body.refresh_token or refresh_cookies.refresh_token_of(raw, body.session or "")
        if not token:
            raise Unauthorized("The browser has no cookie of this session: sign in again.")
        address = self._access.addresses.of(raw)
        session = await self._access.refresh(token, attempt=request.parameters.attempt or "", address=address)
        return await session_response(self._access, raw, session, cookie=body.session is not None)

    async def sign_out(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        await self._access.sign_out(request.principal)
        response = web.Response(status=204)
        if (session := request.principal.session_id) in refresh_cookies.sessions_of(request.raw):
            secure = self._access.addresses.scheme(request.raw) == "https"
            refresh_cookies.delete_cookies(response, [session], secure=secure)
        return response


async def session_response(
    access: Authenticator,
    request: web.Request,
    session: AuthSession,
    *,
    cookie: bool = False,
    recovery_codes: list[str] | None = None,
) -> web.Response:
    """`cookie`: the refresh token goes into one, and is not in the body."""
    token = session.refresh_token
    shown = None if cookie or token is None else str(token)
    data = SessionData(session.token, session.user, session.expires_at, shown, recovery_codes)
    response = json_response(data, headers={"Cache-Control": "no-store"})
    if cookie and token:
        secure = access.addresses.scheme(request) == "https"
        others = [each for each in refresh_cookies.sessions_of(request) if each != token.session]
        if len(others) >= refresh_cookies.MAX_COOKIES // 2:
            live = await access.accounts.sessions.live(others)
            over = [each for each in others if each not in live] or others[: refresh_cookies.MAX_COOKIES // 4]
            refresh_cookies.delete_cookies(response, over, secure=secure)
        refresh_cookies.set_cookie(response, token, secure=secure)
    return response
