"""What may be required after the password, before there is a session (frontend/auth/challenges.py)."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.accounts import totp
from frontend.api.routes.call_endpoints import SIGNING_IN, SessionData
from frontend.api.routes.sessions import session_response
from frontend.auth.authenticator import Authenticator
from frontend.auth.own_second_factor import Enrolment
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

Challenge = Annotated[str, Meta(max_length=200, description="of the problem that said what is required")]


Code = Annotated[str, Meta(max_length=64, description="6 digits of the app, or a recovery code", examples=["492039"])]
Cookie = Annotated[bool, Meta(description="as in `POST /session`")]
SECRET = {"Cache-Control": "no-store"}


class ChosenPassword(msgspec.Struct, frozen=True, rename="camel"):
    challenge: Challenge
    new_password: Annotated[str, Meta(description="`minPasswordLength` characters or more, and no common one")]
    cookie: Cookie = False


class GivenCode(msgspec.Struct, frozen=True):
    challenge: Challenge
    code: Code
    cookie: Cookie = False


class ChallengeBody(msgspec.Struct, frozen=True):
    challenge: Challenge


class EnrolmentData(msgspec.Struct, frozen=True, rename="camel"):
    """An authenticator app that is to be set up: scan the QR code, or type the secret."""

    challenge: Annotated[str, Meta(description="for the request that completes it")]
    secret: Annotated[str, Meta(description="base32; codes of 6 digits, SHA-1, each for 30 s")]
    uri: Annotated[str, Meta(description="the same for an app, `otpauth://`")]
    qr_code: Annotated[list[str], Meta(description="of the `uri`: a row each, 1 is dark; without its margin of 4")]


EXAMPLE_CHALLENGE = "u2nS0gq3vJb1V6mK8yQd4rXw7zT5cLpE9aHfGiNoBkM"
EXAMPLE_CODES = ["K7QM-3XWF-9PTA-HJ4D", "B2RC-V8NE-6YUL-Z5GS"]
EXAMPLE_ENROLMENT = EnrolmentData(
    EXAMPLE_CHALLENGE,
    "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "otpauth://totp/ari-bridge:1001?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=ari-bridge",
    ["1111111010", "1000001001"],
)
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl"
SIGNED_IN = ResponseSpec(
    description="Signed in", shape=SessionData, example=SessionData(TOKEN, "1001", examples.AT + 43200)
)
SIGNED_IN_WITH_CODES = ResponseSpec(
    description="Signed in; keep the recovery codes",
    shape=SessionData,
    example=SessionData(TOKEN, "1001", examples.AT + 43200, recovery_codes=EXAMPLE_CODES),
)
CHOOSE_PASSWORD = Endpoint(
    name="choosePassword",
    method="POST",
    path="/session/password",
    tag=SIGNING_IN,
    summary="Choose a password at the first sign-in",
    description=(
        "Answers `password_change_required`. The challenge is good for this alone, and once; a password that is "
        "refused (`invalid_request`, field `newPassword`) does not use it up."
    ),
    parameters=Nothing,
    body=ChosenPassword,
    responses={200: SIGNED_IN},
    problems=("unauthorized", "second_factor_enrolment_required", "too_many", "unavailable"),
    public=True,
    example_body=ChosenPassword(EXAMPLE_CHALLENGE, "four other words, all of them long"),
)
GIVE_SECOND_FACTOR = Endpoint(
    name="giveSecondFactor",
    method="POST",
    path="/session/second-factor",
    tag=SIGNING_IN,
    summary="Give the second factor of a sign-in",
    description=(
        "Answers `second_factor_required`; for a security key see `POST /session/second-factor/key`. A code of the app "
        "is good once. After five wrong ones there is one attempt each 30 s, and fewer and fewer then (`too_many`); "
        "recovery codes are not affected."
    ),
    parameters=Nothing,
    body=GivenCode,
    responses={200: SIGNED_IN},
    problems=("unauthorized", "password_change_required", "too_many", "unavailable"),
    public=True,
    example_body=GivenCode(EXAMPLE_CHALLENGE, "492039"),
)
BEGIN_ENROLMENT = Endpoint(
    name="beginEnrolment",
    method="POST",
    path="/session/second-factor/enrolment",
    tag=SIGNING_IN,
    summary="Begin to set up the app that a sign-in requires",
    description="Answers `second_factor_enrolment_required`. Each request makes another secret.",
    parameters=Nothing,
    body=ChallengeBody,
    responses={200: ResponseSpec(description="What the app needs", shape=EnrolmentData, example=EXAMPLE_ENROLMENT)},
    problems=("unauthorized",),
    public=True,
    example_body=ChallengeBody(EXAMPLE_CHALLENGE),
)
COMPLETE_ENROLMENT = Endpoint(
    name="completeEnrolment",
    method="POST",
    path="/session/second-factor/enrolment/complete",
    tag=SIGNING_IN,
    summary="Complete a sign-in with the first code of the app",
    parameters=Nothing,
    body=GivenCode,
    responses={200: SIGNED_IN_WITH_CODES},
    problems=("unauthorized", "unavailable"),
    public=True,
    example_body=GivenCode(EXAMPLE_CHALLENGE, "492039"),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    CHOOSE_PASSWORD,
    GIVE_SECOND_FACTOR,
    BEGIN_ENROLMENT,
    COMPLETE_ENROLMENT,
)


class SignInStepsApi:
    def __init__(self, access: Authenticator) -> None:
        self._access = access
        self._steps = access.steps

    def routes(self) -> list[web.RouteDef]:
        access = self._access
        return [
            CHOOSE_PASSWORD.route(access, self.choose_password),
            GIVE_SECOND_FACTOR.route(access, self.give_second_factor),
            BEGIN_ENROLMENT.route(access, self.begin_enrolment),
            COMPLETE_ENROLMENT.route(access, self.complete_enrolment),
        ]

    async def choose_password(self, request: TypedRequest[Nothing, ChosenPassword]) -> web.Response:
        body = request.body
        session = await self._steps.choose_password(body.challenge, body.new_password, self._address(request))
        return await session_response(self._access, request.raw, session, cookie=body.cookie)

    async def give_second_factor(self, request: TypedRequest[Nothing, GivenCode]) -> web.Response:
        body = request.body
        session = await self._steps.give_second_factor(body.challenge, body.code, self._address(request))
        return await session_response(self._access, request.raw, session, cookie=body.cookie)

    async def begin_enrolment(self, request: TypedRequest[Nothing, ChallengeBody]) -> web.Response:
        return enrolment_response(self._steps.begin_enrolment(request.body.challenge))

    async def complete_enrolment(self, request: TypedRequest[Nothing, GivenCode]) -> web.Response:
        body = request.body
        session, codes = await self._steps.complete_enrolment(body.challenge, body.code, self._address(request))
        return await session_response(self._access, request.raw, session, cookie=body.cookie, recovery_codes=codes)

    def _address(self, request: TypedRequest[Any, Any]) -> str:
        return self._access.addresses.of(request.raw)


def enrolment_response(enrolment: Enrolment) -> web.Response:
    uri = totp.uri_of(enrolment.secret, enrolment.user)
    data = EnrolmentData(enrolment.challenge, enrolment.secret, uri, totp.qr_code(uri))
    return json_response(data, headers=SECRET)
