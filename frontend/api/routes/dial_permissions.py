"""The dial permissions in force, and a trial: which rule decides for a user and a number."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.accounts import Accounts, UnknownUser
from ari_bridge.dial_permissions import NumberPlan, PermissionsFile
from ari_bridge.engine.dial_gate import DialGate
from frontend.auth.authenticator import Authenticator
from frontend.auth.grants import Grant
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

DIAL_PERMISSIONS = "Dial permissions"


class ClassOfServiceData(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    built_in: Annotated[bool, Meta(description="not from the file")]
    rules: Annotated[list[str], Meta(description="the first that fits decides; those of included classes in place")]


class DialPermissionsData(msgspec.Struct, frozen=True, rename="camel"):
    """docs/DIAL_PERMISSIONS.md explains them."""

    file: Annotated[str | None, Meta(description="where they are written, on the server; null: built-in classes only")]
    country: Annotated[str, Meta(description="ISO 3166 code of `COUNTRY`; empty: not set")]
    default: Annotated[str, Meta(description="the class of whoever has no other")]
    internal: Annotated[list[str], Meta(description="patterns of further internal numbers")]
    classes: list[ClassOfServiceData]
    users: Annotated[dict[str, str], Meta(description="user name → class, from the file")]
    roles: Annotated[dict[str, str], Meta(description="role → class")]
    tenants: Annotated[dict[str, str], Meta(description="tenant → class")]


class DialCheckQuery(msgspec.Struct, frozen=True):
    user: Annotated[str, Meta(description="name of a user", min_length=1, max_length=64)]
    number: Annotated[str, Meta(description="as the user would dial it", min_length=1, max_length=128)]


class DialCheckData(msgspec.Struct, frozen=True, rename="camel"):
    """What the dial permissions say of a user and a number. Nothing is dialled."""

    allowed: bool
    rule: Annotated[str, Meta(description="the rule that decides, with its class")]
    user: str
    class_of_service: Annotated[str, Meta(description="the user's, that counts now")]
    dialled: Annotated[str, Meta(description="the number as the PBX gets it")]
    e164: Annotated[str, Meta(description="in international form; empty if it is none of a public numbering plan")]
    country: Annotated[str, Meta(description="ISO 3166 code; 001: of no country; empty: unknown or internal")]
    number_class: Annotated[str, Meta(description="what kind of number it is")]
    why: Annotated[str, Meta(description="why it is of that kind")]


SHOW = Endpoint(
    name="showDialPermissions",
    method="GET",
    path="/dial-permissions",
    tag=DIAL_PERMISSIONS,
    summary="Show the dial permissions in force",
    description="Needs the right `users:manage`.",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The classes of service, and who has which",
            shape=DialPermissionsData,
            example=DialPermissionsData(
                file="/etc/ari-bridge/dial-permissions.toml",
                country="DE",
                default="internal",
                internal=["80xx"],
                classes=[ClassOfServiceData("internal", True, ["allow internal"])],
                users={"1001": "national"},
                roles={"agent": "national"},
                tenants={},
            ),
        )
    },
    grant=Grant.USERS_MANAGE,
)
CHECK = Endpoint(
    name="checkDialPermission",
    method="GET",
    path="/dial-permissions/check",
    tag=DIAL_PERMISSIONS,
    summary="Find which rule decides for a user and a number",
    description="As `ari-bridge dial-check`. Nothing is dialled. Needs the right `users:manage`.",
    parameters=DialCheckQuery,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The decision",
            shape=DialCheckData,
            example=DialCheckData(
                allowed=False,
                rule="national: no rule allows premium",
                user="1001",
                class_of_service="national",
                dialled="0900123456",
                e164="+49900123456",
                country="DE",
                number_class="premium",
                why="0900",
            ),
        )
    },
    problems=("invalid_target", "unknown_user"),
    grant=Grant.USERS_MANAGE,
    example={"user": "1001", "number": "0900123456"},
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (SHOW, CHECK)


class DialPermissionsApi:
    """`accounts`: who is known, while sign-in is on."""

    def __init__(
        self, file: PermissionsFile, plan: NumberPlan, gate: DialGate, accounts: Accounts, access: Authenticator
    ) -> None:
        self._file = file
        self._plan = plan
        self._gate = gate
        self._accounts = accounts
        self._access = access

    def use(self, plan: NumberPlan) -> None:
        """From now on."""
        self._plan = plan

    def routes(self) -> list[web.RouteDef]:
        return [SHOW.route(self._access, self.show), CHECK.route(self._access, self.check)]

    async def show(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        now = self._file.current()
        return json_response(
            DialPermissionsData(
                file=str(self._file.path) if self._file.path else None,
                country=self._plan.country,
                default=now.default,
                internal=[pattern.pattern for pattern in now.internal],
                classes=[
                    ClassOfServiceData(name, one.built_in, [rule.text for rule in one.rules])
                    for name, one in now.classes.items()
                ],
                users=dict(now.users),
                roles=dict(now.roles),
                tenants=dict(now.tenants),
            )
        )

    async def check(self, request: TypedRequest[DialCheckQuery, Nothing]) -> web.Response:
        asked = request.parameters
        if self._access.required and self._accounts.find(asked.user) is None:
            raise UnknownUser(asked.user)
        explained = self._gate.explain(asked.user, asked.number)
        decision, number = explained.decision, explained.decision.number
        return json_response(
            DialCheckData(
                allowed=decision.allowed,
                rule=decision.rule,
                user=asked.user,
                class_of_service=explained.class_of_service,
                dialled=number.dialled,
                e164=number.e164,
                country=number.country,
                number_class=number.number_class.value,
                why=number.why,
            )
        )
