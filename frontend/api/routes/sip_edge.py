"""What the SIP edge asks: the credentials of a user, to check who calls or registers. docs/USERS.md tells of them."""

from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.accounts import Accounts, UnknownUser
from frontend.auth.authenticator import Authenticator, Unauthorized
from frontend.auth.sip_edge_token import SipEdgeToken
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

SIP = "SIP"

log = structlog.get_logger(__name__)


class SipUserPath(msgspec.Struct, frozen=True):
    user: Annotated[str, Meta(description="the user name of the SIP request's credentials")]


class SipCredentialData(msgspec.Struct, frozen=True, rename="camel"):
    user: str
    ha1: Annotated[str, Meta(description="MD5 of `user:realm:password`, hexadecimal")]
    ha1_sha256: Annotated[str, Meta(description="the same by SHA-256 (RFC 8760)")]


CREDENTIALS = Endpoint(
    name="showSipCredentials",
    method="GET",
    path="/sip-edge/credentials/{user}",
    tag=SIP,
    summary="Show what a SIP edge checks a user's SIP password with",
    description=(
        "For the SIP edge alone: with `SIP_EDGE_TOKEN` as bearer token; no token of a user or a program is taken. "
        "`unknown_user`: there is no such user, the user is locked, or has no SIP password of the realm `SIP_REALM`."
    ),
    parameters=SipUserPath,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The digests",
            shape=SipCredentialData,
            example=SipCredentialData(
                "1005",
                "dccdd38e38e4ad9e82d8fc3ae17d21cd",
                "b3c8d2f2f1b4c1a8e0d7f25d4e8f1f2a6a3d9b5c7e1f0a2b4c6d8e0f1a3b5c7d",
            ),
        )
    },
    problems=("unauthorized", "unknown_user", "unavailable"),
    public=True,
    example={"user": "1005"},
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (CREDENTIALS,)


class SipEdgeApi:
    """For the SIP edge.

    Args:
        accounts: The users.
        access: Whether sign-in is on.
        token: What the edge sends.
        realm: For which SIP passwords are made.
    """

    def __init__(self, accounts: Accounts, access: Authenticator, token: SipEdgeToken, realm: str) -> None:
        self._accounts = accounts
        self._access = access
        self._token = token
        self._realm = realm

    def routes(self) -> list[web.RouteDef]:
        return [CREDENTIALS.route(self._access, self.credentials)]

    async def credentials(self, request: TypedRequest[SipUserPath, Nothing]) -> web.Response:
        """From memory. Raises Unauthorized, UnknownUser, AccountsUnavailable (the users were never read)."""
        if not self._token.is_in(request.raw):
            log.warning("credentials of SIP were asked for without SIP_EDGE_TOKEN", address=request.principal.address)
            raise Unauthorized("SIP credentials are for the SIP edge, which sends SIP_EDGE_TOKEN.")
        if self._access.required:
            await self._access.open_accounts()
        name = request.parameters.user
        user = self._accounts.find(name)
        if user is None or not user.active or not user.sip_ha1 or user.sip_realm != self._realm:
            raise UnknownUser(name)
        data = SipCredentialData(user.name, user.sip_ha1, user.sip_ha1_sha256)
        return json_response(data, headers={"Cache-Control": "no-store"})
