"""`POST /tokens`: a server's API key makes a token for one client of its own. docs/USERS.md explains it."""

from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from frontend.auth.authenticator import Authenticator
from frontend.auth.client_tokens import DEFAULT_LIFETIME_S, MAX_LIFETIME_S, MIN_LIFETIME_S
from frontend.auth.grants import Grant
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

TOKENS = "API keys"
MAX_NUMBERS, MAX_METADATA = 32, 16
_NAMES: dict[str, Grant] = {
    "dial": Grant.DIAL,
    "receive": Grant.RECEIVE,
    "record": Grant.RECORD,
    "monitor": Grant.MONITOR_READ,
}

ClientGrant = Literal["dial", "receive", "record", "monitor"]
ClientName = Annotated[str, Meta(min_length=1, max_length=64)]
NumberPattern = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z+#._*-]+$")]
MetadataName = Annotated[str, Meta(min_length=1, max_length=64)]
MetadataValue = Annotated[str, Meta(max_length=256)]


class TokenRequest(msgspec.Struct, frozen=True, rename="camel"):
    user: Annotated[
        ClientName | None, Meta(description="a user, or a name that no user has; default: the key itself")
    ] = None
    grants: Annotated[
        Annotated[list[ClientGrant], Meta(max_length=len(_NAMES))] | None,
        Meta(description="no more than the key has; default: all but `monitor` that it has"),
    ] = None
    lifetime_seconds: Annotated[int, Meta(ge=MIN_LIFETIME_S, le=MAX_LIFETIME_S)] = DEFAULT_LIFETIME_S
    numbers: Annotated[
        list[NumberPattern],
        Meta(
            max_length=MAX_NUMBERS,
            description="all that may be dialled, as it is dialled; `*` at the end: all that begins so; default: all",
        ),
    ] = []
    metadata: Annotated[
        dict[MetadataName, MetadataValue],
        Meta(
            max_length=MAX_METADATA,
            description="for your programs: in the token, which whoever has it can read, and in the events, webhooks "
            "and records of the calls that are placed or accepted with it",
        ),
    ] = {}


class ClientTokenData(msgspec.Struct, frozen=True, rename="camel"):
    token: Annotated[str, Meta(description="for the client")]
    user: str
    grants: list[ClientGrant]
    expires_at: Annotated[float, Meta(description="Unix seconds")]


CREATE = Endpoint(
    name="createToken",
    method="POST",
    path="/tokens",
    tag=TOKENS,
    summary="Make a token for a client",
    description=(
        "With an API key only; for anybody but the key itself it needs `tokens:create`. The token ends with its time, "
        "with its key, and with what ends a sign-in of the user. A key for pages (`origins`) makes tokens for its "
        "`users`, and else for guests: `user` is then `guest-`, the key's id without `ab_`, `-`, and 16 or more random "
        "hexadecimal digits that the page keeps to itself."
    ),
    parameters=Nothing,
    body=TokenRequest,
    responses={
        201: ResponseSpec(
            description="The token",
            shape=ClientTokenData,
            example=ClientTokenData(
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl", "1001", ["dial"], examples.AT + 600
            ),
        )
    },
    problems=("unavailable",),
    example_body=TokenRequest("1001", ["dial"], 600),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (CREATE,)


class TokensApi:
    def __init__(self, access: Authenticator) -> None:
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [CREATE.route(self._access, self.create)]

    async def create(self, request: TypedRequest[Nothing, TokenRequest]) -> web.Response:
        body = request.body
        made = await self._access.client_tokens.make(
            request.principal,
            body.user,
            grants=None if body.grants is None else frozenset(_NAMES[name] for name in body.grants),
            lifetime=body.lifetime_seconds,
            numbers=tuple(body.numbers),
            metadata=body.metadata,
        )
        grants: list[ClientGrant] = [
            name for name in ("dial", "receive", "record", "monitor") if _NAMES[name] in made.grants
        ]
        data = ClientTokenData(made.token, made.user, grants, made.expires_at)
        return json_response(data, status=201)
