"""`GET /me`: who sends the request, and what that one may do."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from frontend.api.routes.call_endpoints import SIGNING_IN
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import Grant
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

_ALL_GRANTS = sorted(grant.value for grant in Grant)


class MeData(msgspec.Struct, frozen=True, rename="camel"):
    user: Annotated[str | None, Meta(description="your name; null if sign-in is off")]
    user_id: Annotated[str, Meta(description="never changes; empty if sign-in is off")]
    roles: list[str]
    grants: Annotated[list[str], Meta(description="what you may do; docs/USERS.md lists them")]
    sip_password: Annotated[bool, Meta(description="whether you have a SIP password for phones")]


ME = Endpoint(
    name="showMe",
    method="GET",
    path="/me",
    tag=SIGNING_IN,
    summary="Show who you are, and what you may do",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="You",
            shape=MeData,
            example=MeData("1001", "usr_5f0c1e7d2a9b4c38", ["user"], ["dial", "receive", "record"], False),
        )
    },
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (ME,)


class MeApi:
    def __init__(self, access: Authenticator) -> None:
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [ME.route(self._access, self.me)]

    async def me(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        who = request.principal
        grants = _ALL_GRANTS if who.unrestricted else sorted(who.grants)
        user = self._access.accounts.by_id(who.user_id)
        sip = bool(user and user.sip_ha1)
        return json_response(MeData(who.name, who.user_id, [*who.roles], [str(grant) for grant in grants], sip))
