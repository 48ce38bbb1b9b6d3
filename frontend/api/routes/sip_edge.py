"""The SIP edge: what it asks (the credentials of a user), and what it tells (who has registered). See docs/USERS.md."""

from typing import Annotated, Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta

from ari_bridge.accounts import Accounts, UnknownUser
from frontend.auth.authenticator import Authenticator, Unauthorized
from frontend.auth.grants import Grant
from frontend.auth.sip_edge_token import SipEdgeToken
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response
from frontend.presence.sip_phones import SipPhones

SIP = "SIP"

log = structlog.get_logger(__name__)


class SipUserPath(msgspec.Struct, frozen=True):
    user: Annotated[str, Meta(description="the user name of the SIP request's credentials")]


class SipCredentialData(msgspec.Struct, frozen=True, rename="camel"):
    user: str
    ha1: Annotated[str, Meta(description="MD5 of `user:realm:password`, hexadecimal")]
    ha1_sha256: Annotated[str, Meta(description="the same by SHA-256 (RFC 8760)")]


class SipRegistrationData(msgspec.Struct, frozen=True, rename="camel"):
    user: str
    contact: Annotated[str, Meta(description="the SIP URI at which the phone is called")]
    address: Annotated[str, Meta(description="IP address that it has registered from; empty: unknown")]
    transport: Annotated[str, Meta(description="`udp`, `tcp`, `tls`, `ws` or `wss`")]
    user_agent: Annotated[str, Meta(description="what the phone says that it is")]
    expires_at: Annotated[float, Meta(description="Unix seconds")]


class SipRegistrations(msgspec.Struct, frozen=True, rename="camel"):
    known: Annotated[bool, Meta(description="whether this is so now")]
    reason: Annotated[str | None, Meta(description="why it is not known")]
    read_at: Annotated[float | None, Meta(description="when it was known last, Unix seconds; null: never")]
    registrations: Annotated[list[SipRegistrationData], Meta(description="sorted by user")]


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
LIST = Endpoint(
    name="listSipRegistrations",
    method="GET",
    path="/sip-registrations",
    tag=SIP,
    summary="List registered SIP phones",
    description=(
        "Your own; with the right `monitor:read` those of all. While the SIP edge is away `known` is false, and the "
        "list is what it told last: nobody knows then who is registered now."
    ),
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The phones",
            shape=SipRegistrations,
            example=SipRegistrations(
                True,
                None,
                examples.AT,
                [
                    SipRegistrationData(
                        "1005", "sip:1005@192.0.2.17:5060", "192.0.2.17", "udp", "Desk phone 7.1", examples.AT + 300
                    )
                ],
            ),
        )
    },
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (CREDENTIALS, LIST)


class SipEdgeApi:
    """For the SIP edge.

    Args:
        accounts: The users.
        phones: Those that have registered.
        access: Whether sign-in is on.
        token: What the edge sends.
        realm: For which SIP passwords are made.
    """

    def __init__(
        self, accounts: Accounts, phones: SipPhones, access: Authenticator, token: SipEdgeToken, realm: str
    ) -> None:
        self._accounts = accounts
        self._phones = phones
        self._access = access
        self._token = token
        self._realm = realm

    def routes(self) -> list[web.RouteDef]:
        return [CREDENTIALS.route(self._access, self.credentials), LIST.route(self._access, self.registrations)]

    async def credentials(self, request: TypedRequest[SipUserPath, Nothing]) -> web.Response:
        """From memory. Raises Unauthorized, UnknownUser, AccountsUnavailable (the users were never read)."""
        if not self._token.is_in(request.raw):
            log.warning("credentials of SIP were asked for without SIP_EDGE_TOKEN", address=request.principal.address)
            raise Unauthorized("SIP credentials are for the SIP edge, which sends SIP_EDGE_TOKEN.")
        if self._access.required:
            await self._access.open_accounts()
        name = request.parameters.user
        user = self._accounts.find(name)
        if user is None or not user.may_use_sip(self._realm):
            raise UnknownUser(name)
        data = SipCredentialData(user.name, user.sip_ha1, user.sip_ha1_sha256)
        return json_response(data, headers={"Cache-Control": "no-store"})

    async def registrations(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        who, phones = request.principal, self._phones
        shown = [
            SipRegistrationData(one.user, one.contact, one.address, one.transport, one.user_agent, one.expires_at)
            for one in phones.registrations()
            if one.user == who.name or who.may(Grant.MONITOR_READ)
        ]
        data = SipRegistrations(not phones.reason, phones.reason or None, phones.read_at or None, shown)
        return json_response(data)
