"""Security keys and passkeys (WebAuthn) as the second factor: at the sign-in, and where they are set up and removed.

docs/USERS.md explains them. `options` are for the browser, which asks the key; `credential` is what it then gives.
"""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.accounts.security_keys import MAX_NAME_LENGTH
from ari_bridge.errors import InvalidRequest
from frontend.api.routes.call_endpoints import SIGNING_IN
from frontend.api.routes.second_factor import (
    CODES,
    PasswordBody,
    codes_response,
    proof_of,
    refused_for_the_body,
    user_of,
)
from frontend.api.routes.sessions import session_response
from frontend.api.routes.sign_in_steps import (
    EXAMPLE_CHALLENGE,
    SECRET,
    SIGNED_IN,
    SIGNED_IN_WITH_CODES,
    Challenge,
    ChallengeBody,
    Cookie,
)
from frontend.auth.authenticator import Authenticator
from frontend.auth.own_second_factor import KeyRequest
from frontend.auth.relying_party import Assertion, AssertionResponse, AttestationResponse, Registration
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH, description="by which you know the key")]


class KeyPath(msgspec.Struct, frozen=True, rename="camel"):
    key_id: Annotated[str, Meta(max_length=40, description="of the security key, in `GET /me/second-factor`")]


class GivenKey(msgspec.Struct, frozen=True):
    challenge: Challenge
    credential: Assertion
    cookie: Cookie = False


class RegisteredKey(msgspec.Struct, frozen=True):
    challenge: Challenge
    credential: Registration
    name: Name
    cookie: Cookie = False


class NewSecurityKeyBody(msgspec.Struct, frozen=True):
    challenge: Challenge
    credential: Registration
    name: Name


class KeyRequestData(msgspec.Struct, frozen=True):
    """What is asked of a security key, within two minutes; each is good for one answer."""

    challenge: Annotated[str, Meta(description="for the request that has the answer")]
    options: Annotated[
        dict[str, Any],
        Meta(
            description="`PublicKeyCredentialRequestOptionsJSON` or `PublicKeyCredentialCreationOptionsJSON`, for "
            "`navigator.credentials`"
        ),
    ]


_ASSERTION = Assertion("AQIDBAUGBwg", AssertionResponse("eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", "SZYN5YgO", "MEUCIQC"))
_REGISTRATION = Registration(
    "AQIDBAUGBwg", AttestationResponse("eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", "o2NmbXRkbm9uZQ", ["usb"])
)
_RP = "phone.example.com"
_GET = ResponseSpec(
    description="For `navigator.credentials.get()`",
    shape=KeyRequestData,
    example=KeyRequestData(
        EXAMPLE_CHALLENGE,
        {"challenge": "q6bV0S4mJ2w", "rpId": _RP, "allowCredentials": [{"id": "AQIDBAUGBwg", "type": "public-key"}]},
    ),
)
_CREATE = ResponseSpec(
    description="For `navigator.credentials.create()`",
    shape=KeyRequestData,
    example=KeyRequestData(
        EXAMPLE_CHALLENGE,
        {"challenge": "q6bV0S4mJ2w", "rp": {"id": _RP, "name": "ari-bridge"}, "user": {"id": "dXNy", "name": "1001"}},
    ),
)
ASK_KEY = Endpoint(
    name="beginSecurityKey",
    method="POST",
    path="/session/second-factor/key",
    tag=SIGNING_IN,
    summary="Ask the security key of a sign-in",
    description="Answers `second_factor_required`, if its `methods` have `security_key`.",
    parameters=Nothing,
    body=ChallengeBody,
    responses={200: _GET},
    problems=("unauthorized", "unavailable"),
    public=True,
    example_body=ChallengeBody(EXAMPLE_CHALLENGE),
)
GIVE_KEY = Endpoint(
    name="giveSecurityKey",
    method="POST",
    path="/session/second-factor/key/complete",
    tag=SIGNING_IN,
    summary="Complete a sign-in with a security key",
    description=(
        "A wrong answer (`unauthorized`, field `credential`) leaves the challenge of the sign-in valid: ask the key "
        "again. A key whose counter went back is refused, for it may be a copy."
    ),
    parameters=Nothing,
    body=GivenKey,
    responses={200: SIGNED_IN},
    problems=("unauthorized", "password_change_required", "unavailable"),
    public=True,
    example_body=GivenKey(EXAMPLE_CHALLENGE, _ASSERTION),
)
BEGIN_ENROLMENT = Endpoint(
    name="beginKeyEnrolment",
    method="POST",
    path="/session/second-factor/enrolment/key",
    tag=SIGNING_IN,
    summary="Begin to set up the security key that a sign-in requires",
    description="Answers `second_factor_enrolment_required`, if its `methods` have `security_key`.",
    parameters=Nothing,
    body=ChallengeBody,
    responses={200: _CREATE},
    problems=("unauthorized", "unavailable"),
    public=True,
    example_body=ChallengeBody(EXAMPLE_CHALLENGE),
)
COMPLETE_ENROLMENT = Endpoint(
    name="completeKeyEnrolment",
    method="POST",
    path="/session/second-factor/enrolment/key/complete",
    tag=SIGNING_IN,
    summary="Complete a sign-in with a security key that is set up with it",
    parameters=Nothing,
    body=RegisteredKey,
    responses={200: SIGNED_IN_WITH_CODES},
    problems=("unauthorized", "unavailable"),
    public=True,
    example_body=RegisteredKey(EXAMPLE_CHALLENGE, _REGISTRATION, "Blue key"),
)
PROVE = Endpoint(
    name="beginProof",
    method="POST",
    path="/me/second-factor/proof",
    tag=SIGNING_IN,
    summary="Ask your security key, to change your second factor",
    description="What it gives is the `key` of the other operations, in place of a code.",
    parameters=Nothing,
    body=Nothing,
    responses={200: _GET},
    problems=("unavailable",),
)
BEGIN = Endpoint(
    name="beginAddSecurityKey",
    method="POST",
    path="/me/second-factor/keys",
    tag=SIGNING_IN,
    summary="Begin to set up a security key",
    description=(
        "You may have ten. Whoever has a second factor already proves it (`code` or `key`). Nothing changes until the "
        "new key has answered."
    ),
    parameters=Nothing,
    body=PasswordBody,
    responses={200: _CREATE},
    problems=("too_many", "unavailable"),
    example_body=PasswordBody("correct horse battery staple"),
)
COMPLETE = Endpoint(
    name="addSecurityKey",
    method="POST",
    path="/me/second-factor/keys/complete",
    tag=SIGNING_IN,
    summary="Use the security key from the next sign-in on",
    parameters=Nothing,
    body=NewSecurityKeyBody,
    responses={200: CODES},
    problems=("unavailable",),
    example_body=NewSecurityKeyBody(EXAMPLE_CHALLENGE, _REGISTRATION, "Blue key"),
)
REMOVE = Endpoint(
    name="removeSecurityKey",
    method="POST",
    path="/me/second-factor/keys/{keyId}/remove",
    tag=SIGNING_IN,
    summary="Remove a security key",
    description=(
        "Without another second factor the password suffices again, unless a role of yours needs one. Both `password` "
        "and either `code` or `key` are needed."
    ),
    parameters=KeyPath,
    body=PasswordBody,
    responses={204: ResponseSpec(description="Removed")},
    problems=("too_many", "unavailable"),
    example={"keyId": "key_5b1e9c044f1c5d0a"},
    example_body=PasswordBody("correct horse battery staple", "492039"),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (
    ASK_KEY,
    GIVE_KEY,
    BEGIN_ENROLMENT,
    COMPLETE_ENROLMENT,
    PROVE,
    BEGIN,
    COMPLETE,
    REMOVE,
)


class SecurityKeyApi:
    def __init__(self, access: Authenticator) -> None:
        self._access = access
        self._steps = access.steps
        self._own = access.steps.own

    def routes(self) -> list[web.RouteDef]:
        access = self._access
        return [
            ASK_KEY.route(access, self.ask_key),
            GIVE_KEY.route(access, self.give_key),
            BEGIN_ENROLMENT.route(access, self.begin_enrolment),
            COMPLETE_ENROLMENT.route(access, self.complete_enrolment),
            PROVE.route(access, self.prove),
            BEGIN.route(access, self.begin),
            COMPLETE.route(access, self.complete),
            REMOVE.route(access, self.remove),
        ]

    # --- at the sign-in ----------------------------------------------------------------

    async def ask_key(self, request: TypedRequest[Nothing, ChallengeBody]) -> web.Response:
        challenge = request.body.challenge
        return _asked(KeyRequest(challenge, await self._steps.ask_key(challenge)))

    async def give_key(self, request: TypedRequest[Nothing, GivenKey]) -> web.Response:
        body = request.body
        session = await self._steps.give_key(body.challenge, body.credential, self._address(request))
        return await session_response(self._access, request.raw, session, cookie=body.cookie)

    async def begin_enrolment(self, request: TypedRequest[Nothing, ChallengeBody]) -> web.Response:
        return _asked(await self._steps.begin_key_enrolment(request.body.challenge))

    async def complete_enrolment(self, request: TypedRequest[Nothing, RegisteredKey]) -> web.Response:
        body = request.body
        session, codes = await self._steps.complete_key_enrolment(
            body.challenge, body.credential, body.name, self._address(request)
        )
        return await session_response(self._access, request.raw, session, cookie=body.cookie, recovery_codes=codes)

    # --- of those who have signed in ---------------------------------------------------

    async def prove(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        user_of(self._access, request.principal)
        return _asked(await self._own.ask_key(request.principal))

    async def begin(self, request: TypedRequest[Nothing, PasswordBody]) -> web.Response:
        user_of(self._access, request.principal)
        body = request.body
        with refused_for_the_body():
            return _asked(await self._own.begin_key(request.principal, body.password, proof_of(body)))

    async def complete(self, request: TypedRequest[Nothing, NewSecurityKeyBody]) -> web.Response:
        user_of(self._access, request.principal)
        body = request.body
        with refused_for_the_body():
            codes = await self._own.add_key(request.principal, body.challenge, body.credential, body.name)
        return codes_response(codes)

    async def remove(self, request: TypedRequest[KeyPath, PasswordBody]) -> web.Response:
        body, key_id = request.body, request.parameters.key_id
        user = user_of(self._access, request.principal)
        if all(key.id != key_id for key in await self._access.accounts.security_keys.of(user)):
            raise InvalidRequest("You have no such security key.", field="keyId")
        with refused_for_the_body():
            await self._own.remove_key(request.principal, body.password, proof_of(body), key_id)
        return web.Response(status=204)

    def _address(self, request: TypedRequest[Any, Any]) -> str:
        return self._access.addresses.of(request.raw)


def _asked(asked: KeyRequest) -> web.Response:
    return json_response(KeyRequestData(asked.challenge, asked.options), headers=SECRET)
