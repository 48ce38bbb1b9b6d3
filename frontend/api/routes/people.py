"""The HTTP API of the directory and of call-handling preferences; docs/PEOPLE.md explains them."""

from typing import Annotated, Any

import msgspec
from aiohttp import web
from msgspec import Meta

from ari_bridge.errors import InvalidRequest
from ari_bridge_protocol.messages import CallPreferences, PersonSummary
from frontend.auth.authenticator import Authenticator, Forbidden
from frontend.auth.grants import Grant
from frontend.calls.permissions import check_forwards
from frontend.http.endpoint import Endpoint, Nothing, ResponseSpec, TypedRequest
from frontend.http.middleware import json_response
from frontend.presence.preferences import UserServices

PEOPLE = "People"


class Directory(msgspec.Struct, frozen=True):
    people: Annotated[list[PersonSummary], Meta(description="sorted by number")]


class PreferenceOwner(msgspec.Struct, frozen=True):
    user: Annotated[
        str | None, Meta(description="whose preferences, if sign-in is off; otherwise they are always your own")
    ] = None


_EXAMPLE = CallPreferences(forward_no_answer="voicemail", ring_seconds=20)
LIST = Endpoint(
    name="listPeople",
    method="GET",
    path="/people",
    tag=PEOPLE,
    summary="List the directory with each person's state",
    parameters=Nothing,
    body=Nothing,
    responses={
        200: ResponseSpec(
            description="The directory",
            shape=Directory,
            example=Directory(
                [PersonSummary("1001", "Reception", "available", "1001"), PersonSummary("201", "", "in_call")]
            ),
        )
    },
)
SHOW = Endpoint(
    name="showPreferences",
    method="GET",
    path="/me/preferences",
    tag=PEOPLE,
    summary="Show your call-handling preferences",
    parameters=PreferenceOwner,
    body=Nothing,
    responses={200: ResponseSpec(description="The preferences", shape=CallPreferences, example=_EXAMPLE)},
)
CHANGE = Endpoint(
    name="setPreferences",
    method="PUT",
    path="/me/preferences",
    tag=PEOPLE,
    summary="Replace your call-handling preferences",
    description="Omitted fields are reset to their defaults. All your pages are notified.",
    parameters=PreferenceOwner,
    body=CallPreferences,
    responses={200: ResponseSpec(description="The preferences as stored", shape=CallPreferences, example=_EXAMPLE)},
    problems=("too_many", "unavailable"),
    example_body=_EXAMPLE,
)
ENDPOINTS: tuple[Endpoint[Any, Any], ...] = (LIST, SHOW, CHANGE)


class PeopleApi:
    """If sign-in is off (loopback only), `?user=NAME` names the user."""

    def __init__(self, user_services: UserServices, access: Authenticator) -> None:
        self._user_services = user_services
        self._access = access

    def routes(self) -> list[web.RouteDef]:
        return [
            LIST.route(self._access, self.people),
            SHOW.route(self._access, self.show),
            CHANGE.route(self._access, self.change),
        ]

    async def people(self, request: TypedRequest[Nothing, Nothing]) -> web.Response:
        if request.principal.is_guest:
            raise Forbidden(Grant.RECEIVE, of="no guest")
        return json_response(Directory(self._user_services.directory.people()))

    async def show(self, request: TypedRequest[PreferenceOwner, Nothing]) -> web.Response:
        return json_response(self._user_services.preferences(self._me(request)))

    async def change(self, request: TypedRequest[PreferenceOwner, CallPreferences]) -> web.Response:
        check_forwards(request.principal, request.body)
        return json_response(await self._user_services.set(self._me(request), request.body))

    def _me(self, request: TypedRequest[PreferenceOwner, Any]) -> str:
        """Raises InvalidRequest, InvalidUser."""
        named = request.parameters.user
        if request.user is not None:
            if named not in (None, request.user):
                raise InvalidRequest("Only your own preferences can be used.", field="user")
            return request.user
        if not named:
            raise InvalidRequest("Name the user: ?user=NAME.", field="user")
        self._access.identify(named, None)
        return named
