"""`/me/second-factor`: the authenticator app of who sends the request. docs/USERS.md explains it."""

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
from frontend.auth.principal import check_person
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response


class PasswordBody(msgspec.Struct, frozen=True):
    password: str


class Confirmation(msgspec.Struct, frozen=True):
    password: str
    code: Code


class SecondFactorData(msgspec.Struct, frozen=True, rename="camel"):
    enabled: bool
    required: Annotated[
        bool, Meta(description="a role of yours needs it: without one you set it up at the next sign-in")
    ]
    created_at: Annotated[float | None, Meta(description="Unix seconds; null without one")] = None
    last_used_at: Annotated[float | None, Meta(description="the same")] = None
    recovery_codes: Annotated[int, Meta(description="how many are left")] = 0


class RecoveryCodes(msgspec.Struct, frozen=True, rename="camel"):
    """They are shown once."""

    recovery_codes: list[str]


_CODES = ResponseSpec(
    description="The recovery codes; those before are of no use any more",
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
            example=SecondFactorData(True, False, examples.AT, examples.AT, 10),
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
        "already removes that first."
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
    responses={200: _CODES},
    problems=("unavailable",),
    example_body=GivenCode(EXAMPLE_CHALLENGE, "492039"),
)
RENEW_CODES = Endpoint(
    name="renewRecoveryCodes",
    method="POST",
    path="/me/second-factor/recovery-codes",
    tag=SIGNING_IN,
    summary="Make new recovery codes",
    parameters=Nothing,
    body=Confirmation,
    responses={200: _CODES},
    problems=("too_many", "unavailable"),
    example_body=Confirmation("correct horse battery staple", "492039"),
)
REMOVE = Endpoint(
    name="removeSecondFactor",
    method="POST",
    path="/me/second-factor/remove",
    tag=SIGNING_IN,
    summary="Remove the second factor",
    description="The password suffices again, unless a role of yours needs a second factor.",
    parameters=Nothing,
    body=Confirmation,
    responses={204: ResponseSpec(description="Removed")},
    problems=("too_many", "unavailable"),
    example_body=Confirmation("correct horse battery staple", "492039"),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (SHOW, BEGIN, COMPLETE, RENEW_CODES, REMOVE)


class SecondFactorApi:
    def __init__(self, access: Authenticator) -> None:
        self._access = access
        self._steps = access.steps

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
        user = self._user(request)
        required = self._steps.requires_second_factor(user)
        factor = await self._access.accounts.second_factors.of(user)
        if factor is None:
            return json_response(SecondFactorData(False, required))
        return json_response(
            SecondFactorData(True, required, factor.created_at, factor.last_used_at, factor.recovery_codes)
        )

    async def begin(self, request: TypedRequest[Nothing, PasswordBody]) -> web.Response:
        self._user(request)
        return enrolment_response(await self._steps.begin_second_factor(request.principal, request.body.password))

    async def complete(self, request: TypedRequest[Nothing, GivenCode]) -> web.Response:
        self._user(request)
        body = request.body
        with _signed_in():
            return _codes(await self._steps.add_second_factor(request.principal, body.challenge, body.code))

    async def renew_codes(self, request: TypedRequest[Nothing, Confirmation]) -> web.Response:
        body = request.body
        self._with_factor(request)
        with _signed_in():
            return _codes(await self._steps.new_recovery_codes(request.principal, body.password, body.code))

    async def remove(self, request: TypedRequest[Nothing, Confirmation]) -> web.Response:
        body = request.body
        self._with_factor(request)
        with _signed_in():
            await self._steps.remove_second_factor(request.principal, body.password, body.code)
        return web.Response(status=204)

    def _user(self, request: TypedRequest[Any, Any]) -> User:
        """Raises InvalidUser (it is an API key, or a token of one), InvalidRequest (sign-in is off)."""
        check_person(request.principal)
        user = self._access.accounts.by_id(request.principal.user_id)
        if user is None:
            raise InvalidRequest("Sign-in is off, so there is no second factor.")
        return user

    def _with_factor(self, request: TypedRequest[Any, Any]) -> None:
        if not self._user(request).second_factor:
            raise InvalidRequest("You have no second factor.", field="code")


@contextmanager
def _signed_in() -> Iterator[None]:
    """What is wrong is the request, not the token. Raises InvalidRequest."""
    try:
        yield
    except WrongCode as error:
        raise InvalidRequest(str(error), field="code") from None
    except ChallengeEnded:
        raise InvalidRequest("This took too long, or was done before: begin again.", field="challenge") from None


def _codes(codes: list[str]) -> web.Response:
    return json_response(RecoveryCodes(codes), headers=SECRET)
