"""What may be required after the password, before there is a session (frontend/auth/challenges.py)."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from frontend.api.routes.call_endpoints import SIGNING_IN, SessionData
from frontend.api.routes.call_handlers import session_response
from frontend.auth.authenticator import Authenticator
from frontend.http import examples
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest

Challenge = Annotated[str, Meta(max_length=200, description="of the problem that said what is required")]


class ChosenPassword(msgspec.Struct, frozen=True, rename="camel"):
    challenge: Challenge
    new_password: Annotated[str, Meta(description="`minPasswordLength` characters or more, and no common one")]


EXAMPLE_CHALLENGE = "u2nS0gq3vJb1V6mK8yQd4rXw7zT5cLpE9aHfGiNoBkM"
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
    responses={
        200: ResponseSpec(
            description="Signed in",
            shape=SessionData,
            example=SessionData("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMDAxIn0.c2lnbmF0dXJl", "1001", examples.AT + 43200),
        )
    },
    problems=("unauthorized", "unavailable"),
    public=True,
    example_body=ChosenPassword(EXAMPLE_CHALLENGE, "four other words, all of them long"),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (CHOOSE_PASSWORD,)


class SignInStepsApi:
    def __init__(self, access: Authenticator) -> None:
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [CHOOSE_PASSWORD.route(self._access, self.choose_password)]

    async def choose_password(self, request: TypedRequest[Nothing, ChosenPassword]) -> web.Response:
        address = self._access.addresses.of(request.raw)
        body = request.body
        return session_response(await self._access.choose_password(body.challenge, body.new_password, address))
