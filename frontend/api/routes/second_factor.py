"""`/me/second-factor`: the authenticator app of who sends the request. docs/USERS.md explains it.

Security keys are in `security_keys.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.accounts import User
from ari_bridge.errors import InvalidRequest
from frontend.api.routes.call_endpoints import SIGNING_IN
from frontend.api.routes.sign_in_steps import (
    EXAMPLE_CHALLENGE,
    EXAMPLE_CODES,
    EXAMPLE_ENROLMENT,
    SECRET,
    Code,
    EnrolmentData,
    GivenCode,
    enrolment_response,
)
from frontend.auth.authenticator import Authenticator
from frontend.auth.errors import ChallengeEnded, WrongCode
from frontend.auth.own_second_factor import Proof
from frontend.auth.principal import Principal, check_person
from frontend.auth.relying_party import Assertion
from frontend.auth.security_key_check import KeyProof
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response


class KeyProofBody(msgspec.Struct, frozen=True):
    """What a security key has signed, in place of a code."""

    challenge: Annotated[str, Meta(max_length=200, description="of `POST /me/second-factor/proof`")]
    credential: Assertion


class PasswordBody(msgspec.Struct, frozen=True):
    """Who has a second factor proves to have it: either `code` or `key`."""

    password: str
    code: Code = ""
    key: KeyProofBody | None = None


class SecurityKeyData(msgspec.Struct, frozen=True, rename="camel"):
    """Times are Unix seconds."""

    id: str
    name: str
    created_at: float
    last_used_at: float


class SecondFactorData(msgspec.Struct, frozen=True, rename="camel"):
    enabled: Annotated[bool, Meta(description="an app or a security key is set up")]
    required: Annotated[
        bool, Meta(description="a role of yours needs it: without one you set it up at the next sign-in")
    ]
    app: Annotated[bool, Meta(description="an authenticator app is set up")] = False
    created_at: Annotated[float | None, Meta(description="of the app, Unix seconds; null without one")] = None
    last_used_at: Annotated[float | None, Meta(description="the same")] = None
    recovery_codes: Annotated[int, Meta(description="how many are left")] = 0
    security_keys: list[SecurityKeyData] = []
    security_keys_available: Annotated[bool, Meta(description="they can be set up on this server")] = False


class RecoveryCodes(msgspec.Struct, frozen=True, rename="camel"):
    """They are shown once. None if there are some already, from another second factor."""

    recovery_codes: list[str]


CODES = ResponseSpec(
    description="The recovery codes",
    shape=RecoveryCodes,
    example=RecoveryCodes(EXAMPLE_CODES),
)
SHOW = Endpoint(
    name="showSecondFactor",
    method="GET",
    path="/me/second-factor",
    tag=SIGNING_IN,
    summary="Show whether you have a second factor",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The second factor",
            shape=SecondFactorData,
            example=SecondFactorData(
                True,
                False,
                True,
                examples.AT,
                examples.AT,
                10,
                [SecurityKeyData("key_5b1e9c044f1c5d0a", "Blue key", examples.AT, examples.AT)],
                True,
            ),
        )
    },
    problems=("unavailable",),
)
BEGIN = Endpoint(
    name="beginSecondFactor",
    method="POST",
    path="/me/second-factor",
    tag=SIGNING_IN,
    summary="Begin to set up an authenticator app",
    description=(
        "Nothing changes until a code of the app comes with the `challenge`, within ten minutes. Whoever has an app "
        "already removes that first; whoever has a security key proves it (`key`), or gives a recovery code."
    ),
    parameters=Nothing,
    body=PasswordBody,
    responses={200: ResponseSpec(description="What the app needs", shape=EnrolmentData, example=EXAMPLE_ENROLMENT)},
    problems=("too_many", "unavailable"),
    example_body=PasswordBody("correct horse battery staple"),
)
COMPLETE = Endpoint(
    name="completeSecondFactor",
    method="POST",
    path="/me/second-factor/complete",
    tag=SIGNING_IN,
    summary="Use the app from the next sign-in on",
    parameters=Nothing,
    body=GivenCode,
    responses={200: CODES},
    problems=("unavailable",),
    example_body=GivenCode(EXAMPLE_CHALLENGE, "492039"),
)
RENEW_CODES = Endpoint(
    name="renewRecoveryCodes",
    method="POST",
    path="/me/second-factor/recovery-codes",
    tag=SIGNING_IN,
    summary="Make new recovery codes",
    description="Those before are of no use any more. Both `password` and either `code` or `key` are needed.",
    parameters=Nothing,
    body=PasswordBody,
    responses={200: CODES},
    problems=("too_many", "unavailable"),
    example_body=PasswordBody("correct horse battery staple", "492039"),
)
REMOVE = Endpoint(
    name="removeSecondFactor",
    method="POST",
    path="/me/second-factor/remove",
    tag=SIGNING_IN,
    summary="Remove the authenticator app",
    description=(
        "Without a security key the password suffices again, unless a role of yours needs a second factor. "
        "Both `password` and either `code` or `key` are needed."
    ),
    parameters=Nothing,
    body=PasswordBody,
    responses={204: ResponseSpec(description="Removed")},
    problems=("too_many", "unavailable"),
    example_body=PasswordBody("correct horse battery staple", "492039"),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (SHOW, BEGIN, COMPLETE, RENEW_CODES, REMOVE)


class SecondFactorApi:
    def __init__(self, access: Authenticator) -> None:
        self._access = access
        self._own = access.steps.own

    def routes(self) -> list[web.RouteDef]:
        access = self._access
        return [
            SHOW.route(access, self.show),
            BEGIN.route(access, self.begin),
            COMPLETE.route(access, self.complete),
            RENEW_CODES.route(access, self.renew_codes),
            REMOVE.route(access, self.remove),
        ]

    async def show(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        user = user_of(self._access, request.principal)
        accounts = self._access.accounts
        app, keys = await accounts.second_factors.of(user), await accounts.security_keys.of(user)
        data = SecondFactorData(
            enabled=user.second_factor,
            required=self._access.steps.requires_second_factor(user),
            app=app is not None,
            created_at=app.created_at if app else None,
            last_used_at=app.last_used_at if app else None,
            recovery_codes=await accounts.second_factors.recovery_codes_left(user),
            security_keys=[SecurityKeyData(key.id, key.name, key.created_at, key.last_used_at) for key in keys],
            security_keys_available=self._own.keys_enabled,
        )
        return json_response(data)

    async def begin(self, request: TypedRequest[Nothing, PasswordBody]) -> web.Response:
        user_of(self._access, request.principal)
        body = request.body
        with refused_for_the_body():
            return enrolment_response(await self._own.begin_app(request.principal, body.password, proof_of(body)))

    async def complete(self, request: TypedRequest[Nothing, GivenCode]) -> web.Response:
        user_of(self._access, request.principal)
        body = request.body
        with refused_for_the_body():
            return codes_response(await self._own.add_app(request.principal, body.challenge, body.code))

    async def renew_codes(self, request: TypedRequest[Nothing, PasswordBody]) -> web.Response:
        body = request.body
        self._check_enrolled(request.principal)
        with refused_for_the_body():
            codes = await self._own.new_recovery_codes(request.principal, body.password, proof_of(body))
        return codes_response(codes)

    async def remove(self, request: TypedRequest[Nothing, PasswordBody]) -> web.Response:
        body = request.body
        self._check_enrolled(request.principal)
        with refused_for_the_body():
            await self._own.remove_app(request.principal, body.password, proof_of(body))
        return web.Response(status=204)

    def _check_enrolled(self, principal: Principal) -> None:
        """Raises InvalidRequest, InvalidUser."""
        if not user_of(self._access, principal).second_factor:
            raise InvalidRequest("You have no second factor.", field="code")


def user_of(access: Authenticator, principal: Principal) -> User:
    """Raises InvalidUser (it is an API key, or a token of one), InvalidRequest (sign-in is off)."""
    check_person(principal)
    user = access.accounts.by_id(principal.user_id)
    if user is None:
        raise InvalidRequest("Sign-in is off, so there is no second factor.")
    return user


def proof_of(body: PasswordBody) -> Proof:
    return KeyProof(body.key.challenge, body.key.credential) if body.key else body.code


@contextmanager
def refused_for_the_body() -> Iterator[None]:
    """What is wrong is the request, not the token. Raises InvalidRequest."""
    try:
        yield
    except WrongCode as error:
        raise InvalidRequest(str(error), field=error.field) from None
    except ChallengeEnded:
        raise InvalidRequest("This took too long, or was done before: begin again.", field="challenge") from None


def codes_response(codes: list[str]) -> web.Response:
    return json_response(RecoveryCodes(codes), headers=SECRET)
