"""`/me/sip-password`: the SIP password of who sends the request, for phones. docs/USERS.md explains it."""

from typing import Any

from aiohttp import web

from ari_bridge.accounts import Target, UserAdministration
from ari_bridge.audit import Action, Result
from ari_bridge.errors import InvalidRequest
from frontend.api.routes.call_endpoints import SIGNING_IN
from frontend.api.routes.second_factor import PasswordBody, proof_of, refused_for_the_body
from frontend.api.routes.user_endpoints import EXAMPLE_SIP_PASSWORD, SipPasswordData
from frontend.auth.authenticator import Authenticator, Unauthorized
from frontend.auth.own_second_factor import changed_meanwhile_is
from frontend.auth.principal import Principal, check_person
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response

_CHANGED = "Your password was changed meanwhile: sign in again."

MAKE = Endpoint(
    name="makeOwnSipPassword",
    method="POST",
    path="/me/sip-password",
    tag=SIGNING_IN,
    summary="Make a SIP password for your phones",
    description=(
        "The server makes it, and shows it this once. The one before is of no use any more. It does for SIP alone, "
        "and nobody can sign in with it. If you have a second factor, either `code` or `key` is needed too."
    ),
    parameters=Nothing,
    body=PasswordBody,
    responses={200: ResponseSpec(description="The SIP password", shape=SipPasswordData, example=EXAMPLE_SIP_PASSWORD)},
    problems=("too_many", "unavailable"),
    example_body=PasswordBody("correct horse battery staple", "492039"),
)
REMOVE = Endpoint(
    name="removeOwnSipPassword",
    method="DELETE",
    path="/me/sip-password",
    tag=SIGNING_IN,
    summary="Take your SIP password away",
    description="Your phones can neither register nor call any more. Without effect if there is none.",
    parameters=Nothing,
    body=Nothing,
    responses={204: ResponseSpec(description="There is none any more")},
    problems=("unavailable",),
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (MAKE, REMOVE)


class SipPasswordApi:
    """`administration`: makes and removes SIP passwords."""

    def __init__(self, administration: UserAdministration, access: Authenticator) -> None:
        self._administration = administration
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [MAKE.route(self._access, self.make), REMOVE.route(self._access, self.remove)]

    async def make(self, request: TypedRequest[Nothing, PasswordBody]) -> web.Response:
        principal = request.principal
        _check_user(principal)
        try:
            with refused_for_the_body():
                user = await self._access.steps.own.confirm(principal, request.body.password, proof_of(request.body))
        except (Unauthorized, InvalidRequest) as error:
            self._access.audit.record(
                Action.USER_SIP_PASSWORD, principal.name or "", result=Result.REFUSED, reason=str(error)
            )
            raise
        with changed_meanwhile_is(Unauthorized(_CHANGED)):
            target = Target(user.id, generation=user.generation)
            made = await self._administration.new_sip_password(user.name, target)
        data = SipPasswordData(made.user.name, made.user.sip_realm, made.password)
        return json_response(data, headers={"Cache-Control": "no-store"})

    async def remove(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        principal = request.principal
        _check_user(principal)
        with changed_meanwhile_is(Unauthorized(_CHANGED)):
            await self._administration.remove_sip_password(principal.name or "", Target(principal.user_id))
        return web.Response(status=204)


def _check_user(principal: Principal) -> None:
    """Raises InvalidUser (it is an API key, or a token of one), InvalidRequest (sign-in is off)."""
    check_person(principal)
    if not principal.user_id:
        raise InvalidRequest("Sign-in is off, so there are no SIP passwords.")
