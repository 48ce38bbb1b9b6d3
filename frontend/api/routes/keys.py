"""The HTTP API of API keys: made, seen, rotated and revoked by those with the grant. docs/USERS.md explains them.

Nobody hands on more than they have: a key gets no scope that its maker lacks, and a key with such a scope gets no new
secret from that maker either. A key that makes keys gives them its own bounds, too.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.accounts import ApiKey, UserAdministration
from ari_bridge.accounts.api_key import MAX_ENTRIES, MAX_LABEL_CHARACTERS
from ari_bridge.accounts.api_keys import MAX_OVERLAP_S
from frontend.auth.api_keys import grants_of_scopes
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import Grant
from frontend.auth.handing_on import KeyLimits, check_within, inherited
from frontend.calls.permissions import check_may
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response
from frontend.http.problems import ProblemError

KEYS = "API keys"
DAY_S = 86400

UnixSeconds = Annotated[float, Meta(description="Unix seconds", gt=0, le=1e11)]


class KeyPath(msgspec.Struct, frozen=True, rename="camel"):
    key_id: Annotated[str, Meta(description="the id of the key")]


class NewKey(msgspec.Struct, frozen=True, rename="camel"):
    label: Annotated[str, Meta(min_length=1, max_length=MAX_LABEL_CHARACTERS, description="what the key is for")]
    scopes: Annotated[list[Grant], Meta(max_length=len(Grant), description="what it may do: no more than you may")]
    addresses: Annotated[
        list[str], Meta(max_length=MAX_ENTRIES, description="addresses or networks (CIDR) of its servers; none: all")
    ] = []
    origins: Annotated[
        list[str],
        Meta(max_length=MAX_ENTRIES, description="origins of pages that may use it; none: it is for servers only"),
    ] = []
    users: Annotated[
        list[str],
        Meta(
            max_length=MAX_ENTRIES,
            description="for whom it may make client tokens; none: for everybody or, in a page, for guests only",
        ),
    ] = []
    max_calls: Annotated[
        Annotated[int, Meta(ge=1, le=10000)] | None,
        Meta(description="concurrent calls, its guests' included; default: as the server's limits, in a page 10"),
    ] = None
    class_of_service: Annotated[
        str, Meta(max_length=64, description="of the dial permissions; empty: the default class")
    ] = ""
    expires_at: UnixSeconds | None = None


class Rotation(msgspec.Struct, frozen=True, rename="camel"):
    overlap_seconds: Annotated[
        float, Meta(ge=0, le=MAX_OVERLAP_S, description="how long the secret before stays valid")
    ] = float(DAY_S)


class KeyData(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A key, without its secret."""

    id: str
    label: str
    scopes: list[str]
    addresses: list[str]
    origins: list[str]
    users: list[str]
    max_calls: Annotated[int, Meta(description="0: as the server's limits")]
    class_of_service: str
    created_at: float
    created_by: Annotated[str, Meta(description="a user's name or a key's id; empty: the command line")]
    expires_at: float | None
    last_used_at: Annotated[float | None, Meta(description="to the minute; null: never")]
    previous_secret_until: Annotated[
        float | None, Meta(description="until when the secret before the last rotation is valid; null: it is not")
    ]
    revoked_at: float | None


class KeyWithSecret(KeyData, frozen=True, rename="camel", kw_only=True):
    secret: Annotated[str, Meta(description="shown now and never again")]
    token: Annotated[str, Meta(description="both in one, for `Authorization: Bearer`")]


class KeyList(msgspec.Struct, frozen=True):
    keys: Annotated[list[KeyData], Meta(description="the newest first, revoked ones too")]


_KEY = ApiKey(
    id="ab_7f3k2m9qx4wz",
    label="CRM",
    scopes=("dial", "tokens:create"),
    networks=("192.0.2.0/24",),
    secret_hash="",
    created_by="1001",
    created_at=examples.AT,
    last_used_at=examples.AT + 60,
)
_SECRET = "Vb8sQ2mJk5Xr0TzL7nWc4HdYp9FgEa1uRo6iNxKt3Ms"


def _fields(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "label": key.label,
        "scopes": list(key.scopes),
        "addresses": list(key.networks),
        "origins": list(key.origins),
        "users": list(key.users),
        "max_calls": key.max_calls,
        "class_of_service": key.class_of_service,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "previous_secret_until": key.previous_until or None,
        "revoked_at": key.revoked_at,
    }


def _with_secret(key: ApiKey, secret: str) -> KeyWithSecret:
    return KeyWithSecret(**_fields(key), secret=secret, token=f"{key.id}_{secret}")


LIST = Endpoint(
    name="listKeys",
    method="GET",
    path="/keys",
    tag=KEYS,
    summary="List the API keys",
    parameters=Nothing,
    body=Nothing,
    responses={200: ResponseSpec(description="The keys", shape=KeyList, example=KeyList([KeyData(**_fields(_KEY))]))},
    problems=("unavailable",),
    grant=Grant.KEYS_MANAGE,
)
CREATE = Endpoint(
    name="createKey",
    method="POST",
    path="/keys",
    tag=KEYS,
    summary="Make an API key",
    description=(
        "The secret is in this response only. `forbidden`: a scope that you have not. A key that makes a key gives "
        "it its own addresses, origins, users, class of service, calls at once and expiry; narrower ones may be said."
    ),
    parameters=Nothing,
    body=NewKey,
    responses={
        201: ResponseSpec(description="The key", shape=KeyWithSecret, example=_with_secret(_KEY, _SECRET)),
    },
    problems=("unavailable",),
    grant=Grant.KEYS_MANAGE,
    example_body=NewKey("CRM", [Grant.DIAL, Grant.TOKENS_CREATE], addresses=["192.0.2.0/24"]),
)
SHOW = Endpoint(
    name="showKey",
    method="GET",
    path="/keys/{keyId}",
    tag=KEYS,
    summary="Show an API key",
    parameters=KeyPath,
    body=Nothing,
    responses={200: ResponseSpec(description="The key", shape=KeyData, example=KeyData(**_fields(_KEY)))},
    problems=("not_found", "unavailable"),
    grant=Grant.KEYS_MANAGE,
    example={"keyId": _KEY.id},
)
ROTATE = Endpoint(
    name="rotateKey",
    method="POST",
    path="/keys/{keyId}/rotate",
    tag=KEYS,
    summary="Give an API key another secret",
    description=(
        "The secret before, and all that it has signed in, ends after the overlap, so that servers can be changed one "
        "by one. With an overlap of 0 it ends at once. `forbidden`: the key may do more than you, or is bounded less."
    ),
    parameters=KeyPath,
    body=Rotation,
    responses={
        200: ResponseSpec(
            description="The key, with its new secret", shape=KeyWithSecret, example=_with_secret(_KEY, _SECRET)
        )
    },
    problems=("not_found", "unavailable"),
    grant=Grant.KEYS_MANAGE,
    example={"keyId": _KEY.id},
    example_body=Rotation(3600.0),
)
REVOKE = Endpoint(
    name="revokeKey",
    method="DELETE",
    path="/keys/{keyId}",
    tag=KEYS,
    summary="Revoke an API key",
    description="It ends for ever, with the client tokens that it has made; open WebSockets and streams are closed.",
    parameters=KeyPath,
    body=Nothing,
    responses={204: ResponseSpec(description="Revoked")},
    problems=("not_found", "unavailable"),
    grant=Grant.KEYS_MANAGE,
    example={"keyId": _KEY.id},
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (LIST, CREATE, SHOW, ROTATE, REVOKE)


class KeysApi:
    def __init__(self, administration: UserAdministration, access: Authenticator) -> None:
        self._administration = administration
        self._accounts = administration.accounts
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        access = self._access
        return [
            LIST.route(access, self.list),
            CREATE.route(access, self.create),
            SHOW.route(access, self.show),
            ROTATE.route(access, self.rotate),
            REVOKE.route(access, self.revoke),
        ]

    async def list(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        await self._accounts.open()
        return json_response(KeyList([KeyData(**_fields(key)) for key in self._accounts.api_keys.all()]))

    async def create(self, request: TypedRequest[Nothing, NewKey]) -> web.Response:
        body = request.body
        _check_has(request, body.scopes)
        await self._accounts.open()
        self._administration.check_class(body.class_of_service)
        limits = KeyLimits(
            tuple(body.addresses),
            tuple(body.origins),
            tuple(body.users),
            body.max_calls,
            body.class_of_service,
            body.expires_at,
        )
        if maker := self._key_of(request):
            limits = inherited(maker, limits)
        key, secret = await self._accounts.api_keys.create(
            body.label,
            [scope.value for scope in body.scopes],
            **asdict(limits),
            created_by=request.user or "",
        )
        return json_response(_with_secret(key, secret), status=201)

    async def show(self, request: TypedRequest[KeyPath, Nothing]) -> web.Response:
        return json_response(KeyData(**_fields(await self._find(request.parameters.key_id))))

    async def rotate(self, request: TypedRequest[KeyPath, Rotation]) -> web.Response:
        key = await self._find(request.parameters.key_id)
        _check_has(request, grants_of_scopes(key.scopes))
        if maker := self._key_of(request):
            check_within(maker, key)
        rotated, secret = await self._accounts.api_keys.rotate(key.id, request.body.overlap_seconds)
        return json_response(_with_secret(rotated, secret))

    async def revoke(self, request: TypedRequest[KeyPath, Nothing]) -> web.Response:
        key = await self._find(request.parameters.key_id)
        await self._accounts.api_keys.revoke(key.id)
        return web.Response(status=204)

    def _key_of(self, request: TypedRequest[Any, Any]) -> ApiKey | None:
        """That which asks; None if it is a user."""
        principal = request.principal
        return self._accounts.api_keys.find(principal.key_id) if principal.kind == "key" else None

    async def _find(self, key_id: str) -> ApiKey:
        await self._accounts.open()
        key = self._accounts.api_keys.find(key_id)
        if key is None:
            raise ProblemError("not_found", f"There is no API key {key_id[:40]}.")
        return key


def _check_has(request: TypedRequest[Any, Any], grants: Iterable[Grant]) -> None:
    """Raises Forbidden."""
    for grant in grants:
        check_may(request.principal, grant)
